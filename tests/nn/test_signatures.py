"""Compares our signatures with the installed TensorFlow's and with records of 0.12.1 and 1.15.5."""

import inspect
import json
import pathlib

import pytest
import tensorflow as tf

import tf_sampled_compat as tsc

RECORDS = json.loads((pathlib.Path(__file__).parents[2] / "golden" / "signatures.json").read_text())
LOSSES = ("sampled_softmax_loss", "nce_loss")
CONTRIB_LOSSES = ("sampled_sparse_softmax_loss", "rank_sampled_softmax_loss")
SAMPLERS = tuple(
    f"{kind}_candidate_sampler"
    for kind in ("all", "fixed_unigram", "learned_unigram", "log_uniform", "uniform")
)

# Arguments that tsc.nn adds: keyword-only, so that they cannot collide with TensorFlow's new ones.
ALL_EXTRAS = {
    "implementation": None, "sampler": None, "padding_label": None, "exclude_true": False,
    "temperature": None, "normalize": False, "margin": None, "label_weights": None,
    "label_smoothing": 0.0,
}  # fmt: skip
NN_EXTRAS = {
    "sampled_softmax_loss": {"partition_strategy": "div", **ALL_EXTRAS, "z_loss": 0.0},
    "nce_loss": {"partition_strategy": "div", "seed": None, **ALL_EXTRAS},
}

TERMS = (
    "temperature=None, normalize=False, margin=None, label_weights=None, label_smoothing=0.0, "
    "z_loss=0.0"
)
# The two losses that TensorFlow 2 lacks: a design decision, not a record.
NN_ONLY = {
    "sampled_sparse_softmax_loss": (
        "weights, biases, labels, inputs, num_sampled, num_classes, sampled_values=None, "
        "remove_accidental_hits=True, partition_strategy='mod', "
        "name='sampled_sparse_softmax_loss', *, seed=None, implementation=None, "
        "sampler=None, padding_label=None, exclude_true=False, " + TERMS
    ),
    "rank_sampled_softmax_loss": (
        "weights, biases, labels, inputs, num_sampled, num_resampled, num_classes, num_true=1, "
        "sampled_values=None, resampling_temperature=1.0, remove_accidental_hits=True, "
        "partition_strategy='div', name='rank_sampled_softmax_loss', *, seed=None, "
        "implementation=None, sampler=None, padding_label=None, exclude_true=False, " + TERMS
    ),
}


def positional(function):
    """Returns [(name, default)] of the positional arguments."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    return [
        (parameter.name, _default(parameter.default))
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in kinds
    ]


def keyword_only(function):
    """Returns {name: default} of the keyword-only arguments."""
    return {
        parameter.name: _default(parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind == inspect.Parameter.KEYWORD_ONLY
    }


def takes_anything(function):
    """Returns True for a function with *args or **kwargs."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(p.kind in kinds for p in inspect.signature(function).parameters.values())


def recorded(version, name):
    """Returns [(name, default)] as recorded inside an old TensorFlow."""
    args, defaults, varargs, keywords = RECORDS[version][name]
    assert varargs is None and keywords is None
    return [(arg, _default(defaults.get(arg, inspect.Parameter.empty))) for arg in args]


def _default(value):
    """Makes an empty list equal to an empty tuple, which is the safer default."""
    return () if isinstance(value, list) and not value else value


def assert_same(ours, expected, extras=()):
    """Fails unless names, order and defaults are equal and only the extras are added."""
    assert positional(ours) == expected
    assert keyword_only(ours) == dict(extras)
    assert not takes_anything(ours)


def public_samplers(namespace):
    """Returns the names of a namespace's samplers."""
    return {
        name
        for name in dir(namespace)
        if name.endswith("_candidate_sampler") or name == "compute_accidental_hits"
    }


LIVE = [
    *[(tsc.nn, tf.nn, name) for name in LOSSES],
    *[(tsc.nn, tf.nn, name) for name in sorted(public_samplers(tf.nn))],
    *[(tsc.random, tf.random, name) for name in SAMPLERS],
    *[(tsc.compat.v1.nn, tf.compat.v1.nn, name) for name in LOSSES],
    *[(tsc.compat.v1.nn, tf.compat.v1.nn, name) for name in SAMPLERS],
    (tsc.compat.v1.nn, tf.compat.v1.nn, "compute_accidental_hits"),
    # The same functions, under the path that TF 1.13 moved them to.
    *[(tsc.compat.v1.nn, tf.compat.v1.random, name) for name in SAMPLERS],
]


@pytest.mark.parametrize(
    ("ours", "theirs", "name"),
    [pytest.param(*row, id=f"{row[1].__name__.split('.', 2)[-1]}-{row[2]}") for row in LIVE],
)
def test_live_tensorflow(ours, theirs, name):
    extras = NN_EXTRAS.get(name, {}) if ours is tsc.nn else {}
    assert_same(getattr(ours, name), positional(getattr(theirs, name)), extras)


@pytest.mark.parametrize("name", [*LOSSES, *SAMPLERS, "compute_accidental_hits"])
@pytest.mark.parametrize("version", ["0.12.1", "1.15.5"])
def test_recorded_tensorflow(version, name):
    namespace = {"0.12.1": tsc.compat.v0.nn, "1.15.5": tsc.compat.v1.nn}[version]
    assert_same(getattr(namespace, name), recorded(version, f"nn.{name}"))


CONTRIB = [path.split(".")[-1] for path in RECORDS["1.15.5"] if path.startswith("contrib.nn.")]


def test_contrib_is_whole():
    assert set(tsc.contrib.nn.__all__) == set(CONTRIB) and len(CONTRIB) == 9


@pytest.mark.parametrize("name", CONTRIB)
def test_recorded_contrib(name):
    assert_same(getattr(tsc.contrib.nn, name), recorded("1.15.5", f"contrib.nn.{name}"))


@pytest.mark.parametrize("name", CONTRIB_LOSSES)
def test_contrib_losses_in_nn(name):
    scope = {}
    exec(f"def expected({NN_ONLY[name]}): ...", scope)
    ours, expected = getattr(tsc.nn, name), scope["expected"]
    assert_same(ours, positional(expected), keyword_only(expected))


def test_no_sampling_name_of_tensorflow_is_missing():
    assert public_samplers(tsc.nn) >= public_samplers(tf.nn)
    assert public_samplers(tsc.random) >= public_samplers(tf.random)
    assert public_samplers(tsc.compat.v1.nn) >= public_samplers(tf.compat.v1.nn)
    in_0_12 = {name.split(".")[-1] for name in RECORDS["0.12.1"]}
    assert public_samplers(tsc.compat.v0.nn) >= in_0_12 - set(LOSSES)


@pytest.mark.skipif(tf.__version__ != "2.21.0", reason="the record is of TensorFlow 2.21.0")
def test_records_are_those_of_the_recorder():
    """The recorder that ran in the old versions reads the same as `inspect.signature`."""
    modules = {
        "nn": tf.nn,
        "random": tf.random,
        "compat.v1.nn": tf.compat.v1.nn,
        "compat.v1.random": tf.compat.v1.random,
    }
    for path in RECORDS["2.21.0"]:
        module, name = path.rsplit(".", 1)
        assert recorded("2.21.0", path) == positional(getattr(modules[module], name)), path


@pytest.mark.parametrize("namespace", [tsc.nn, tsc.compat.v1.nn, tsc.compat.v0.nn, tsc.contrib.nn])
def test_every_public_name_is_documented(namespace):
    for name in namespace.__all__:
        assert inspect.getdoc(getattr(namespace, name)), f"{namespace.__name__}.{name}"
