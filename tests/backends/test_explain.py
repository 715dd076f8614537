"""`tsc.explain` reports for each call which implementation computes it, and why."""

import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tests.problems import problem

P = problem(C=50, D=6, B=4, T=1)


def loss(inputs=None, **options):
    return tsc.nn.nce_loss(
        P.weights, P.biases, P.labels, P.inputs if inputs is None else inputs, 5, 50, **options
    )


def reasons(calls):
    return [(call.implementation, call.reason) for call in calls]


def test_each_call_is_told_in_order():
    with tsc.explain() as calls:
        loss()
        tsc.nn.full_softmax_loss(P.weights, P.biases, P.labels, P.inputs)
        tsc.nn.full_top_k(P.weights, P.biases, P.inputs, k=2)
    assert [call.function for call in calls] == ["nce_loss", "full_softmax_loss", "full_top_k"]
    assert str(calls).splitlines()[0].startswith("nce_loss: fused: the C++ op supports")


def test_who_asked_is_told(monkeypatch):
    with tsc.explain() as calls:
        loss(implementation="composite")
        with tsc.implementation("composite"):
            loss()
        monkeypatch.setenv("TF_SAMPLED_COMPAT_IMPLEMENTATION", "composite")
        loss()
    assert [call.implementation for call in calls] == ["composite"] * 3
    argument, block, environment = (call.reason for call in calls)
    assert "the argument implementation='composite'" in argument
    assert "tsc.implementation('composite')" in block
    assert "the environment variable TF_SAMPLED_COMPAT_IMPLEMENTATION" in environment


def test_an_obstacle_is_told():
    with tsc.explain() as calls:
        loss(sampled_values=([1, 2, 3, 4, 5], 1.0, tf.ones([4, 5])))
        tf.function(loss, jit_compile=True)()
    assert [call.implementation for call in calls] == ["composite"] * 2
    assert "row to row" in calls[0].reason and "XLA" in calls[1].reason


def test_a_function_is_told_of_once_when_it_is_traced():
    function = tf.function(loss)
    with tsc.explain() as calls:
        function()
        function()
    assert len(calls) == 1


def test_contexts_nest_and_end():
    with tsc.explain() as outer:
        with tsc.explain() as inner:
            loss()
        loss()
    loss()
    assert (len(outer), len(inner)) == (2, 1)
    with pytest.raises(ValueError), tsc.explain() as failed:
        loss(implementation="quick")
    assert failed == [] and str(failed) == "no call yet"
