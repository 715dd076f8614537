"""The second stage: chooses the backend, checks the labels, and gets the candidates.

The candidates come from the caller, from the caller's sampler, or from the loss's default sampler.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.typing import Sampler
from tf_sampled_compat.core.backends.choice import call, choose
from tf_sampled_compat.core.backends.interface import Backend
from tf_sampled_compat.core.losses import tapas
from tf_sampled_compat.core.losses.description import SampledLoss, Sampling
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.samplers import default
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tables.table import size_assertions
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.core.tf.shapes import sizes


class Drawn(NamedTuple):
    """A batch with its candidates.

    Attributes:
      backend: The backend that computes the loss.
      batch: The tensors, with labels checked to be class ids.
      candidates: The negatives and the expected counts.
      population: For TAPAS, the candidates of the first stage; otherwise equals `candidates`.
    """

    backend: Backend
    batch: Batch
    candidates: SampledValues
    population: SampledValues


def draw(loss: SampledLoss, batch: Batch) -> Drawn:
    """Chooses the backend, checks the labels, and draws candidates or takes the caller's."""
    sampling = loss.sampling
    own = _own_candidates(loss, batch)
    backend = choose(
        loss.implementation,
        call(
            inputs=batch.inputs,
            weights=batch.weights.pieces,
            biases=batch.biases.pieces,
            sampled_expected_count=None if own is None else own.sampled_expected_count,
            corrected=batch.true_mask is not None or loss.exclude_true,
        ),
        loss.function,
    )
    rows = batch.weights.num_rows, batch.biases.num_rows
    batch = batch._replace(labels=backend.check_ids("labels", batch.labels, *rows))
    if own is None:
        population = _default_candidates(loss, batch, backend)
    else:
        sampled = backend.check_ids("sampled_candidates", own.sampled_candidates, *rows)
        population = own._replace(sampled_candidates=sampled)
    if sampling.resampling is None:
        return Drawn(backend, batch, population, population)
    candidates = tapas.resample(batch, population, sampling.resampling, backend)
    return Drawn(backend, batch, candidates, population)


def _own_candidates(loss: SampledLoss, batch: Batch) -> Optional[SampledValues]:
    """Returns candidates from the caller or the caller's sampler, or None.

    All but their values is checked.
    """
    sampling = loss.sampling
    values = sampling.given()
    if sampling.sampler is not None:
        values = _draw_by(sampling.sampler, sampling, batch)
    if values is None:
        return None
    exact_size = loss.remove_accidental_hits and sampling.resampling is None
    num_sampled = _size("num_sampled", sampling.num_sampled) if exact_size else None
    return _converted(sampling, batch, values, num_sampled)


def _converted(sampling: Sampling, batch: Batch, values: Any, num_sampled: Any) -> SampledValues:
    """Converts candidates and counts.

    Args:
      sampling: The caller's sampling arguments.
      batch: The tensors.
      values: The caller's three values.
      num_sampled: S if there must be exactly S candidates, as where TensorFlow builds a `[B, S]`
        mask; otherwise None.
    """
    sampled, true_count, sampled_count = checks.three_values(values)
    sampled = tf.convert_to_tensor(sampled)
    checks.numbers_only("sampled_values: sampled_candidates", sampled.dtype)
    sampled = tf.stop_gradient(as_class_ids(sampled))
    if sampled.shape.rank is None:
        vector = checks.sampled_candidates(sampled, None)
        sampled = tf.reshape(errors.after(vector, sampled), [-1])
    if sampling.stop_count_gradients:
        true_count, sampled_count = tf.stop_gradient(true_count), tf.stop_gradient(sampled_count)
    true_count = _floating("true_expected_count", true_count)
    sampled_count = _floating("sampled_expected_count", sampled_count)
    size_checks = [
        *size_assertions(batch.weights),
        *size_assertions(batch.biases),
        *checks.sampled_candidates(sampled, num_sampled),
    ]
    batch_size = sizes(batch.labels)[0]
    true_count = _broadcasting("true_expected_count", true_count, sizes(batch.labels))
    if batch.true_mask is not None:
        true_count = tf.where(batch.true_mask, true_count, tf.ones([], true_count.dtype))
    return SampledValues(
        errors.after(size_checks, sampled),
        true_count,
        _broadcasting("sampled_expected_count", sampled_count, [batch_size, *sizes(sampled)]),
    )


def _default_candidates(loss: SampledLoss, batch: Batch, backend: Backend) -> SampledValues:
    """Draws with the default sampler, and checks that the tables have all drawn classes."""
    sampling = loss.sampling
    is_tapas = sampling.resampling is not None
    name = default.FOR_TAPAS if is_tapas else default.FOR_SAMPLED_LOSSES
    values = _draw_by(default.BY_NAME[name], sampling, batch)
    limit = tf.get_static_value(sampling.num_classes)
    rows = batch.weights.num_rows, batch.biases.num_rows
    if limit is None or all(known is None or known >= limit for known in rows):
        return values
    sampled = values.sampled_candidates
    sampled = backend.check_ids("drawn_candidates", sampled, *rows, num_classes=int(limit))
    return values._replace(sampled_candidates=sampled)


def _draw_by(sampler: Sampler, sampling: Sampling, batch: Batch) -> SampledValues:
    """Draws with any sampler, which neither sees nor learns masked labels."""
    labels, mask = batch.labels, batch.true_mask
    num_sampled = _size("num_sampled", sampling.num_sampled)
    numbers = (num_sampled, True, _size("num_classes", sampling.num_classes))
    takes_mask = getattr(sampler, "takes_mask", False)
    if mask is None:
        values = sampler(labels, batch.num_true, *numbers, seed=sampling.seed)
    elif takes_mask:
        values = sampler(labels, batch.num_true, *numbers, seed=sampling.seed, mask=mask)
    elif private.in_xla_context():
        # A sampler that XLA compiles and that takes no mask has no state, so it learns no labels.
        values = sampler(labels, batch.num_true, *numbers, seed=sampling.seed)
    else:
        there = tf.where(mask)
        classes = tf.gather_nd(labels, there)[:, tf.newaxis]
        values = sampler(classes, 1, *numbers, seed=sampling.seed)
        sampled, true_count, sampled_count = checks.three_values(values)
        true_count = tf.reshape(true_count, [-1])
        ones = tf.ones(tf.shape(labels), true_count.dtype)
        true_count = tf.tensor_scatter_nd_update(ones, there, true_count)
        values = sampled, true_count, sampled_count
    return SampledValues(*map(tf.stop_gradient, checks.three_values(values)))


def _size(argument: str, value: Any) -> Any:
    """Checks a size. The sampler checks one that only the running graph knows."""
    return checks.size_attribute(argument, value) or value


def _broadcasting(argument: str, count: tf.Tensor, target: list[Any]) -> tf.Tensor:
    return errors.after(checks.broadcasts(argument, count, target), count)


def _floating(argument: str, count: Any) -> tf.Tensor:
    count = tf.convert_to_tensor(count)
    checks.numbers_only(f"sampled_values: {argument}", count.dtype)
    return count if count.dtype.is_floating else tf.cast(count, tf.float32)
