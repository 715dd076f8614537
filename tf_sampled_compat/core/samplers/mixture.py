"""Samplers that take candidates from the labels of the batch, or from several other samplers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional, Union

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.typing import Sampler, TensorLike
from tf_sampled_compat.core.samplers import frequencies as counts
from tf_sampled_compat.core.samplers import saving
from tf_sampled_compat.core.samplers.descriptions import describe, distinct, rebuild
from tf_sampled_compat.core.samplers.joint_draws import draw_and_learn
from tf_sampled_compat.core.samplers.learned import LearnedUnigramSampler
from tf_sampled_compat.core.samplers.saving import SavedSampler, check_store, entry, make
from tf_sampled_compat.core.samplers.tensorflow_kernels import learned_unigram_candidate_sampler
from tf_sampled_compat.core.samplers.values import SampledValues


class InBatchSampler(SavedSampler):
    r"""Takes the labels of the batch as candidates: each row's true classes are others' negatives.

    All labels are candidates, so `num_sampled` must be at least batch_size · num_true. A batch that
    is smaller, or has padding, gives fewer candidates. The expected count of a class is their
    number · P(k), with P given, or learned from earlier batches:

        P(k) ∝ 1 + occurrences of k, or ∝ 1 / interval (see `LearnedUnigramSampler`)

    Candidates repeat as labels do, and each row's own labels are among them. Train with
    `exclude_true=True`, because `remove_accidental_hits` removes only the last copy of a class.

    >>> frequencies = tsc.random.LearnedUnigramSampler(50, seed=1)
    >>> sampler = tsc.random.InBatchSampler(frequencies)
    >>> loss = tsc.nn.sampled_softmax_loss(
    ...     weights, biases, labels, inputs, 2, 50, sampler=sampler, exclude_true=True)
    >>> sampler([[3], [7]], 1, 2, False, 50).sampled_candidates
    <tf.Tensor: shape=(2,), dtype=int64, numpy=array([3, 7])>

    Attributes:
      frequencies: How often each class is true: a `LearnedUnigramSampler`, or a given array.

    Source: Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations" (2019).
    """

    takes_mask = True  # Tells the losses that `__call__` has a `mask`, for padded labels.
    draws_fewer = True  # Tells the losses that `num_sampled` is the most that it returns.
    covers_all_classes = False  # Only labels are candidates.

    def __init__(
        self, frequencies: Union[LearnedUnigramSampler, TensorLike], name: Optional[str] = None
    ) -> None:
        """Creates a sampler.

        Args:
          frequencies: How often each class is true: the sampler that learns it, or a
            `[num_classes]` array of counts or numbers in proportion to them. Share a learned one
            only with samplers of the same `MixtureSampler`, so that a batch is learned once.
          name: A name for the module.
        """
        checks.name(name)
        super().__init__(name=name or "in_batch_sampler")
        self.frequencies = counts.as_frequencies(frequencies)

    def __call__(
        self,
        true_classes: TensorLike,
        num_true: int,
        num_sampled: int,
        unique: bool,
        range_max: int,
        seed: Any = None,
        name: Optional[str] = None,
        *,
        mask: Optional[TensorLike] = None,
    ) -> SampledValues:
        """Returns the labels as candidates, then learns them.

        Args:
          true_classes: `[batch_size, num_true]` class ids of any integer dtype.
          num_true: The number of target classes of each example.
          num_sampled: At least batch_size · num_true, less those that are padding.
          unique: Ignored: labels repeat.
          range_max: The number of classes; must equal `frequencies.num_classes`.
          seed: Ignored: nothing is drawn.
          name: A name for the operations.
          mask: `[batch_size, num_true]` booleans: False for padding, which is no candidate and is
            not learned, and whose expected count is 1.

        Returns:
          `(sampled_candidates, true_expected_count, sampled_expected_count)`: `[M]` int64 classes,
          the M labels that are not padding; `[batch_size, num_true]` float32, how often each true
          class is expected among them; `[M]` float32, the same for each candidate. Under XLA, which
          needs fixed shapes, and with a mask, -1 stands in the place of each missing candidate.

        Raises:
          InvalidArgumentError: If there are more than `num_sampled` labels, or a label is out of
            range. XLA cannot raise errors. There the candidates' counts are NaN, except that more
            labels than `num_sampled` are all candidates if there is no mask.
        """
        del unique
        checks.name(name)
        num_sampled = checks.known_size("num_sampled", num_sampled)
        with tf.name_scope(name or "InBatchSampler"):
            return draw_and_learn(
                [self], true_classes, num_true, [num_sampled], range_max, seed, mask
            )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, with `frequencies` described."""
        return {"frequencies": counts.describe(self.frequencies), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InBatchSampler:
        """Makes a sampler from the result of `get_config`, with fresh frequencies."""
        return cls(counts.rebuild(entry(config, "frequencies")), config.get("name"))

    def _state(self) -> Optional[dict[str, tf.Variable]]:
        return saving.variables_of(self.frequencies)

    def __reduce__(self) -> Any:
        """Describes the sampler to `pickle` and `copy`; the frequencies describe themselves."""
        return make, (type(self), {"frequencies": self.frequencies, "name": self.name})


class MixtureSampler(SavedSampler):
    r"""Takes candidates from several samplers, with expected counts for the whole mixture.

    Sampler j contributes s_j independent draws. The expected count of a class is

    .. math:: E(k) = \sum_j s_j P_j(k)

    whichever sampler it came from. For example, labels of the batch bring popular classes and a
    uniform sampler brings rare ones. Candidates may repeat: train with `exclude_true=True`.

    >>> frequencies = tsc.random.LearnedUnigramSampler(50, seed=1)
    >>> sampler = tsc.random.MixtureSampler([
    ...     (tsc.random.log_uniform_candidate_sampler, 8),
    ...     (tsc.random.InBatchSampler(frequencies), 2)])
    >>> loss = tsc.nn.sampled_softmax_loss(
    ...     weights, biases, labels, inputs, 10, 50, sampler=sampler, exclude_true=True)

    Attributes:
      samplers: The samplers.
      sizes: The number of candidates from each.

    Source: Yang et al., "Mixed Negative Sampling for Learning Two-tower Neural Networks in
    Recommendations" (2020).
    """

    takes_mask = True  # Tells the losses that `__call__` has a `mask`, for padded labels.

    def __init__(self, samplers: Sequence[tuple[Sampler, int]], name: Optional[str] = None) -> None:
        """Creates a sampler from others.

        Args:
          samplers: Pairs of a sampler and the number of candidates to take from it. A sampler is a
            `LearnedUnigramSampler`, an `InBatchSampler`, or a function with the samplers' signature
            whose probabilities do not change from call to call.
          name: A name for the module.
        """
        checks.name(name)
        super().__init__(name=name or "mixture_sampler")
        samplers = _pairs(samplers)
        for sampler, _ in samplers:
            checks.sampler(sampler, True)
            kernels = (
                learned_unigram_candidate_sampler,
                tf.random.learned_unigram_candidate_sampler,
            )
            if sampler in kernels or isinstance(sampler, MixtureSampler):
                expected = "LearnedUnigramSampler, whose probabilities are known"
                errors.fail("samplers", expected, repr(sampler))
        self.samplers = [sampler for sampler, _ in samplers]
        self.sizes = [
            checks.known_size("samplers: how many candidates", size) for _, size in samplers
        ]

    def __call__(
        self,
        true_classes: TensorLike,
        num_true: int,
        num_sampled: int,
        unique: bool,
        range_max: int,
        seed: Any = None,
        name: Optional[str] = None,
        *,
        mask: Optional[TensorLike] = None,
    ) -> SampledValues:
        """Draws from each sampler, then learns the labels.

        Args:
          true_classes: `[batch_size, num_true]` class ids of any integer dtype.
          num_true: The number of target classes of each example.
          num_sampled: The sum of `sizes`.
          unique: Ignored: candidates may repeat.
          range_max: The number of classes.
          seed: Passed on to the samplers.
          name: A name for the operations.
          mask: See `InBatchSampler`.

        Returns:
          `(sampled_candidates, true_expected_count, sampled_expected_count)`: `[num_sampled]` int64
          classes; `[batch_size, num_true]` float32, how often each true class is expected among
          them; `[num_sampled]` float32, the same for each candidate. With an `InBatchSampler` there
          are fewer candidates if a batch has fewer labels.

        Raises:
          ValueError: If `num_sampled` is not the sum of `sizes`; and the errors of the samplers.
        """
        del unique
        if checks.known_size("num_sampled", num_sampled) != sum(self.sizes):
            errors.fail("num_sampled", f"the sum of {list(self.sizes)}", num_sampled)
        checks.name(name)
        with tf.name_scope(name or "MixtureSampler"):
            return draw_and_learn(
                list(self.samplers), true_classes, num_true, self.sizes, range_max, seed, mask
            )

    @property
    def draws_fewer(self) -> bool:
        """Whether `num_sampled` is only the most that it returns."""
        return any(getattr(sampler, "draws_fewer", False) for sampler in self.samplers)

    def get_config(self) -> dict[str, Any]:
        """Returns the samplers, described, and their sizes."""
        kinds = (LearnedUnigramSampler, counts.Frequencies)
        shared = [one for one in distinct(self.samplers) if isinstance(one, kinds)]

        def described(sampler: Any) -> Any:
            if not isinstance(sampler, InBatchSampler):
                return describe(sampler, shared)
            inner = describe(sampler.frequencies, shared)
            return {"in_batch": {**sampler.get_config(), "frequencies": inner}}

        return {
            "shared": [counts.describe(one) for one in shared],
            "samplers": [described(sampler) for sampler in self.samplers],
            "sizes": list(self.sizes),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MixtureSampler:
        """Makes a mixture from the result of `get_config`, with samplers in a fresh state."""
        shared = [counts.rebuild(one) for one in entry(config, "shared")]

        def rebuilt(description: Any) -> Any:
            if not isinstance(description, Mapping) or "in_batch" not in description:
                return rebuild(description, shared)
            arguments = description["in_batch"]
            frequencies = rebuild(arguments["frequencies"], shared)
            return InBatchSampler(frequencies, arguments.get("name"))

        samplers = [rebuilt(description) for description in entry(config, "samplers")]
        return cls(list(zip(samplers, entry(config, "sizes"))), config.get("name"))

    def _state(self) -> Optional[dict[str, tf.Variable]]:
        found: dict[str, tf.Variable] = {}
        for start, holder in self._holders():
            state = saving.variables_of(holder)
            if state is None:
                return None
            found.update({start + name: variable for name, variable in state.items()})
        return found

    def _holders(self) -> list[tuple[str, Any]]:
        """Returns what holds the samplers' states, with the start of the names in files."""
        return [(f"mixed{place}_", one) for place, one in enumerate(distinct(self.samplers))]

    def save_own_variables(self, store: Any) -> None:
        """Stores the states of the samplers in a mapping."""
        for start, holder in self._holders():
            for name, value in saving.values_of(holder).items():
                store[start + name] = value

    def load_own_variables(self, store: Any) -> None:
        """Restores the states that `save_own_variables` stored."""
        check_store(store, "the saved states of a MixtureSampler's samplers")
        for start, holder in self._holders():
            names = [name for name in store if name.startswith(start)]
            saving.load(holder, {name[len(start) :]: store[name] for name in names})

    def __reduce__(self) -> Any:
        """Describes the mixture to `pickle` and `copy`; the samplers describe themselves."""
        pairs = list(zip(self.samplers, self.sizes))
        return make, (type(self), {"samplers": pairs, "name": self.name})


def _pairs(samplers: Any) -> list[tuple[Any, Any]]:
    """Checks that there are pairs of a sampler and a size."""
    expected = "pairs of a sampler and the number of candidates to take from it"
    try:
        pairs = [tuple(pair) for pair in samplers]
    except TypeError:
        errors.fail("samplers", expected, checks.described(samplers), errors.ArgumentTypeError)
    if not pairs:
        errors.fail("samplers", "at least one", "none")
    for pair in pairs:
        if len(pair) != 2:
            errors.fail("samplers", expected, checks.described(pair))
    return pairs
