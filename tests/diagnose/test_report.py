"""The page, the dictionary and the summary say the same; and what is refused."""

import json
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.diagnose.conftest import D, inputs, model_of, scalars, zipf
from tf_sampled_compat.diagnose.finding import Finding
from tf_sampled_compat.diagnose.report import Diagnosis

C = 500
X, Y = inputs(256), zipf(C, 256)
REPORT = Diagnosis(
    "model",
    "500 classes",
    (
        Finding("optimizer", "warning", "Adam [walks]", "3 ms", "LazyAdam", {"walk_ms": 3.0}),
        Finding("labels", "ok", "256 labels", figures={"distinct": 200.0}),
    ),
)


def test_dictionary_page_and_summary_agree(kerases, tmp_path, capsys):
    folder = tmp_path / "logs"
    model = model_of(kerases, metrics=["accuracy"])
    report = kerases.ours.diagnose(model, X, Y, seconds=60, log_dir=folder)
    page = " ".join(capsys.readouterr().out.split())
    written, given = scalars(folder), report.to_dict()
    assert given["severity"] == report.severity
    levels = [finding.level for finding in report.findings]
    assert levels == sorted(levels, reverse=True) and levels[0] > levels[-1], "the worst first"
    assert len({f["name"] for f in given["findings"]}) >= 8
    for finding in given["findings"]:
        name = finding["name"]
        for part in ("severity", "seen", "cost", "way_out"):
            assert finding[part] in page and finding[part] in " ".join(str(report).split())
        assert written[f"diagnose/{name}/level"] == report[name].level
        for figure, value in finding["figures"].items():
            assert written[f"diagnose/{name}/{figure}"] == np.float32(value)
    assert str(report).encode().isascii()


