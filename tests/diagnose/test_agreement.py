"""The sampled loss and its gradient beside the exact ones."""

import types

import numpy as np
import pytest

from tests.diagnose.conftest import inputs, model_of, probing, zipf
from tests.keras.conftest import exact_softmax, head_of
from tf_sampled_compat.diagnose import agreement

C, N = 2000, 64
X, Y = inputs(N), zipf(C, N)


def trained(kerases, loss):
    """A model with logits as uneven as those of a trained one."""
    model = model_of(kerases, C, loss)
    r = np.random.RandomState(0)
    head = head_of(model)
    head.set_weights([3 * r.randn(*w.shape).astype("f") for w in head.get_weights()])
    return model


def found(kerases, model):
    with probing(kerases, model, X, Y, batch_size=N) as probe:
        [finding] = agreement.findings(probe)
    return finding


def test_enough_candidates(kerases):
    loss = kerases.ours.losses.SampledSoftmax(1900, sampler="uniform", seed=1)
    model = trained(kerases, loss)
    finding = found(kerases, model)
    assert finding.severity == "ok"
    assert finding.figures["exact_loss"] == pytest.approx(exact_softmax(model, X, Y).mean(), 1e-4)
    assert abs(finding.figures["gap"]) < 0.1 and finding.figures["gradient_bias"] < 0.3
    assert finding.figures["gradient_noise"] > 0


def test_all_candidates_have_no_noise_and_no_bias(kerases):
    model = trained(kerases, kerases.ours.losses.SampledSoftmax(C, sampler="uniform", seed=1))
    finding = found(kerases, model)
    assert finding.figures["gap"] == pytest.approx(0, abs=1e-4)
    assert finding.figures["gradient_bias"] < 1e-3 and finding.figures["gradient_noise"] < 1e-3


def test_too_few_candidates(kerases):
    model = trained(kerases, kerases.ours.losses.SampledSoftmax(4, sampler="uniform", seed=1))
    finding = found(kerases, model)
    assert finding.severity == "warning" and "looks better" in finding.cost
    assert finding.figures["gap"] < -0.1 and "num_sampled=" in finding.way_out


def test_a_first_model_is_no_fault(kerases):
    """With weights near zero the candidates hardly matter."""
    assert found(kerases, model_of(kerases, C)).severity == "ok"


def test_nce_is_not_compared(kerases):
    finding = found(kerases, model_of(kerases, C, kerases.ours.losses.NCE(64)))
    assert finding.severity == "ok" and not finding.figures


def test_tapas_is_biased_by_design(kerases):
    loss = kerases.ours.losses.RankSampledSoftmax(64, 4, sampler="uniform", seed=1)
    assert found(kerases, trained(kerases, loss)).severity == "note"


def stub(num_sampled):
    loss = types.SimpleNamespace(num_sampled=num_sampled)
    return types.SimpleNamespace(named=str, loss=loss, head=types.SimpleNamespace(num_classes=C))


def test_the_noise_of_a_few_draws_is_no_bias():
    """The mean of these two draws is as far from the exact gradient as their noise explains."""
    output = stub(num_sampled=8)
    full = np.array([3.0, 4.0])
    draws = [full + [2, 0], full + [0, 2]]
    figures = agreement._compare(output, [1.0, 3.0], draws, 4.0, full).figures
    assert figures["gradient_bias"] == 0 and figures["gradient_noise"] == pytest.approx(2 / 5)
    assert figures["sampled_loss"] == 2 and figures["gap"] == -0.5
    draws = [full + [35**0.5, 1], full + [35**0.5, -1]]
    finding = agreement._compare(output, [1.0, 3.0], draws, 4.0, full)
    assert finding.figures["gradient_bias"] == pytest.approx(34**0.5 / 5)
    # Almost four times the bias that is allowed: four times the candidates.
    assert "num_sampled=32 " in finding.way_out


@pytest.mark.parametrize("sampled, exact", [(float("nan"), 1.0), (1.0, float("inf"))])
def test_a_loss_that_is_not_finite_is_not_compared(sampled, exact):
    output = stub(num_sampled=8)
    finding = agreement._compare(output, [sampled] * 2, [np.ones(2)] * 2, exact, np.ones(2))
    assert finding.severity == "unknown" and "see NaN" in finding.seen
