"""`make perf` judges made-up figures correctly: nothing is timed and nothing is built."""

import contextlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.perf import __main__ as perf
from tests.perf import checkout, client, instructions, verdict, worker

BASE, HERE = "base", checkout.HERE


@pytest.mark.parametrize(
    "quantity, base, here, expected",
    [
        ("ops", 31, 31, "ok"),
        ("ops", 31, 32, "GREW"),
        ("ops", 31, 25, "ok"),
        ("ops", None, 31, "not in the base"),
        ("bytes", 1e6, 1.01e6 + 4096, "ok"),
        ("bytes", 1e6, 1.01e6 + 4097, "GREW"),
        ("bytes at once", 0, 4096, "ok"),
        ("instructions", 1000, 1010, "ok"),
        ("instructions", 1000, 1011, "GREW"),
    ],
)
def test_a_counted_quantity_may_grow_within_its_bound(quantity, base, here, expected):
    row = verdict.counted("a step", quantity, base, here)
    assert row.verdict == expected and row.fails == (expected == "GREW")
    assert row.ratio == (here / base if base else None)


def made_up(ratio, *, noise, launches=6, turns=20, seed=0):
    """Makes times of two trees, with common noise of the machine and own noise."""
    rng = np.random.default_rng(seed)
    base = np.exp(rng.normal(0, 0.2, (launches, turns)))  # Affects both.
    own = np.exp(rng.normal(0, noise, (launches, turns)))
    per_launch = np.exp(rng.normal(0, noise, (launches, 1)))
    return base, ratio * base * own * per_launch


@pytest.mark.parametrize("ratio, slower", [(0.8, False), (1.0, False), (1.05, True), (2.0, True)])
def test_times_are_slower_only_if_the_whole_interval_is(ratio, slower):
    row = verdict.timed("a step", *made_up(ratio, noise=0.005))
    low, high = row.interval
    assert low < row.ratio < high and abs(row.ratio / ratio - 1) < 0.01
    assert row.fails == slower and (low > verdict.SLOWER) == slower


def test_few_launches_fail_nobody():
    few = verdict.timed("a step", *made_up(2, noise=0.005, launches=verdict.FEWEST_LAUNCHES - 1))
    assert few.ratio > 1.9 and few.verdict == "too few launches" and not few.fails


def test_noise_alone_is_not_slower():
    row = verdict.timed("a step", *made_up(1.05, noise=0.2))
    assert not row.fails and row.interval[0] < 1 < row.interval[1]


def test_the_interval_covers_the_ratio_as_often_as_it_says():
    """It covers about 90 % with six launches: with few, a bootstrap is a little too narrow."""
    covered = 0
    for seed in range(100):
        _, low, high = verdict.interval(*made_up(1.1, noise=0.02, seed=seed))
        covered += low < 1.1 < high
    assert 80 <= covered <= 99


def test_turns_of_one_launch_are_not_independent():
    """All turns of a launch share its memory layout, so more launches help, not more turns."""
    base = np.ones((2, 1000))
    here = np.concatenate([np.full((1, 1000), 0.9), np.full((1, 1000), 1.2)])
    _, low, high = verdict.interval(base, here)
    assert low == pytest.approx(0.9) and high == pytest.approx(1.2)


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Makes a repository with three commits."""
    if shutil.which("git") is None:
        pytest.skip("no git")
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for number in "123":
        (folder / "file").write_text(number)
        git(folder, "add", "file")
        git(folder, "commit", "--quiet", "--no-gpg-sign", "-m", number)
    return folder


def test_the_base_is_the_last_tag_or_the_commit_before(repository):
    first, second = git(repository, "rev-parse", "HEAD~2"), git(repository, "rev-parse", "HEAD~1")
    found = checkout.base(repository=repository)
    assert found == (second, "HEAD~1, because there is no tag")
    git(repository, "tag", "v1", "HEAD~2")
    git(repository, "tag", "v2", "HEAD")  # of this very commit
    assert checkout.base(repository=repository) == (first, "the last tag")
    assert checkout.base("v2", repository=repository).commit == git(repository, "rev-parse", "HEAD")
    with pytest.raises(checkout.CheckoutError, match="BASE: expected a commit.* got 'v3'"):
        checkout.base("v3", repository=repository)


def test_a_worktree_holds_the_commit_and_goes(repository):
    with checkout.worktree("HEAD~2", repository=repository) as tree:
        assert (tree / "file").read_text() == "1"
        (tree / "built").touch()
    assert not tree.exists() and len(git(repository, "worktree", "list").splitlines()) == 1


def test_a_tree_that_does_not_build_is_an_error(tmp_path):
    with pytest.raises(checkout.CheckoutError, match="building .* failed"):
        checkout.build(tmp_path)


def test_ops_are_counted_in_called_functions_too():
    @tf.function
    def inner(x):
        return tf.sin(x) * 2.0

    @tf.function
    def outer(x):
        return inner(x) + inner(x)

    x = tf.ones([])
    assert worker.count_ops(inner.get_concrete_function(x).graph) == 2
    assert worker.count_ops(outer.get_concrete_function(x).graph) == 5


def test_the_steps_of_the_worker_run(monkeypatch):
    """They run at the smallest size, with the ops that `bench grid` prints: 31 at most."""
    requests = worker.Requests(worker.SIZES["quick"])
    for step in worker.STEPS:
        ops = requests.answer("ops", step)
        assert ops > 10 and (ops <= 31 or step in ("tapas", "full softmax", "Keras fit"))
        assert requests.answer("seconds", step, 2) > 0
    assert requests.answer("where").startswith(str(HERE / "tf_sampled_compat"))


ECHO = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["step"] == "gone":
        sys.exit(3)
    reply = {"error": "no such step"} if request["step"] == "?" else {"answer": request}
    print(json.dumps(reply), flush=True)
"""


