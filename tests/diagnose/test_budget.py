"""A diagnosis keeps to its time, and a measurement to its size. Work is counted, not time."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.diagnose.conftest import D, inputs, model_of, probing, zipf
from tests.keras.conftest import head_of
from tf_sampled_compat.diagnose import (
    agreement,
    candidates,
    logits,
    nonfinite,
    run,
    tables,
    work,
)
from tf_sampled_compat.diagnose import probe as steps
from tf_sampled_compat.diagnose.probe import Output
from tf_sampled_compat.diagnose.stopwatch import OutOfTime, Stopwatch
from tf_sampled_compat.diagnose.untouched import Untouched

C, N = 20_000, 64
X, Y = inputs(N), zipf(C, N)


class Working:
    """A clock that advances by a second with each piece of work."""

    def __init__(self, monkeypatch):
        self.seconds = 0
        trace, blocks = Untouched.trace, nonfinite._blocks

        def counted(function):
            def call(*arguments):
                self.seconds += 1
                return function(*arguments)

            return call

        monkeypatch.setattr(Untouched, "trace", lambda *a, **o: counted(trace(*a, **o)))
        monkeypatch.setattr(nonfinite, "_blocks", lambda v: map(counted, blocks(v)))
        step = tables._step_of_a_copy
        monkeypatch.setattr(tables, "_step_of_a_copy", lambda *a: counted(step(*a)))

    def __call__(self):
        return float(self.seconds)


def faulty(kerases):
    """A model in which every examination has something to measure."""
    head = {"kernel_regularizer": "l2"}
    return model_of(kerases, C, optimizer="adam", metrics=["accuracy"], head=head)


def examined(kerases, clock, seconds):
    return run.diagnose(
        kerases.keras,
        faulty(kerases),
        X,
        Y,
        batch_size=32,
        callbacks=(),
        seconds=seconds,
        stopwatch=Stopwatch(seconds, clock),
    )


@pytest.mark.parametrize("seconds", [1.5, 4, 8, 12, 20])
def test_no_work_begins_after_the_time_is_spent(kerases, seconds, monkeypatch):
    monkeypatch.setattr(work, "MOST_NUMBERS", 16 * 1000)  # The head's kernel is read in 20 blocks.
    clock = Working(monkeypatch)
    report = examined(kerases, clock, seconds)
    # One piece may have begun before; the first layer that is not finite is looked for at once.
    assert clock.seconds <= seconds + 1, str(report)
    assert [f for f in report.findings if f.severity == "unknown" or "not measured" in f.cost]


@pytest.mark.parametrize("examine", [candidates.findings, agreement.findings])
def test_draws_end_with_the_time(kerases, examine, monkeypatch):
    """Three of eight draws are made."""
    clock = Working(monkeypatch)
    with probing(kerases, model_of(kerases, C), X, Y) as probe:
        start = clock.seconds
        with pytest.raises(OutOfTime):
            examine(probe._replace(watch=Stopwatch(3, clock)))
        assert clock.seconds == start + 3


def test_no_table_is_copied_after_the_time_is_spent(kerases, monkeypatch):
    made = []
    monkeypatch.setattr(tables, "_step_of_a_copy", lambda *a: made.append(a))
    with probing(kerases, model_of(kerases, C), X, Y) as probe:
        with pytest.raises(OutOfTime):
            tables.optimizer(probe._replace(watch=Stopwatch(0, lambda: 0.0)))
    assert not made


def test_with_time_enough_all_is_measured(kerases, monkeypatch):
    report = examined(kerases, Working(monkeypatch), 1e9)
    assert not [f for f in report.findings if f.severity == "unknown"], str(report)


def test_weights_that_were_not_looked_at_are_not_called_finite(kerases, monkeypatch):
    monkeypatch.setattr(work, "MOST_NUMBERS", 16 * 1000)
    model = model_of(kerases, C)
    kernel, bias = head_of(model).get_weights()
    kernel[-1, -1] = np.nan
    head_of(model).set_weights([kernel, bias])
    clock = Working(monkeypatch)
    with probing(kerases, model, X, Y, Stopwatch(12, clock)) as probe:
        [finding] = nonfinite.findings(probe)
        assert finding.severity == "unknown" and "% of the weights are finite" in finding.seen
    clock.seconds = 0
    with probing(kerases, model, X, Y, Stopwatch(1e9, clock)) as probe:
        [finding] = nonfinite.findings(probe)
        assert finding.severity == "error" and "kernel" in finding.seen


def test_small_weights_are_looked_at_first(kerases, monkeypatch):
    monkeypatch.setattr(work, "MOST_NUMBERS", 16 * 1000)
    model = model_of(kerases, C)
    kernel, bias = model.get_layer("hidden").get_weights()
    model.get_layer("hidden").set_weights([kernel, bias * np.nan])
    with probing(kerases, model, X, Y, Stopwatch(4, Working(monkeypatch))) as probe:
        [finding] = nonfinite.findings(probe)
    assert finding.severity == "error" and "hidden" in finding.seen


@pytest.mark.parametrize("reader", ["metric", "loss"])
def test_a_matrix_of_logits_is_no_larger_than_allowed(kerases, reader, monkeypatch):
    """It is measured on a part of the batch, and the finding is about the whole of it."""
    monkeypatch.setattr(work, "MOST_LOGITS", 8 * C)
    made, step_of = [], steps.step_of

    def noted(probe, *extra):
        if extra or reader == "loss":  # A step that computes logits.
            made.append(probe.examples)
        return step_of(probe, *extra)

    for module in (steps, logits, nonfinite):
        monkeypatch.setattr(module, "step_of", noted)
    loss = kerases.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = (
        model_of(kerases, C, metrics=["accuracy"])
        if reader == "metric"
        else model_of(kerases, C, loss)
    )
    report = kerases.ours.diagnose(model, X, Y, batch_size=32, seconds=60, verbose=0)
    assert max(made) == 8, made
    assert "[32, 20000] matrix" in report["logits"].seen
    if reader == "metric":
        assert "measured on 8 examples" in report["logits"].cost
    else:
        assert "a step of 8 examples" in report["NaN"].seen


def test_what_a_part_takes_is_that_of_the_batch(kerases, told, monkeypatch):
    """Logits of 8 of 32 examples take 30 ms, so those of all take 120 ms."""
    monkeypatch.setattr(work, "MOST_LOGITS", 8 * C)
    model = model_of(kerases, C, metrics=["accuracy"])
    watch = told(step=0.015, step_of_a_part=0.010, step_of_a_part_with_logits=0.040)
    with probing(kerases, model, X, Y, watch) as probe:
        [finding] = logits.findings(probe._replace(step_seconds=0.015))
    assert finding.figures == pytest.approx({"step_ms": 15.0, "step_with_logits_ms": 135.0})


def test_a_step_of_a_loss_that_reads_logits_is_that_of_the_batch(kerases, told, monkeypatch):
    """8 examples take 50 ms and 4 take 30 ms, so 32 take 170 ms."""
    monkeypatch.setattr(work, "MOST_LOGITS", 8 * C)
    loss = kerases.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    watch = told(step=0.050, step_of_half=0.030)
    with probing(kerases, model_of(kerases, C, loss), X, Y, watch) as probe:
        assert run._step_seconds(probe) == pytest.approx(0.170)


def test_the_exact_loss_is_of_a_bounded_number_of_rows(kerases, monkeypatch):
    monkeypatch.setattr(work, "MOST_PRODUCTS", 8 * C * 16)
    rows, values = {True: [], False: []}, Output.values

    def noted(self, inputs, training):
        rows[training].append(int(inputs.shape[0]))
        return values(self, inputs, training)

    monkeypatch.setattr(Output, "values", noted)
    with probing(kerases, model_of(kerases, C), X, Y) as probe:
        [finding] = agreement.findings(probe)
    assert finding.figures and rows == {True: [8], False: [8]}


def test_in_batch_candidates_are_those_of_the_whole_batch(kerases, monkeypatch):
    monkeypatch.setattr(work, "MOST_PRODUCTS", 8 * C * 16)
    rows, values = {}, Output.values

    def noted(self, inputs, training):
        rows[training] = int(inputs.shape[0])
        return values(self, inputs, training)

    monkeypatch.setattr(Output, "values", noted)
    sampler = tsc.random.InBatchSampler(np.ones(C))
    loss = kerases.ours.losses.SampledSoftmax(32, sampler=sampler, exclude_true=True)
    with probing(kerases, model_of(kerases, C, loss), X, Y) as probe:
        [finding] = agreement.findings(probe)
    assert finding.figures and rows == {True: 32, False: 8}


def test_a_large_batch_does_not_enlarge_the_copy_of_a_table(kerases, grown, monkeypatch):
    """2,000 rows or so are touched, and the copy has 4,000: a fourth of them are."""
    monkeypatch.setattr(work, "MOST_NUMBERS", 16 * 4000)
    copied, step = [], tables._step_of_a_copy

    def noted(probe, optimizer, rows, dim, touched):
        copied.append((rows, touched))
        return step(probe, optimizer, rows, dim, touched)

    monkeypatch.setattr(tables, "_step_of_a_copy", noted)
    loss = kerases.ours.losses.SampledSoftmax(1968)
    model = model_of(kerases, C, loss, optimizer="adam")
    with probing(kerases, model, X, Y, grown(by_row=1e-5)) as probe:
        [finding] = tables.optimizer(probe)
    assert copied == [(1000, 1000), (4000, 1000)]
    # The walk as before; the rows of the batch take 11 ms for 1,000, and there are 2,000.
    assert finding.figures == pytest.approx({"update_ms": 212.0, "walk_ms": 200.0})


def test_reading_a_slow_data_set_ends_in_time(kerases, monkeypatch):
    clock = Working(monkeypatch)

    def batches():
        for n in range(0, N, 4):
            clock.seconds += 1
            yield X[n : n + 4], Y[n : n + 4]

    spec = (tf.TensorSpec([None, D]), tf.TensorSpec([None], tf.int64))
    data = tf.data.Dataset.from_generator(batches, output_signature=spec)
    with probing(kerases, model_of(kerases), data, None, Stopwatch(20, clock)) as probe:
        assert 0 < probe.data.seen.rows <= 6 * 4, "a fourth of the time"
