"""What walks a whole table: a dense optimizer, a regularizer, a constraint."""

import pytest

from tests.diagnose.conftest import inputs, model_of, probing, zipf
from tf_sampled_compat.diagnose import tables, work

C = 20_000
X, Y = inputs(64), zipf(C, 64)


def test_an_optimizer_that_walks_the_table(kerases, grown):
    model = model_of(kerases, C, optimizer="adam")
    with probing(kerases, model, X, Y, grown(by_row=1e-5)) as probe:
        [finding] = tables.optimizer(probe)
    assert finding.severity == "warning" and "Adam updates all 20000 rows" in finding.seen
    assert "201 ms" in finding.cost and "200 ms of it" in finding.cost
    assert f"tsc.{kerases.name}.optimizers.LazyAdam" in finding.way_out
    assert finding.figures == pytest.approx({"update_ms": 201.0, "walk_ms": 200.0})


def test_an_optimizer_that_updates_rows(kerases, grown):
    model = model_of(kerases, C, optimizer=kerases.ours.optimizers.LazyAdam())
    with probing(kerases, model, X, Y, grown(by_row=0.0)) as probe:
        [finding] = tables.optimizer(probe)
    assert finding.severity == "ok" and "the rows of the batch alone" in finding.seen


def test_a_large_table_is_measured_in_part(kerases, grown, monkeypatch):
    monkeypatch.setattr(work, "MOST_NUMBERS", 16 * 4096)
    model = model_of(kerases, C, optimizer="adam")
    with probing(kerases, model, X, Y, grown(by_row=1e-5)) as probe:
        [finding] = tables.optimizer(probe)
    assert "measured on 4096 rows" in finding.cost
    assert finding.figures == pytest.approx({"update_ms": 201.0, "walk_ms": 200.0})


def test_a_small_table_is_not_measured(kerases, told):
    with probing(kerases, model_of(kerases, optimizer="adam"), X, Y % 500, told()) as probe:
        [finding] = tables.optimizer(probe)
    assert finding.severity == "ok"


@pytest.mark.parametrize("kind, value", [("regularizer", "l2"), ("constraint", "unit_norm")])
def test_a_regularizer_or_constraint(kerases, told, kind, value):
    model = model_of(kerases, C, head={f"kernel_{kind}": value})
    with probing(kerases, model, X, Y, told(**{kind: 0.042})) as probe:
        [finding] = tables.regularizers(probe)
    assert finding.severity == "warning" and "20000 rows" in finding.seen
    assert kind in finding.seen and "42 ms" in finding.cost
    assert finding.figures == pytest.approx({f"{kind}_ms": 42.0})


def test_an_embedding_and_a_tied_head_count_once(kerases, told):
    keras = kerases.keras
    words = keras.layers.Embedding(C, 16, embeddings_regularizer="l2")
    x = keras.Input([], dtype="int64")
    head = kerases.ours.layers.SampledDense(C, kernel=words)
    model = keras.Model(x, head(words(x)))
    model.compile("sgd", kerases.ours.losses.SampledSoftmax(64))
    with probing(kerases, model, Y, Y, told(regularizer=0.042)) as probe:
        [finding] = tables.regularizers(probe)
    assert "embeddings" in finding.seen


def test_no_regularizer(kerases, told):
    with probing(kerases, model_of(kerases, C), X, Y, told()) as probe:
        [finding] = tables.regularizers(probe)
    assert finding.severity == "ok"


def test_a_walk_that_hardly_shows_is_no_fault(kerases, grown):
    """0.4 ms of the 1.4 ms of an update; most of it does not depend on the table."""
    model = model_of(kerases, C, optimizer="adam")
    with probing(kerases, model, X, Y, grown(by_row=2e-8)) as probe:
        [finding] = tables.optimizer(probe)
    assert finding.severity == "ok"


def test_a_table_that_is_not_trained(kerases, grown):
    keras = kerases.keras
    words = keras.layers.Embedding(C, 16, trainable=False, name="frozen")
    x = keras.Input([], dtype="int64")
    model = keras.Model(x, kerases.ours.layers.SampledDense(C, name="head")(words(x)))
    model.compile("adam", kerases.ours.losses.SampledSoftmax(64))
    with probing(kerases, model, Y, Y, grown(by_row=1e-5)) as probe:
        [finding] = tables.optimizer(probe)
    assert "head" in finding.seen


def test_a_walk_of_a_large_table_is_measured_in_part(kerases, told, monkeypatch):
    monkeypatch.setattr(work, "MOST_NUMBERS", 16 * 5000)
    model = model_of(kerases, C, head={"kernel_regularizer": "l2"})
    with probing(kerases, model, X, Y, told(regularizer=0.01)) as probe:
        [finding] = tables.regularizers(probe)
    assert finding.figures == pytest.approx({"regularizer_ms": 40.0})
    assert "measured on 5000 rows" in finding.cost


def test_an_optimizer_that_scales_losses(kerases, grown):
    kerases.keras.mixed_precision.set_global_policy("mixed_float16")
    model = model_of(kerases, C, optimizer="adam")
    with probing(kerases, model, X, Y, grown(by_row=1e-5)) as probe:
        [finding] = tables.optimizer(probe)
    assert "Adam updates all 20000 rows" in finding.seen and "LazyAdam" in finding.way_out
