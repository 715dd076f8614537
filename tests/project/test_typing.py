"""Editors show the public names' signatures, and a type checker finds wrong calls of them."""

import inspect
import json
import pathlib
import subprocess
import sys

import pytest

import tf_sampled_compat as tsc

jedi = pytest.importorskip("jedi")
ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMESPACES = [
    "nn", "random", "compat.v1.nn", "compat.v1.train", "compat.v0.nn", "contrib.nn",
    *(f"{keras}.{page}" for keras in ("keras", "tf_keras")
      for page in ("layers", "losses", "metrics", "optimizers")),
]  # fmt: skip
# An optimizer's constructor is Keras's, whose parameters differ between releases.
OPTIMIZER = {"learning_rate", "weight_decay", "clipnorm", "use_ema", "name"}


def resolve(dotted):
    value = tsc
    for part in dotted.split("."):
        value = getattr(value, part)
    return value


def public():
    for name in tsc.__all__:
        if inspect.isroutine(getattr(tsc, name)) or inspect.isclass(getattr(tsc, name)):
            yield name
    for namespace in NAMESPACES:
        if namespace.startswith("tf_keras"):
            pytest.importorskip("tf_keras")
        for name in resolve(namespace).__all__:
            if callable(getattr(resolve(namespace), name)):
                yield f"{namespace}.{name}"


def test_an_editor_shows_every_signature():
    project = jedi.Project(str(ROOT), environment_path=str(sys.prefix))
    for dotted in public():
        script = jedi.Script(f"import tf_sampled_compat as tsc\ntsc.{dotted}(", project=project)
        signatures = script.get_signatures()
        assert signatures, dotted
        shown = [parameter.name for parameter in signatures[0].params]
        if ".optimizers." in dotted:
            assert set(shown) >= OPTIMIZER, dotted
        else:
            assert shown == list(inspect.signature(resolve(dotted)).parameters), dotted


# (rule, call): the rule that the checker reports, or None if the call is correct.
CALLS = [
    (None, "tsc.keras.losses.SampledSoftmax(64)"),
    (None, 'tsc.keras.losses.NCE(num_sampled=64, num_true=2, reduction="sum")'),
    (None, "tsc.keras.losses.RankSampledSoftmax(64, 32, resampling_temperature=0.5)"),
    (None, "tsc.tf_keras.layers.SampledDense(1000, use_bias=False)"),
    (None, "tsc.keras.metrics.ExactRecallAtK(k=10)"),
    (None, "tsc.keras.optimizers.LazyAdam(learning_rate=0.1, global_clipnorm=1.0)"),
    (None, "tsc.nn.sampled_softmax_loss([[1.0]], [0.0], [[0]], [[1.0]], 1, 1)"),
    ("reportCallIssue", "tsc.keras.losses.SampledSoftmax(num_smpled=64)"),
    ("reportCallIssue", "tsc.tf_keras.losses.SampledSoftmax(num_smpled=64)"),
    ("reportCallIssue", "tsc.keras.layers.SampledDense()"),
    ("reportArgumentType", 'tsc.keras.losses.SampledSoftmax(num_sampled="64")'),
    ("reportArgumentType", 'tsc.tf_keras.losses.NCE(num_sampled="64")'),
    ("reportArgumentType", "tsc.keras.metrics.ExactRecallAtK(k=None)"),
    ("reportArgumentType", 'tsc.nn.nce_loss([[1.0]], [0.0], [[0]], [[1.0]], "1", 1)'),
    ("reportArgumentType", "tsc.nn.sampled_softmax_loss([[1.0]], [0.0], [[0]], [[1.0]], 0.5, 1)"),
    ("reportAttributeAccessIssue", "tsc.keras.losses.SampledSoftMax(64)"),
]


def test_the_type_checker_passes_right_calls_and_flags_wrong_ones(tmp_path):
    pytest.importorskip("basedpyright")
    calls = ["import tf_sampled_compat as tsc", *(call for _, call in CALLS)]
    (tmp_path / "calls.py").write_text("\n".join(calls))
    config = {
        "include": ["calls.py"],
        "stubPath": str(ROOT / "typings"),
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "standard",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--project", str(tmp_path)]
    output = subprocess.run(command, capture_output=True, text=True, timeout=300).stdout
    found = [
        (diagnostic["range"]["start"]["line"], diagnostic["rule"])
        for diagnostic in json.loads(output)["generalDiagnostics"]
    ]
    assert found == [(line, rule) for line, (rule, _) in enumerate(CALLS, 1) if rule]