def test_a_summary_of_a_step_by_the_default_writer(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default():
        REPORT.write_summary(step=7)
    writer.close()
    [path] = map(str, tmp_path.rglob("events*"))
    events = [e for e in tf.compat.v1.train.summary_iterator(path) if e.summary.value]
    assert {event.step for event in events} == {7}
    plugins = {v.tag: v.metadata.plugin_data.plugin_name for e in events for v in e.summary.value}
    assert plugins == {
        "diagnose/optimizer/level": "scalars",
        "diagnose/optimizer/walk_ms": "scalars",
        "diagnose/labels/level": "scalars",
        "diagnose/labels/distinct": "scalars",
        "diagnose": "text",
    }
    assert scalars(tmp_path)["diagnose/optimizer/walk_ms"] == 3
    assert scalars(tmp_path)["diagnose/optimizer/level"] == 3


def test_the_dictionary():
    given = json.loads(json.dumps(REPORT.to_dict()))
    assert given == {
        "model": "model",
        "about": "500 classes",
        "severity": "warning",
        "findings": [
            {
                "name": "optimizer",
                "severity": "warning",
                "seen": "Adam [walks]",
                "cost": "3 ms",
                "way_out": "LazyAdam",
                "figures": {"walk_ms": 3.0},
            },
            {
                "name": "labels",
                "severity": "ok",
                "seen": "256 labels",
                "cost": "",
                "way_out": "",
                "figures": {"distinct": 200.0},
            },
        ],
    }


def test_the_page():
    assert str(REPORT) == "\n".join(
        [
            "model: 500 classes (1 warning, 1 ok)",
            "",
            "  warning  optimizer  Adam [walks]",
            "                      costs: 3 ms",
            "                      way out: LazyAdam",
            "  ok       labels     256 labels",
        ]
    )
    assert REPORT.severity == "warning" and REPORT["labels"].level == 0
    with pytest.raises(KeyError, match="none of .'optimizer', 'labels'"):
        REPORT["law"]


def test_of_findings_with_one_name_the_worst_is_the_scalar():
    two = (Finding("law", "warning", "a", figures={"n": 1.0}), Finding("law", "ok", "b"))
    report = Diagnosis("model", "", two)
    assert report.scalars() == {"diagnose/law/level": 3.0, "diagnose/law/n": 1.0}
    assert report["law"].severity == "warning"


def test_the_table(capsys):
    REPORT.print()
    lines = [line.rstrip() for line in capsys.readouterr().out.split("\n") if line.strip()]
    assert lines[0] == "model: 500 classes (1 warning, 1 ok)"
    assert [line.split() for line in lines[3:]] == [
        ["warning", "optimizer", "Adam", "[walks]"],
        ["costs:", "3", "ms"],
        ["way", "out:", "LazyAdam"],
        ["ok", "labels", "256", "labels"],
    ]


def test_without_rich_the_page_is_plain(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.text", None)
    REPORT.print()
    assert capsys.readouterr().out == str(REPORT) + "\n"


def test_verbose_0_prints_nothing(kerases, capsys):
    kerases.ours.diagnose(model_of(kerases), X, Y, seconds=1e-9, verbose=0)
    assert capsys.readouterr().out == ""


def test_without_time_the_findings_say_so(kerases):
    model = model_of(kerases, 20_000, optimizer="adam")
    report = kerases.ours.diagnose(model, X, Y, seconds=1e-9, verbose=0)
    for name in ("candidates", "num_sampled", "optimizer", "NaN"):
        assert report[name].severity == "unknown" and "were spent" in report[name].seen
    assert "no step was made" in report["NaN"].seen


@pytest.mark.parametrize("kind", ["dataset", "sequence"])
def test_other_forms_of_data(kerases, kind):
    if kind == "dataset":
        data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(32)
    else:
        base = getattr(kerases.keras.utils, "PyDataset", kerases.keras.utils.Sequence)

        class Batches(base):
            def __len__(self):
                return 8

            def __getitem__(self, index):
                return X[32 * index :][:32], Y[32 * index :][:32]

        data = Batches()
    report = kerases.ours.diagnose(model_of(kerases), data, seconds=60, verbose=0)
    assert "256 labels" in report["labels"].seen and "batch of 32" in report.about
    assert "an epoch of 8 steps" in report["coverage"].seen


def test_several_outputs_and_masks(kerases):
    keras, ours = kerases.keras, kerases.ours
    tokens = keras.Input([5], dtype="int64")
    words = keras.layers.Embedding(C, 16, mask_zero=True)(tokens)
    steps = keras.layers.GRU(16, return_sequences=True)(words)
    first = ours.layers.SampledDense(C, name="first")(steps)
    second = ours.layers.SampledDense(20, name="second")(keras.layers.GRU(D)(words))
    model = keras.Model(tokens, [first, second])
    loss = ours.losses.SampledSoftmax(64)
    metrics = [["accuracy"], [ours.metrics.ExactMRR()]]
    model.compile("sgd", [loss, ours.losses.NCE(5)], metrics=metrics)
    x = np.where(np.arange(5) < 2, Y[:160].reshape(32, 5) + 1, 0) % C
    x[:, 0] = 1
    report = ours.diagnose(model, x, [x, Y[:32] % 20], seconds=60, verbose=0)
    assert not [f for f in report.findings if f.severity == "unknown"], str(report)
    seen = int(np.sum(x != 0))
    assert f"{seen} labels" in report["labels of first"].seen
    assert "32 labels" in report["labels of second"].seen
    assert "accuracy" in report["logits of first"].seen
    assert report["logits of second"].severity == "ok"


def test_padded_labels(kerases):
    loss = kerases.ours.losses.SampledSoftmax(64, num_true=2, padding_label=-1)
    y = np.stack([Y, np.where(Y % 3, Y, -1)], axis=1)
    report = kerases.ours.diagnose(model_of(kerases, loss=loss), X, y, seconds=60, verbose=0)
    assert not [f for f in report.findings if f.severity in ("unknown", "error")], str(report)


def test_mixed_precision(kerases):
    kerases.keras.mixed_precision.set_global_policy("mixed_float16")
    report = kerases.ours.diagnose(
        model_of(kerases, 20_000, optimizer="adam"), X, Y, seconds=60, verbose=0
    )
    assert not [f for f in report.findings if f.severity in ("unknown", "error")], str(report)


def test_what_is_refused(kerases):
    diagnose = kerases.ours.diagnose
    keras = kerases.keras
    with pytest.raises(ValueError, match="model: expected a model after `compile`"):
        diagnose(keras.Sequential([keras.Input([D]), keras.layers.Dense(3)]), X, Y)
    with pytest.raises(ValueError, match="model: expected a model of"):
        diagnose("model", X, Y)
    with pytest.raises(ValueError, match="x: expected arrays.*generator"):
        diagnose(model_of(kerases), ((X, Y) for _ in range(3)))
    with pytest.raises(ValueError, match="seconds: expected a positive"):
        diagnose(model_of(kerases), X, Y, seconds=0)


def test_a_model_without_a_head(kerases):
    keras = kerases.keras
    model = keras.Sequential([keras.Input([D]), keras.layers.Dense(C)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    report = kerases.ours.diagnose(model, X, Y, verbose=0)
    assert "no classes in a SampledDense" in report.about and report["NaN"].severity == "ok"
