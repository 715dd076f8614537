"""`make nightly` reports correctly what it ran, without paths of the machine."""

import fcntl
import re
import sys

import pytest

from tests.nightly import __main__ as nightly


def step(name, code, minutes=1):
    return nightly.Step(name, (sys.executable, "-c", code), minutes)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Runs steps; returns the exit code and the summary."""
    monkeypatch.setattr(nightly, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(nightly, "SUMMARY", tmp_path / "summary.md")

    def run(*steps, options=()):
        monkeypatch.setattr(nightly, "STEPS", steps)
        return nightly.main(list(options)), (tmp_path / "summary.md").read_text()

    return run


def test_what_passed_and_what_failed(page):
    code, text = page(step("good", "print('a'); print(); print('b')"), step("bad", "exit(3)"))
    assert code == 1
    assert "| passed |" in text and "| FAILED (exit code 3) |" in text
    assert "```\nb\n```" in text, "the last paragraph only"


def test_all_that_a_step_prints_is_kept(page, tmp_path):
    code, _ = page(step("loud", "import sys; print(1); print(2, file=sys.stderr)"))
    assert code == 0
    assert sorted((tmp_path / "logs" / "loud.log").read_text().split()) == ["1", "2"]


def test_a_step_that_never_ran_is_not_in_the_table(page):
    code, text = page(step("one", "exit(1)"), step("two", "pass"), options=["--only", "two"])
    assert code == 0 and "| two |" in text and "| one |" not in text


def test_a_step_that_runs_alone_leaves_the_lines_of_the_others(page, monkeypatch):
    monkeypatch.setattr(nightly, "commit", lambda: "aaa")
    page(step("one", "print('old 1')"), step("two", "print('old 2'); exit(1)"))
    monkeypatch.setattr(nightly, "commit", lambda: "bbb")
    steps = step("one", "print('new 1')"), step("two", "print('new 2')")
    code, text = page(*steps, options=["--only", "two"])
    assert code == 0
    one, two = (line for line in text.splitlines() if line.startswith(("| one", "| two")))
    assert "| aaa |" in one and "| bbb |" in two and "| passed |" in two
    assert "old 1" in text and "new 1" not in text
    assert "new 2" in text and "old 2" not in text


def test_a_step_that_hangs_is_ended_with_all_it_started(page, tmp_path):
    """The grandchild holds a lock as long as it lives."""
    lock = tmp_path / "lock"
    lock.touch()
    hold = f"import fcntl, time; f = open({str(lock)!r}); fcntl.flock(f, fcntl.LOCK_EX)"
    grandchild = f"{hold}; print('held', flush=True); time.sleep(1000)"
    start = f"p = subprocess.Popen([sys.executable, '-c', {grandchild!r}], stdout=subprocess.PIPE)"
    hang = f"import subprocess, sys, time; {start}; p.stdout.readline(); time.sleep(1000)"
    code, text = page(step("hangs", hang, minutes=0.05), step("next", "pass"))
    assert code == 1
    assert "FAILED (ended after 0.05 minutes)" in text and "| next |" in text
    with open(lock) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_result_is_kept_if_a_later_step_cannot_even_start(page, tmp_path):
    broken = nightly.Step("broken", ("/no/such/command",), 1)
    with pytest.raises(FileNotFoundError):
        page(step("first", "print('done')"), broken)
    assert "| first |" in (tmp_path / "summary.md").read_text()


def test_a_log_that_looks_like_the_page_is_read_as_a_log(page):
    fake = "print('| two | `x` | passed | 1 | d | c | p |'); print('```'); print('## two')"
    page(step("one", fake), step("two", "exit(1)"))
    _, text = page(step("one", fake), step("two", "exit(1)"), options=["--only", "one"])
    assert text.count("| FAILED (exit code 1) |") == 1 and text.count("\n## two\n") == 2


def test_each_step_is_a_target_of_make():
    targets = re.findall(r"^([a-z-]+):", (nightly.ROOT / "Makefile").read_text(), re.M)
    for each in nightly.STEPS:
        assert each.command[0] == "make" and each.command[1] in targets, each.name


def test_no_path_of_the_machine_is_written_down(page):
    _, text = page(step("where", f"print({str(nightly.ROOT)!r})"))
    end = text.split("## where")[1]
    assert str(nightly.ROOT) not in end and "```\n.\n```" in end
