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

from tf_sampled_compat.core import checks, default_samplers, tapas
from tf_sampled_compat.core.implementation import choose
from tf_sampled_compat.core.problem import Problem, candidates, gather, given, prepare


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
        how, problem = _sampled(**arguments)
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
    **tensors: Any,
) -> tuple[ModuleType, Problem]:
    drawn = sampled_values is None
    batch = prepare(flat_labels=not (drawn or remove_accidental_hits), **tensors)
    values = None
    if not drawn:
        values = given(
            batch,
            sampled_values,
            num_sampled=num_sampled,
            stop_count_gradients=stop_count_gradients,
            exact_size=remove_accidental_hits,
        )
    how = choose(implementation, batch, values)
    batch, values = candidates(
        batch,
        values,
        how=how,
        sampler=default_samplers.log_uniform,
        num_sampled=num_sampled,
        num_classes=num_classes,
        seed=seed,
    )
    return how, gather(batch, values, how=how, remove_accidental_hits=remove_accidental_hits)


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
    **tensors: Any,
) -> tuple[ModuleType, Problem]:
    checks.resampling_sizes(num_sampled, num_resampled, num_classes)
    batch = prepare(**tensors)
    values = None
    if sampled_values:  # TF 1.15 takes an empty tuple for None
        values = given(batch, sampled_values, num_sampled=num_sampled)
    how = choose(implementation, batch, values)
    batch, values = candidates(
        batch,
        values,
        how=how,
        sampler=default_samplers.learned_unigram,
        num_sampled=num_sampled,
        num_classes=num_classes,
        seed=seed,
    )
    values = tapas.resample(
        batch,
        values,
        num_resampled=num_resampled,
        temperature=resampling_temperature,
        score=how.tapas_scores,
    )
    return how, gather(batch, values, how=how, remove_accidental_hits=remove_accidental_hits)


def _scope(name: Optional[str], default: str, arguments: dict[str, Any]):
    checks.misplaced_arguments(name, arguments.get("seed"))
    return tf.compat.v1.name_scope(name, default)
