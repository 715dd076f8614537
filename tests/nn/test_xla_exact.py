"""The exact losses under XLA, which asserts nothing: a label out of range has a NaN loss."""

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc


@pytest.mark.parametrize("bad", [50, -1])
@pytest.mark.parametrize("loss", ["full_softmax_loss", "full_sigmoid_loss"])
def test_a_label_out_of_range_is_nan_for_its_row_alone(loss, bad):
    function = tf.function(getattr(tsc.nn, loss), jit_compile=True)
    labels = tf.constant([[3], [bad], [7]], tf.int64)
    value = function(tf.ones([50, 4]), tf.zeros([50]), labels, tf.ones([3, 4]))
    np.testing.assert_array_equal(np.isnan(value), [False, True, False])
