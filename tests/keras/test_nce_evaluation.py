"""NCE can be evaluated with the softmax loss, to be compared with other models."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.keras.conftest import C, exact_softmax


@pytest.mark.parametrize("evaluate_as", [None, "sigmoid", "softmax"])
def test_values(kerases, batch, evaluate_as):
    """In evaluation the value is that of the softmax loss, in training that of NCE."""
    x, y = batch
    options = {} if evaluate_as is None else {"evaluate_as": evaluate_as}
    drawn = tsc.random.uniform_candidate_sampler(y[:, None], 1, 9, True, C, seed=3)
    loss = kerases.ours.losses.NCE(9, sampler=lambda *sizes, seed: drawn, **options)
    head = kerases.ours.layers.SampledDense(C)
    model = kerases.keras.Sequential([head])
    model.compile("sgd", loss)
    got = model.evaluate(x, y, batch_size=20, verbose=0)
    of_sigmoid = tsc.nn.full_sigmoid_loss(head.kernel, head.bias, y[:, None], x)
    want = exact_softmax(model, x, y) if evaluate_as == "softmax" else of_sigmoid
    np.testing.assert_allclose(got, np.mean(want), rtol=1e-5)
    trained = tsc.nn.nce_loss(head.kernel, head.bias, y[:, None], x, 9, C, sampled_values=drawn)
    got = loss(y, head(tf.constant(x), training=True))
    np.testing.assert_allclose(got, np.mean(trained), rtol=1e-5)


def test_config(kerases):
    loss = kerases.ours.losses.NCE(9, evaluate_as="softmax")
    assert type(loss).from_config(loss.get_config()).evaluate_as == "softmax"
    config = {k: v for k, v in loss.get_config().items() if k != "evaluate_as"}
    assert type(loss).from_config(config).evaluate_as == "sigmoid"  # An old file.
    with pytest.raises(ValueError, match="evaluate_as: expected 'sigmoid' or 'softmax', got 'ce'"):
        kerases.ours.losses.NCE(9, evaluate_as="ce")