def test_a_worker_is_asked_and_its_errors_are_told():
    process = client.start([sys.executable, "-c", ECHO], {})
    request = {"what": "ops", "step": "nce"}
    assert client.ask(process, request) == request
    with pytest.raises(client.WorkerError, match="no such step"):
        client.ask(process, {"step": "?"})
    assert client.ask(process, request) == request
    with pytest.raises(client.WorkerError, match="ended with 3 at .*gone"):
        client.ask(process, {"step": "gone"})
    process.communicate()


@pytest.mark.parametrize(
    "counter, printed",
    [
        (instructions.by_valgrind, "==7== Collected : 1234\n==7=="),
        (instructions.by_perf, "a warning\n1234,,instructions:u,99,100.00,,"),
    ],
)
def test_instructions_are_read_from_what_the_tool_prints(counter, printed, tmp_path, monkeypatch):
    tool = tmp_path / counter.__name__.removeprefix("by_")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for text, fine in ((printed, True), ("<not supported>,,instructions:u,0,100.00,,", False)):
        tool.write_text(f"#!/bin/sh\necho '{text}' >&2\n")
        tool.chmod(0o755)
        with contextlib.nullcontext() if fine else pytest.raises(ValueError, match="nothing"):
            assert counter(["true"]) == 1234


def test_what_comes_before_the_first_repetition_does_not_count():
    def counter(command):
        return 1000 + 7 * int(command[-1])

    assert instructions.count(HERE, "nce", counter) == 7


class FakeWorker:
    """A worker with made-up figures; "here" has those of `worse`."""

    worse = {}

    def __init__(self, tree, size, *, counter=None):
        self.changes = self.worse if tree == HERE else {}

    def ask(self, what, step="", runs=1):
        if step == self.worse.get("new step") and not self.changes:
            raise client.WorkerError("no such step")
        figures = {"ops": 10, "seconds": 0.5, "bytes": {"bytes": 1e6, "bytes at once": 1e5}}
        return self.changes.get(what, figures[what])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def fakes(monkeypatch, tmp_path):
    """Runs the command on made-up figures; returns its exit code."""
    monkeypatch.setattr(checkout, "base", lambda name: checkout.Base("0" * 40, name or "a tag"))
    monkeypatch.setattr(checkout, "worktree", lambda commit: contextlib.nullcontext(tmp_path))
    monkeypatch.setattr(checkout, "build", lambda tree: None)
    monkeypatch.setattr(perf, "Worker", FakeWorker)
    monkeypatch.setattr(perf, "build_counter", lambda folder: tmp_path)
    monkeypatch.setattr(instructions, "counter", lambda: "a counter")
    monkeypatch.setattr(instructions, "build", lambda tree, source: tree)
    monkeypatch.setattr(instructions, "kernels", lambda program: ["plan"])

    def run(worse, *options):
        monkeypatch.setattr(FakeWorker, "worse", worse)
        of_kernel = {HERE: worse.get("instructions", 100)}
        monkeypatch.setattr(instructions, "count", lambda tree, *_: of_kernel.get(tree, 100))
        return perf.main(["--quick", "--launches", "5", *options])

    return run


@pytest.mark.parametrize(
    "worse, told",
    [
        ({}, None),
        ({"ops": 11}, "nce: ops GREW"),
        ({"ops": 9, "seconds": 0.4}, None),
        ({"seconds": 0.6}, "nce: ms SLOWER"),
        ({"bytes": {"bytes": 2e6, "bytes at once": 1e5}}, "nce: bytes GREW"),
        ({"bytes": {"bytes": 1e6, "bytes at once": 2e5}}, "nce: bytes at once GREW"),
        ({"instructions": 102}, "plan kernel: instructions GREW"),
        ({"new step": "nce"}, None),
    ],
    ids=json.dumps,
)
def test_the_command_fails_if_anything_is_slower(worse, told, fakes, capsys):
    assert fakes(worse) == (told is not None)
    printed = capsys.readouterr().out
    assert (told or "nothing is slower") in printed.splitlines()
    assert "base: 000000000000, a tag" in printed
    assert ("not in the base" in printed) == ("new step" in worse)


def test_a_wrong_base_is_an_error_without_a_traceback(monkeypatch, capsys):
    assert perf.main(["--base", "no such commit"]) == 1
    assert "BASE: expected a commit" in capsys.readouterr().err


def test_without_a_tool_the_rest_is_still_compared(fakes, monkeypatch, capsys):
    monkeypatch.setattr(instructions, "counter", lambda: None)
    monkeypatch.setattr(perf, "build_counter", lambda folder: None)
    assert fakes({}, "--steps", "nce") == 0
    printed = capsys.readouterr().out
    assert "instructions are not counted" in printed and "bytes are not counted" in printed
    assert "ms" in printed and "ops" in printed
