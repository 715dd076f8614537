"""The second stage: chooses the backend, checks the labels, and gets the candidates.

The candidates come from the caller, from the caller's sampler, or from the loss's default sampler.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks
from tf_sampled_compat.core.arguments.typing import Sampler
from tf_sampled_compat.core.backends.choice import choose, describe
from tf_sampled_compat.core.backends.interface import Backend
from tf_sampled_compat.core.losses import tapas
from tf_sampled_compat.core.losses.description import SampledLoss, Sampling
from tf_sampled_compat.core.losses.given import converted
from tf_sampled_compat.core.losses.prepare import Batch
from tf_sampled_compat.core.samplers import default
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import private


class Drawn(NamedTuple):
    """A batch with its candidates.

    Attributes:
      backend: The backend that computes the loss.
      batch: The tensors, with labels checked to be class ids.
      candidates: The negatives and the expected counts. A caller's may be `[B, S]`.
      population: For TAPAS, the candidates of the first stage; otherwise equals `candidates`.
      some_missing: Whether -1 may stand among the candidates, where there is none. So it is under
        XLA, which needs fixed shapes, if the sampler draws fewer candidates than `num_sampled`.
    """

    backend: Backend
    batch: Batch
    candidates: SampledValues
    population: SampledValues
    some_missing: bool = False

    def present(self, sampled: tf.Tensor) -> Optional[tf.Tensor]:
        """Returns `[S]`: whether there is a candidate in each place; None if there always is."""
        return sampled >= 0 if self.some_missing else None

    def with_counts_of_one(self) -> Drawn:
        """The same with expected counts of 1, whose logarithm is 0."""
        one = tf.ones([], self.batch.compute_dtype)
        candidates = self.candidates._replace(true_expected_count=one, sampled_expected_count=one)
        return self._replace(candidates=candidates)


def draw(loss: SampledLoss, batch: Batch) -> Drawn:
    """Chooses the backend, checks the labels, and draws candidates or takes the caller's."""
    sampling = loss.sampling
    own = _own_candidates(loss, batch)
    backend = choose(
        loss.implementation,
        describe(
            inputs=batch.inputs,
            weights=batch.weights.pieces,
            biases=batch.biases.pieces,
            sampled_expected_count=_counts_of_shared(own),
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
    drawn = Drawn(backend, batch, population, population, _some_missing(sampling, batch))
    if sampling.resampling is None:
        return drawn
    candidates = tapas.resample(
        batch,
        population,
        sampling.resampling,
        backend,
        present=drawn.present(population.sampled_candidates),
        draws_fewer=_draws_fewer(sampling),
    )
    return drawn._replace(candidates=candidates)


def _counts_of_shared(own: Optional[SampledValues]) -> Optional[tf.Tensor]:
    """Returns the counts of candidates that all rows share, or None."""
    is_shared = own is not None and own.sampled_candidates.shape.rank == 1
    return own.sampled_expected_count if own is not None and is_shared else None


def _draws_fewer(sampling: Sampling) -> bool:
    """Whether the sampler may return fewer candidates than `num_sampled`, as labels in a batch."""
    return sampling.given() is None and getattr(sampling.sampler, "draws_fewer", False)


def _some_missing(sampling: Sampling, batch: Batch) -> bool:
    return _draws_fewer(sampling) and batch.true_mask is not None and private.in_xla_context()


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
    num_sampled = None
    if loss.wants_exactly_num_sampled and not _draws_fewer(sampling):
        num_sampled = _size("num_sampled", sampling.num_sampled)
    return converted(sampling, batch, values, num_sampled, may_differ=not loss.is_tapas)


def _default_candidates(loss: SampledLoss, batch: Batch, backend: Backend) -> SampledValues:
    """Draws with the default sampler, and checks that the tables have all drawn classes."""
    sampling = loss.sampling
    values = _draw_by(default.BY_NAME[loss.default_sampler], sampling, batch)
    limit = tf.get_static_value(sampling.num_classes)
    rows = batch.weights.num_rows, batch.biases.num_rows
    if limit is None or all(known is None or known >= limit for known in rows):
        return values
    sampled = values.sampled_candidates
    sampled = backend.check_ids("drawn_candidates", sampled, *rows, num_classes=int(limit))
    return values._replace(sampled_candidates=sampled)


def _draw_by(sampler: Sampler, sampling: Sampling, batch: Batch) -> SampledValues:
    """Draws by any sampler. It neither learns nor sees a label that is masked, but under XLA."""
    labels, mask = batch.labels, batch.true_mask
    num_sampled = _size("num_sampled", sampling.num_sampled)
    num_classes = _size("num_classes", sampling.num_classes)
    unique = True
    numbers = (num_sampled, unique, num_classes)
    if mask is not None and getattr(sampler, "takes_mask", False):
        values = sampler(labels, batch.num_true, *numbers, seed=sampling.seed, mask=mask)
    elif mask is None or private.in_xla_context():
        # Under XLA the labels that are masked are seen, as 0: their number cannot depend on values.
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
