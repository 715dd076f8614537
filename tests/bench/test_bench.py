"""The bench, as a user runs it: what it writes and refuses. No test asserts a time."""

import itertools
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_sampled_compat import __main__ as commands
from tf_sampled_compat.bench import classes, diagnose, floor, fresh_process, memory, tapas, timing
from tf_sampled_compat.bench.steps import Shape
from tf_sampled_compat.bench.timing import Contender, Effort
from tf_sampled_compat.core.backends import library

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECTIONS = (
    "grid slices terms sampled tapas negatives classes memory full full_softmax keras samplers"
    " diagnose"
).split()
PNG = b"\x89PNG\r\n\x1a\n"

pytestmark = pytest.mark.skipif(library.missing() is not None, reason="no C++ op to measure")


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench") / "new" / "folder"
    process = subprocess.run(
        [sys.executable, "-m", "tf_sampled_compat", "bench", "--quick", "--output", str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert process.returncode == 0, process.stderr
    return process, folder, json.loads((folder / "bench.json").read_text())


def rows(record, section):
    return record["sections"][section]["rows"]


def test_quick_run_writes_the_figures_and_the_picture(quick):
    process, folder, record = quick
    assert sorted(path.name for path in folder.iterdir()) == ["bench.json", "bench.png"]
    assert (folder / "bench.png").read_bytes().startswith(PNG)
    assert (folder / "bench.png").stat().st_size > 20_000
    assert list(record["sections"]) == SECTIONS
    for name, section in record["sections"].items():
        assert section["rows"] and section["summary"], name
        assert section["title"][:40] in process.stdout
        assert all(key in process.stdout for key in section["summary"])
    assert "…" not in process.stdout, "a table is cut"


def test_it_says_where_and_how_it_measured(quick):
    process, _, record = quick
    machine = record["machine"]
    assert machine["tensorflow"] == tf.__version__ and machine["numpy"] == np.__version__
    assert machine["instruction_set"] in library.INSTRUCTION_SETS
    assert machine["threads"] >= 1 and machine["cpu"] in process.stdout
    assert "BLAS" in machine["floor_by"] or "blas" in machine["floor_by"]
    assert "bench --quick" in record["command"] and record["seconds"] > 0


def test_every_time_is_positive_and_every_ratio_is_that_of_its_times(quick):
    record = quick[2]
    for row in itertools.chain(*(rows(record, section) for section in SECTIONS)):
        times = {key: value for key, value in row.items() if key.endswith("_ms")}
        if times.get("without_ms", 0) is None:
            del times["without_ms"]  # Only a ranking with exclusions has it.
        assert all(0 < value < 1e5 for value in times.values())
        if "ratio" in row:
            other = times.get("stock_ms", times.get("composite_ms"))
            assert row["ratio"] == pytest.approx(other / row["ours_ms"])
        if "times_floor" in row:
            assert row["times_floor"] == pytest.approx(row["ours_ms"] / row["floor_ms"])
    grid = record["sections"]["grid"]
    ratios = [row["ratio"] for row in grid["rows"]]
    mean = grid["summary"]["geometric mean of the ratios"]
    assert mean == pytest.approx(np.prod(ratios) ** (1 / len(ratios)))
    assert grid["summary"]["the least of them"] == min(ratios)


def test_what_is_compared_computes_the_same(quick):
    differences = [row["difference"] for row in rows(quick[2], "grid") + rows(quick[2], "tapas")]
    known = [difference for difference in differences if difference is not None]
    assert len(known) > len(differences) / 2 and max(known) < 1e-5


def test_grid_holds_both_losses_with_fixed_and_drawn_candidates(quick):
    cells = {(row["loss"], row["candidates"]) for row in rows(quick[2], "grid")}
    assert cells == set(itertools.product(("softmax", "nce"), ("fixed", "drawn")))
    assert all(row["ours_ops"] < row["stock_ops"] for row in rows(quick[2], "grid"))


def test_memory_is_that_of_the_matrices(quick):
    (row,) = rows(quick[2], "memory")
    assert row["matrix_mib"] == 8
    assert 5 * 8 < row["stock_mib"] < 30 * 8, "TensorFlow builds about ten matrices"
    assert 0 < row["ours_mib"] < row["stock_mib"] / 2
    assert all(0 < row["ours_mib"] < 64 for row in rows(quick[2], "full"))


def test_exclusions_are_timed_beside_the_same_without(quick):
    excluding = [row for row in rows(quick[2], "full") if "less" in row["what"]]
    assert excluding and all(row["without_ms"] > 0 for row in excluding)
    for row in excluding:
        assert row["times_without"] == pytest.approx(row["ours_ms"] / row["without_ms"])
    others = [row for row in rows(quick[2], "full") if "less" not in row["what"]]
    assert others and all(row["times_without"] is None for row in others)


def test_what_diagnose_says_stands_beside_what_fit_takes(quick):
    found = {(row["fault"], row["of"]): row for row in rows(quick[2], "diagnose")}
    assert [of for _, of in found] == ["ms a step", "ms a step", "sampled loss", "exact loss"]
    for (fault, _), row in found.items():
        assert row["without"] > 0 and row["with"] > 0 and row["said_with"] > 0, row
        assert (row["said_without"] is None) == (fault == diagnose.OPTIMIZER)
    law = found[diagnose.LABELS, "sampled loss"]
    assert law["severity"] == "warning" and law["said_with"] < law["said_without"]
    assert law["with"] < law["without"], "the training loss looks better"


def test_only_the_chosen_sections_and_what_was_done_when_interrupted(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(classes, "measure", interrupted)
    options = f"bench --quick --repeats 1 classes tapas --output {tmp_path}".split()
    assert commands.main(options) == 130
    assert "stopped" in capsys.readouterr().out
    record = json.loads((tmp_path / "bench.json").read_text())
    assert list(record["sections"]) == ["tapas"]
    assert record["effort"] == {"quick": True, "repeats": 1, "seconds": 0}
    assert (tmp_path / "bench.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    "options, named",
    [
        (["grids"], "SECTION"),
        (["grid", "rid"], "'rid'"),
        (["--repeats", "0"], "--repeats"),
        (["--repeats", "many"], "--repeats"),
        (["--quicker"], "--quicker"),
    ],
)
def test_a_bad_option_is_named_before_anything_is_written(options, named, tmp_path, capsys):
    folder = tmp_path / "out"
    with pytest.raises(SystemExit) as stopped:
        commands.main(["bench", *options, "--output", str(folder)])
    assert stopped.value.code == 2 and named in capsys.readouterr().err
    assert not folder.exists()


def test_an_output_folder_that_cannot_be_made_is_a_bad_option(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as stopped:
        commands.main(["bench", "--output", str(tmp_path / "file" / "out")])
    assert stopped.value.code == 2 and "--output" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["rich", "matplotlib"])
def test_without_its_extra_it_says_what_to_install(missing, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, missing, None)
    assert commands.main(["bench", "--output", str(tmp_path / "out")]) == 1
    assert "tf_sampled_compat[bench]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_the_op_it_says_why(tmp_path, monkeypatch, capsys):
    def fail():
        raise library.LibraryError("there is no such file")

    monkeypatch.setattr(library, "load", fail)
    assert commands.main(["bench", "--output", str(tmp_path / "out")]) == 1
    assert "there is no such file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


class Stopwatch:
    """A clock that only contenders advance, and a log of their runs: (name, seconds)."""

    def __init__(self):
        self.now, self.runs = 0.0, []

    def contender(self, name, pace, fed=("fed",)):
        """Makes a contender: each run takes about `pace`, and a feed far longer than any run."""

        def run(*arguments):
            assert arguments == fed
            seconds = pace + len(self.runs) / 1000
            self.now += seconds
            self.runs.append((name, seconds))

        def feed():
            self.now += 100
            return fed

        return Contender(name, run, feed)

    def turns(self):
        """Returns the turns, (name, seconds of its runs): a turn is consecutive runs of a name."""
        groups = itertools.groupby(self.runs, key=lambda run: run[0])
        return [(name, [seconds for _, seconds in group]) for name, group in groups]


@pytest.fixture
def stopwatch(monkeypatch):
    watch = Stopwatch()
    monkeypatch.setattr(timing.time, "perf_counter", lambda: watch.now)
    return watch


def median_ms(turns, name):
    """Returns the median without the first run of each turn, which finds another's data cached."""
    times = [seconds for who, turn in turns if who == name for seconds in turn[1:]]
    return pytest.approx(1e3 * np.median(times))


def test_a_median_leaves_out_the_feeds_and_each_turns_first_run(stopwatch):
    contenders = [stopwatch.contender("a", 1), stopwatch.contender("b", 3)]
    ms = timing.medians(contenders, Effort(quick=True, repeats=6, seconds=0))
    measured = stopwatch.turns()[2:]  # The first two runs of each trace and allocate.
    assert ms == {name: median_ms(measured, name) for name in "ab"}


def test_contenders_take_turns(stopwatch):
    contenders = [stopwatch.contender("a", 1), stopwatch.contender("b", 3)]
    timing.medians(contenders, Effort(quick=True, repeats=6, seconds=0))
    measured = stopwatch.turns()[2:]
    assert [name for name, _ in measured] == ["a", "b"] * (len(measured) // 2)
    assert len(measured) >= 2 * 6 and len({len(turn) for _, turn in measured}) == 1


def test_a_slow_feed_takes_away_none_of_the_repeats(stopwatch):
    """The time is used up in the first turn, but each contender still gets its turns."""
    timing.medians([stopwatch.contender("a", 1)], Effort(quick=True, repeats=4, seconds=1))
    few = len(stopwatch.runs)
    stopwatch.runs.clear()
    timing.medians([stopwatch.contender("a", 1)], Effort(quick=True, repeats=8, seconds=1))
    assert len(stopwatch.runs) > few


def test_the_floor_is_the_fastest_way_and_runs_apart(stopwatch):
    """A BLAS keeps its threads spinning, so no contender's turn comes between two floors."""
    contenders = [stopwatch.contender("a", 1), stopwatch.contender("b", 3)]
    floors = [stopwatch.contender("floor 0", 5, fed=()), stopwatch.contender("floor 1", 0.25, ())]
    ms = timing.medians(contenders, Effort(quick=True, repeats=6, seconds=0), floors=floors)
    names = [name for name, _ in stopwatch.turns()]
    assert set(ms) == {"a", "b", "floor"} and ms["floor"] < min(ms["a"], ms["b"])
    followers = {after for name, after in zip(names, names[1:]) if name == "floor 0"}
    assert followers == {"floor 1"}
    assert "b" not in {after for name, after in zip(names, names[1:]) if "floor" in name}
    assert names.count("floor 1") >= 2, "the floor is measured more than once"


def without_openblas(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy_openblas32", None)


@pytest.mark.parametrize("bend", [lambda _: None, without_openblas], ids=["best", "numpy"])
def test_the_floor_multiplies_right(bend, monkeypatch):
    bend(monkeypatch)
    ways = floor.blas.__wrapped__().ways
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=size).astype(np.float32) for size in ((5, 7), (7, 3)))
    for way, turn_x, turn_y in itertools.product(ways, (False, True), (False, True)):
        a, b = (np.ascontiguousarray(m.T) if turn else m for m, turn in ((x, turn_x), (y, turn_y)))
        out = np.full((5, 3), np.nan, np.float32)
        way(floor.Product(a, b, out, turn_x, turn_y))
        np.testing.assert_allclose(out, x @ y, rtol=1e-5)


def test_the_floor_is_the_products_of_the_step(monkeypatch):
    products = []

    def record(p):
        depth = p.a.shape[0] if p.transpose_a else p.a.shape[1]
        assert depth == (p.b.shape[1] if p.transpose_b else p.b.shape[0])
        products.append((*p.out.shape, depth))

    monkeypatch.setattr(floor, "blas", lambda: floor.Blas("a recorder", [record]))
    three = [(6, 10, 4), (6, 4, 10), (10, 4, 6)]

    def done(contenders):
        products.clear()
        contenders[0].run()
        return list(products)

    assert done(floor.sampled_products(Shape(6, 4, 10))) == three
    tapas_shape = Shape(6, 4, 100, resampled=10)
    assert done(floor.tapas_products(tapas_shape)) == [(100, 6, 4), *three]
    assert done(floor.full_product(6, 4, 20, block=8)) == [(6, 8, 4), (6, 8, 4), (6, 4, 4)]
    assert done(floor.full_product(6, 4, 5, block=8)) == [(6, 5, 4)]
    monkeypatch.setattr(floor, "SCRATCH_BYTES", 6 * 10 * 4 - 1)
    assert done(floor.sampled_products(Shape(6, 4, 10))) == [*three, three[0]]


class Hungry:
    """A step that briefly holds this many bytes."""

    def __init__(self, mebibytes):
        self.mebibytes = mebibytes

    def __call__(self):
        np.ones(self.mebibytes * 2**20, np.uint8)

    def get_concrete_function(self):
        pass


def hungry(mebibytes):
    return Contender("small", Hungry(0)), Contender("large", Hungry(mebibytes))


def test_extra_memory_is_what_a_step_takes(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert 299 < fresh_process.extra_mib(hungry, mebibytes=300) < 330


def test_a_measuring_process_that_fails_is_an_error():
    with pytest.raises(RuntimeError, match="softmax.*failed"):
        fresh_process.extra_mib(memory.contenders, loss="softmax", how="?", shape=[8, 8, 8])


def test_the_full_size_has_the_shapes_of_the_targets():
    assert len(commands.COMMANDS) >= 2 and "bench" in commands.usage()
    sizes = [tuple(cell[:3]) for cell in tapas.cells(quick=False)]
    assert sizes == [(256, 64, 65536), (1024, 128, 65536)]
    assert {tuple(c.shape[:3]) for c in memory.cells(quick=False)} >= {(2048, 64, 16384)}
    assert {c.classes for c in diagnose.cells(quick=False)[:2]} == {500_000}
    assert all(list(c.classes) == [10**4, 10**5, 10**6, 10**7] for c in classes.cells(False))
