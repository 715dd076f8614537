"""Real clusters of ParameterServerStrategy: two workers in CI, four in `make nightly`.

One cluster runs all checks of a test file's list, because to start one takes longer than most.
"""

import importlib.util
import re

import numpy as np
import pytest
import tensorflow as tf

from tests.distribute.running import on_cluster, value_of

KERASES = ["keras"] + ["tf_keras"] * (importlib.util.find_spec("tf_keras") is not None)
HOT_ROWS = [
    *[(keras, kind) for keras in KERASES for kind in ("SGD", "Momentum", "Adagrad", "Adam")],
    ("keras", "AMSGrad"),
    ("v1", "Adam"),
]
CHECKS = [
    *[f"hot_row.moved {keras} {kind}" for keras, kind in HOT_ROWS],
    *[f"heads.trained {keras}" for keras in KERASES],
    *[f"mistakes.made {keras}" for keras in KERASES],
    "learned.draws",
    "learned.refusals",
]


@pytest.fixture(
    scope="module",
    params=[2, pytest.param(4, marks=pytest.mark.nightly)],
    ids=["two workers", "four workers"],
)
def cluster(request, tmp_path_factory):
    """Returns the number of workers, and the outcome of each check."""
    return request.param, on_cluster(
        tmp_path_factory.mktemp("cluster"), CHECKS, workers=request.param
    )


@pytest.mark.parametrize(("keras", "kind"), HOT_ROWS)
def test_600_asynchronous_steps_on_one_row_lose_nothing(cluster, keras, kind):
    """Each step has the gradient 1. What is a sum is exact; docs/sharding.md bounds the rest."""
    workers, outcomes = cluster
    found = value_of(outcomes[f"hot_row.moved {keras} {kind}"])
    assert found["iterations"] in (600, None)
    row, slots = np.array(found["row"]), np.array(found["slots"])
    if kind == "SGD":
        np.testing.assert_array_equal(row, -600)
    elif kind == "Momentum":
        # w + μ / (1 - μ) m is a sum.
        np.testing.assert_allclose(row + 9 * slots[0], -6000, rtol=1e-5)
        np.testing.assert_allclose(slots[0], -10, rtol=1e-3)
    elif kind == "Adagrad":
        np.testing.assert_array_equal(slots[0], 600)
        # Each other worker can be missing in the sum of a step: they move w too far, by one step.
        alone = -np.sum(1 / np.sqrt(np.arange(1, 601)))
        assert (row <= alone + 1e-3).all() and (row >= alone - (workers - 1)).all()
    else:
        np.testing.assert_allclose(slots[0], 1, atol=1e-3)
        np.testing.assert_allclose(slots[1], 1 - 0.999**600, rtol=1e-2)
        np.testing.assert_allclose(row, -600, atol=6 * (workers - 1))


@pytest.mark.parametrize("keras", KERASES)
def test_a_sharded_head_trains_as_a_whole_one(cluster, keras):
    whole, sharded = value_of(cluster[1][f"heads.trained {keras}"])
    assert (whole["shards"], sharded["shards"]) == (1, 2)
    assert whole["losses"][0] != whole["losses"][1]
    np.testing.assert_allclose(sharded["losses"], whole["losses"], rtol=2e-5)
    np.testing.assert_allclose(sharded["table"], whole["table"], rtol=2e-5, atol=2e-5)


def test_no_two_workers_make_the_same_draw(cluster):
    found = value_of(cluster[1]["learned.draws"])
    assert found == {"distinct": 200, "step": 200, "count": 201}


def test_what_workers_cannot_do_is_refused(cluster):
    decay, *seeds = value_of(cluster[1]["learned.refusals"])
    assert "decay: expected None under a ParameterServerStrategy" in decay
    for each in seeds:
        assert "seed: expected None under a ParameterServerStrategy" in each


MISTAKES = {
    "whole": "trainable_variables: expected the shards of a ShardedVariable.*: variable.variables",
    "built whole": "trainable_variables: expected the shards of a ShardedVariable",
    "outside of run": "apply_gradients: expected a call in a function that strategy.run runs",
}
OF_KERAS_3 = {
    "unnamed": "no error",
    "built whole": "variable.value.variables, got the ShardedVariable 'kernel'",
    "accumulation": "gradient_accumulation_steps: expected None in a function that strategy.run",
}
OF_KERAS_2 = {"unnamed": "var_list: expected shards of a variable with a name.*'Variable:0'"}


@pytest.mark.parametrize("keras", KERASES)
def test_mistakes_have_errors_that_say_what_to_do(cluster, keras):
    found = value_of(cluster[1][f"mistakes.made {keras}"])
    is_keras3 = keras == "keras" and hasattr(tf.keras.optimizers.Optimizer, "stateless_apply")
    for name, expected in {**MISTAKES, **(OF_KERAS_3 if is_keras3 else OF_KERAS_2)}.items():
        assert re.search(expected, found[name]), f"{name}: {found[name]}"
