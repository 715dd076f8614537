"""Each loss's default sampler has one name, in core; the public signatures repeat it."""

import inspect

import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat.core.samplers import default
from tf_sampled_compat.keras_common import losses

CLASSES = [
    (losses.SampledSoftmax, default.FOR_SAMPLED_LOSSES),
    (losses.NCE, default.FOR_SAMPLED_LOSSES),
    (losses.SampledSparseSoftmax, default.FOR_SAMPLED_LOSSES),
    (losses.RankSampledSoftmax, default.FOR_TAPAS),
]
ARGUMENTS = (tf.ones([50, 4]), tf.zeros([50]), [[3]], tf.ones([1, 4]))
FUNCTIONS = [
    (tsc.nn.sampled_softmax_loss, {}, "LogUniform"),
    (tsc.nn.nce_loss, {}, "LogUniform"),
    (tsc.nn.sampled_sparse_softmax_loss, {}, "LogUniform"),
    (tsc.nn.rank_sampled_softmax_loss, {"num_resampled": 5}, "LearnedUnigram"),
]


@pytest.mark.parametrize("loss, name", CLASSES)
def test_the_keras_losses_default(loss, name):
    assert inspect.signature(loss.__init__).parameters["sampler"].default == name


@pytest.mark.parametrize("loss, more, op", FUNCTIONS)
def test_the_functions_default(loss, more, op):
    def call():
        return loss(*ARGUMENTS, num_sampled=10, num_classes=50, **more)

    ops = tf.function(call).get_concrete_function().graph.get_operations()
    assert [o.type for o in ops if o.type.endswith("CandidateSampler")] == [f"{op}CandidateSampler"]


def test_every_name_is_a_sampler():
    unigrams = {"fixed_unigram": {"unigrams": [1.0] * 50}}
    for name, sampler in default.BY_NAME.items():
        values = sampler([[3]], 1, 5, True, 50, seed=1, **unigrams.get(name, {}))
        assert values[0].shape == [5], name
