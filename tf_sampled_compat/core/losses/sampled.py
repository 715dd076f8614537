"""The four losses, each defined once. The namespaces give them TensorFlow's signatures.

With x the inputs, w and b the rows of a class, Q its expected count among the candidates, the
corrected logit of a class is

    l(class) = w · x + b - log Q(class)

and a candidate that is also a true class of the row (an accidental hit) can be left out.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.backends.choice import Call, call, choose
from tf_sampled_compat.core.backends.interface import Gathered
from tf_sampled_compat.core.losses import corrections, tapas
from tf_sampled_compat.core.losses.problem import (
    Batch,
    candidates,
    draw,
    gather,
    given,
    prepare,
)
from tf_sampled_compat.core.samplers import default
from tf_sampled_compat.core.samplers.values import SampledValues


def sampled_softmax_loss(*, name: Optional[str], **arguments: Any) -> tf.Tensor:
    """-(1/T) Σ_t l(true_t) + log(Σ_t exp l(true_t) + Σ_s exp l(sampled_s))."""
    with _scope(name, "compute_sampled_logits", arguments):
        how, problem = _sampled(**arguments)
        return how.softmax_loss(problem)


def sampled_sparse_softmax_loss(*, name: Optional[str], **arguments: Any) -> tf.Tensor:
    """-l(true) + log(exp l(true) + Σ_s exp l(sampled_s)): one true class a row."""
    with _scope(name, "compute_sampled_logits", arguments):
        how, problem = _sampled(num_true=1, **arguments)
        return how.sparse_softmax_loss(problem)


def nce_loss(*, name: Optional[str], **arguments: Any) -> tf.Tensor:
    """Σ_t H(1/T, σ(l(true_t))) + Σ_s H(0, σ(l(sampled_s))), H the binary cross entropy."""
    with _scope(name, "compute_sampled_logits", arguments):
        how, problem = _sampled(noise_contrast=True, **arguments)
        return how.sigmoid_loss(problem)


def rank_sampled_softmax_loss(*, name: Optional[str], **arguments: Any) -> tf.Tensor:
    """The sampled softmax loss over the candidates that TAPAS's first pass keeps."""
    with _scope(name, "rank_sampled_softmax_loss", arguments):
        how, problem = _resampled(**arguments)
        return how.softmax_loss(problem)


def _sampled(
    *,
    num_sampled: int,
    num_classes: int,
    sampled_values: Any,
    remove_accidental_hits: bool,
    seed: Optional[int] = None,
    stop_count_gradients: bool = True,
    implementation: Optional[str] = None,
    sampler: Any = None,
    noise_contrast: bool = False,
    **tensors: Any,
) -> tuple[ModuleType, Gathered]:
    drawn = sampled_values is None
    checks.sampler(sampler, drawn)
    batch = prepare(flat_labels=not (drawn or remove_accidental_hits), **tensors)
    values = None
    if sampler is not None:
        sizes = {"num_sampled": num_sampled, "num_classes": num_classes}
        sampled_values = draw(batch, sampler, seed=seed, **sizes)
    if sampled_values is not None:
        values = given(
            batch,
            sampled_values,
            num_sampled=num_sampled,
            stop_count_gradients=stop_count_gradients,
            exact_size=remove_accidental_hits,
        )
    how = choose(implementation, _call(batch, values))
    batch, values = candidates(
        batch,
        values,
        how=how,
        sampler=default.BY_NAME[default.FOR_SAMPLED_LOSSES],
        num_sampled=num_sampled,
        num_classes=num_classes,
        seed=seed,
    )
    problem = gather(batch, values, how=how, remove_accidental_hits=remove_accidental_hits)
    return how, _excluding(batch, values, problem, noise_contrast)


def _resampled(
    *,
    num_sampled: int,
    num_resampled: int,
    num_classes: int,
    sampled_values: Any,
    resampling_temperature: Any,
    remove_accidental_hits: bool,
    seed: Optional[int] = None,
    implementation: Optional[str] = None,
    sampler: Any = None,
    **tensors: Any,
) -> tuple[ModuleType, Gathered]:
    checks.resampling_sizes(num_sampled, num_resampled, num_classes)
    checks.sampler(sampler, not sampled_values)
    batch = prepare(**tensors)
    values = None
    if sampler is not None:
        sizes = {"num_sampled": num_sampled, "num_classes": num_classes}
        sampled_values = draw(batch, sampler, seed=seed, **sizes)
    if sampled_values:  # TF 1.15 takes an empty tuple for None
        values = given(batch, sampled_values, num_sampled=num_sampled)
    how = choose(implementation, _call(batch, values))
    batch, values = candidates(
        batch,
        values,
        how=how,
        sampler=default.BY_NAME[default.FOR_TAPAS],
        num_sampled=num_sampled,
        num_classes=num_classes,
        seed=seed,
    )
    kept = tapas.resample(
        batch,
        values,
        num_resampled=num_resampled,
        temperature=resampling_temperature,
        score=how.tapas_scores,
    )
    problem = gather(batch, kept, how=how, remove_accidental_hits=remove_accidental_hits)
    return how, _excluding(batch, values, problem)


def _call(batch: Batch, values: Optional[SampledValues]) -> Call:
    return call(
        inputs=batch.inputs,
        weights=batch.weights.pieces,
        biases=batch.biases.pieces,
        sampled_expected_count=None if values is None else values.sampled_expected_count,
        corrected=batch.true_mask is not None or batch.exclude_true,
    )


def _excluding(
    batch: Batch, values: SampledValues, problem: Gathered, noise_contrast: bool = False
) -> Gathered:
    """Corrects the expected counts for that no true class of a row is a negative of it."""
    if not batch.exclude_true:
        return problem
    dtype = batch.compute_dtype
    more = corrections.exclusion(batch.labels, batch.true_mask, values, batch.num_true, dtype)
    problem = problem._replace(sampled_offset=problem.sampled_offset - more)
    if noise_contrast:
        return problem  # What NCE tells apart is a class from the noise, true ones as others.
    # A true class is in the sum whatever was drawn: it is expected there once.
    return problem._replace(true_offset=problem.true_offset * 0)  # NaN stays.


def _scope(name: Optional[str], default: str, arguments: dict[str, Any]):
    checks.misplaced_arguments(name, arguments.get("seed"))
    return tf.compat.v1.name_scope(name, default)
