"""`make nightly` reports correctly what it ran, without paths of the machine."""

import sys

import pytest

from tests.nightly import __main__ as nightly


def step(name, code):
    return nightly.Step(name, (sys.executable, "-c", code))


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


def test_a_step_that_was_left_out_is_not_in_the_table(page):
    code, text = page(step("one", "exit(1)"), step("two", "pass"), options=["--only", "two"])
    assert code == 0 and "| two |" in text and "| one |" not in text


def test_no_path_of_the_machine_is_written_down(page):
    _, text = page(step("where", f"print({str(nightly.ROOT)!r})"))
    end = text.split("## where")[1]
    assert str(nightly.ROOT) not in end and "```\n.\n```" in end
