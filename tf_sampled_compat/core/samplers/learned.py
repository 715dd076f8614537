"""A learned unigram sampler whose counts are a variable: saved, restored, shared, replicated."""

from __future__ import annotations

import numbers
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.core.samplers.distinct import distinct
from tf_sampled_compat.core.samplers.occurrence_intervals import Intervals
from tf_sampled_compat.core.samplers.sum_tree import SumTree
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import private

# Steps apart in the seed, so that the blocks of a step have seeds of their own.
_SEEDS_A_STEP = 2**16
# Any large odd number keeps replicas' and operations' seeds apart.
_REPLICA, _OPERATION = 0x632BE59BD9B4E019, 0x1E3779B97F4A7C15


class LearnedUnigramSampler(tf.Module):
    r"""Samples classes as often as they have been true: P(k) ∝ 1 + occurrences of k so far.

    A drop-in for `learned_unigram_candidate_sampler`, with the state where it belongs: in
    variables. There is one state for a model, however often it is retraced or called eagerly; it is
    in the model's checkpoints and saved files; under `tf.distribute` every replica samples from
    what all of them have seen. A batch does not see itself. A draw costs O(log num_classes), an
    occurrence likewise, and nothing else grows with the number of classes but the variable.

    The draws are stateless ones, by a seed and a step that are variables as well: a training run
    that is interrupted, restored and continued draws what an uninterrupted one draws, and eager
    mode, graphs and XLA draw the same. Replicas draw different candidates.

    All classes at once (`num_sampled` = num_classes, unique) are expected exactly once each, so
    that a sampled loss over them is the full one.

    With `decay`, P follows frequencies that change: of each class the mean interval in steps
    between occurrences is estimated, interval ← decay · interval + (1 - decay) · latest, and
    P(k) ∝ 1 / interval. Only the classes of a batch change.

    >>> sampler = tsc.random.LearnedUnigramSampler(50, seed=1)
    >>> loss = tsc.nn.sampled_softmax_loss(weights, biases, labels, inputs, 5, 50, sampler=sampler)
    >>> values = sampler(labels, num_true=1, num_sampled=5, unique=True, range_max=50)
    >>> int(sampler.counts()[7])  # 1, and what two batches brought
    3

    Attributes:
      num_classes: How many classes it draws from.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/learned_unigram_candidate_sampler;
    for `decay`, Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations" (2019), algorithm 2.
    """

    takes_mask = True  # For the losses, which may have labels that are padding.

    def __init__(
        self,
        num_classes: int,
        *,
        seed: Any = None,
        decay: Optional[float] = None,
        name: Optional[str] = None,
    ) -> None:
        """Makes a sampler that has seen each class once.

        Args:
          num_classes: How many classes there are.
          seed: An integer, or two: a `[2]` stateless seed. Default: one drawn by TensorFlow, which
            follows `tf.random.set_seed`.
          decay: How much an interval keeps of what it was at each new occurrence, between 0 and 1;
            1 less the α of Yi et al. Default: no decay, but counts.
          name: A name for the variables' scope.
        """
        super().__init__(name=name or "learned_unigram_sampler")
        self._config = {"num_classes": num_classes, "seed": seed, "decay": decay, "name": name}
        self.num_classes = checks.size_attribute("num_classes", num_classes)
        if decay is not None and not (isinstance(decay, numbers.Real) and 0 < decay < 1):
            errors.fail("decay", "a number between 0 and 1, or None", repr(decay))
        self._intervals = None if decay is None else Intervals(self.num_classes, float(decay))
        initial = 1 if self._intervals is None else self._intervals.initial_weight
        self._tree = SumTree(self.num_classes, initial)
        self._seed = tf.Variable(_seed_pair(seed), trainable=False, dtype=tf.int64, name="seed")
        self._step = tf.Variable(0, trainable=False, dtype=tf.int64, name="step")

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
        """Draws candidates, then learns the true classes.

        Args:
          true_classes: `[batch_size, num_true]` class ids of any integer dtype.
          num_true: The number of target classes of each example.
          num_sampled: How many classes to draw.
          unique: Whether all drawn classes are distinct.
          range_max: The number of classes, which must be the sampler's.
          seed: An integer that goes into the draws besides the sampler's own seed.
          name: A name for the operations.
          mask: `[batch_size, num_true]` booleans: which of the true classes there are. The others
            are not learned, and expected once.

        Returns:
          `(sampled_candidates, true_expected_count, sampled_expected_count)`, as all samplers.

        Raises:
          InvalidArgumentError: If a true class is out of range, or `unique` and there are not
            `num_sampled` classes. Under XLA, where nothing can be raised, the expected count of a
            class out of range is NaN.
        """
        with tf.name_scope(name or "LearnedUnigramSampler"):
            self.check_range(range_max)
            classes = tf.reshape(as_class_ids(true_classes), [-1, num_true])
            values = self.draw(classes, num_sampled, unique, seed=seed, mask=mask)
            with tf.control_dependencies(list(values)):
                learned = self.learn(classes, mask=mask)
            with tf.control_dependencies(learned):
                return SampledValues(*map(tf.identity, values))

    def draw(
        self,
        true_classes: TensorLike,
        num_sampled: int,
        unique: bool,
        *,
        seed: Any = None,
        mask: Optional[TensorLike] = None,
    ) -> SampledValues:
        """Draws candidates, and learns nothing; the next draw will be another."""
        num_sampled = checks.size_attribute("num_sampled", num_sampled)
        if unique:
            checks.at_most("num_sampled", num_sampled, self.num_classes)
        classes = self._checked(as_class_ids(true_classes), mask)
        pair = self._seed_of_step(seed)
        total = tf.cast(self._tree.total(), tf.float64)

        def block(number: Any, size: int) -> tf.Tensor:
            bits = tf.random.stateless_uniform(
                [size], pair + [number, 0], None, None, tf.uint64, alg="philox"
            )
            # 53 bits: all that float64 holds. The last point is total - 1, as total is no point.
            bits = tf.bitwise.right_shift(bits, tf.constant(11, tf.uint64))
            uniform = tf.cast(tf.cast(bits, tf.int64), tf.float64) * 2.0**-53
            points = tf.cast(tf.floor(uniform * total), tf.int64)
            return self._tree.find(tf.minimum(points, tf.cast(total, tf.int64) - 1))

        if unique and num_sampled == self.num_classes:
            # All there are, whatever is drawn: as if after ever so many tries, each expected once.
            sampled, tries = tf.range(self.num_classes, dtype=tf.int64), tf.int64.max
        elif unique:
            sampled, tries = distinct(block, num_sampled)
        else:
            sampled = block(tf.constant(0, tf.int64), num_sampled)
            tries = tf.constant(num_sampled, tf.int64)
        expected = [
            _expected_count(self.probability(ids), num_sampled, tries, unique)
            for ids in (classes, sampled)
        ]
        # Only where XLA left no other way: elsewhere a class out of range has been an error.
        nan = tf.constant(float("nan"))
        expected[0] = tf.where(self._in_range(as_class_ids(true_classes)), expected[0], nan)
        if mask is not None:
            expected[0] = tf.where(mask, expected[0], 1.0)
        values = SampledValues(sampled, *expected)
        with tf.control_dependencies(list(values)):
            step = private.unwrap_variable(self._step)
            drawn = tf.raw_ops.AssignAddVariableOp(
                resource=step.handle, value=tf.constant(1, tf.int64)
            )
        with tf.control_dependencies([drawn] if drawn is not None else []):
            return SampledValues(*map(tf.identity, values))

    def probability(self, classes: TensorLike) -> tf.Tensor:
        """The probability of each class in one draw, float64."""
        weights = self._tree.weights(as_class_ids(classes))
        return tf.cast(weights, tf.float64) / tf.cast(self._tree.total(), tf.float64)

    def learn(
        self, true_classes: TensorLike, mask: Optional[TensorLike] = None
    ) -> list[tf.Operation]:
        """Counts the true classes, of all replicas; returns the operations that do."""
        classes = self._checked(as_class_ids(true_classes), mask)
        there = self._in_range(as_class_ids(true_classes))
        there = there if mask is None else tf.logical_and(there, mask)
        classes, there = tf.reshape(classes, [-1]), tf.reshape(there, [-1])
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            classes = context.all_gather(classes, axis=0)
            there = tf.cast(context.all_gather(tf.cast(there, tf.int32), axis=0), tf.bool)
        if self._intervals is None:
            return self._tree.add(classes, tf.cast(there, tf.int64))
        return self._intervals.update(self._tree, classes, there)

    def check_range(self, range_max: Any) -> None:
        """Raises an error unless `range_max` is the number of classes."""
        known = tf.get_static_value(range_max)
        if known is not None and int(known) != self.num_classes:
            errors.fail("range_max", f"the sampler's num_classes = {self.num_classes}", known)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments it was made of. What it has learned is in checkpoints."""
        return dict(self._config)

    def counts(self) -> tf.Tensor:
        """The `[num_classes]` int64 weights drawn by: occurrences + 1. Reads all of them."""
        return self._tree.all_weights()

    def _checked(self, classes: tf.Tensor, mask: Optional[TensorLike]) -> tf.Tensor:
        """Returns class ids, checked to be classes where there is one, and 0 where there is none.

        Under XLA those out of range are 0 as well.
        """
        if mask is not None:
            classes = tf.where(mask, classes, 0)
        checked = checks.ids_in_range("true_classes", classes, self.num_classes, None)
        if tf.executing_eagerly() or not private.in_xla_context():
            return errors.after(checked, classes)
        return tf.where(self._in_range(classes), classes, 0)

    def _in_range(self, classes: tf.Tensor) -> tf.Tensor:
        return tf.logical_and(classes >= 0, classes < self.num_classes)

    def _seed_of_step(self, seed: Any) -> tf.Tensor:
        """The `[2]` seed of the next draw's first block: another for each replica and operation."""
        pair = tf.identity(private.unwrap_variable(self._seed))
        step = tf.identity(private.unwrap_variable(self._step))
        apart = tf.constant(0, tf.int64)
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            apart += tf.cast(context.replica_id_in_sync_group, tf.int64) * _REPLICA
        if seed is not None:
            apart += (tf.reduce_sum(tf.cast(seed, tf.int64)) + 1) * _OPERATION
        return pair + tf.stack([step * _SEEDS_A_STEP, apart])

    def _state(self) -> dict[str, tf.Variable]:
        state = {"nodes": self._tree.nodes, "seed": self._seed, "step": self._step}
        return state if self._intervals is None else {**state, **self._intervals.state()}

    def save_own_variables(self, store: Any) -> None:
        """Puts the state into a mapping: for a Keras layer's method of that name to call."""
        for name, variable in self._state().items():
            store[name] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Takes the state from such a mapping."""
        for name, variable in self._state().items():
            variable.assign(store[name])


def _seed_pair(seed: Any) -> Any:
    """The initial value of the seed variable."""
    if seed is None:
        limits = tf.int64.min, tf.int64.max
        return lambda: tf.random.uniform([2], *limits, dtype=tf.int64)
    pair = tf.get_static_value(tf.convert_to_tensor(seed))
    if pair is None or pair.dtype.kind not in "iu" or pair.shape not in ((), (2,)):
        errors.fail("seed", "an integer, or a pair of them", repr(seed))
    return [0, int(pair)] if pair.ndim == 0 else pair.astype("int64")


def _expected_count(p: tf.Tensor, num: int, tries: tf.Tensor, unique: bool) -> tf.Tensor:
    """How often a class of probability p is expected in S draws, or in so many tries."""
    plain = p * num
    if not unique:
        return tf.cast(plain, tf.float32)
    tries = tf.where(tries > 0, tf.cast(tries, tf.float64), float("nan"))
    count = -tf.math.expm1(tries * tf.math.log1p(-p))
    return tf.cast(tf.where(tf.equal(tries, num), plain, count), tf.float32)
