"""A learned unigram sampler whose counts are a variable: saved, restored, shared, replicated."""

from __future__ import annotations

import numbers
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.arguments.class_ids import as_class_ids
from tf_sampled_compat.core.arguments.conversion import booleans
from tf_sampled_compat.core.arguments.typing import TensorLike
from tf_sampled_compat.core.samplers import given_seeds, pieces
from tf_sampled_compat.core.samplers.expected_counts import expected_count
from tf_sampled_compat.core.samplers.occurrence_intervals import Intervals
from tf_sampled_compat.core.samplers.saving import SavedSampler, make, plain
from tf_sampled_compat.core.samplers.sum_tree import SumTree
from tf_sampled_compat.core.samplers.unique_draws import Draws, draw_unique
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import parameter_servers, private

# A step draws at most so many blocks. If they do not hold enough distinct classes, the counts are
# too uneven to find them in reasonable time. TensorFlow's kernel would go on for hours.
MAX_BLOCKS = 1000
# The distance between the seeds of two steps. So each block of a step has its own seed.
_SEEDS_PER_STEP = 2**16
# Large odd numbers, which keep the seeds of replicas and operations apart.
_REPLICA, _OPERATION = 0x632BE59BD9B4E019, 0x1E3779B97F4A7C15


class LearnedUnigramSampler(SavedSampler):
    r"""Samples classes by their frequency as true classes: P(k) ∝ 1 + occurrences of k so far.

    A drop-in for `learned_unigram_candidate_sampler` that keeps its counts in a variable. A model
    has one set of counts, however often its functions are retraced or called eagerly. The model's
    checkpoints and saved files hold them. Under `tf.distribute` every replica samples from the
    counts of all replicas. The labels of a batch count from the next batch on. Each draw and each
    occurrence costs O(log num_classes).

    The draws are stateless: they depend on a seed and a step, which are variables too. A training
    run that is interrupted, restored and continued draws the same candidates as one that was not
    interrupted, and eager mode, graphs and XLA draw the same. Replicas draw different candidates.

    With `num_sampled` = num_classes and `unique`, each class is expected exactly once, so that a
    sampled loss equals the full loss.

    With `decay`, P follows frequencies that change over time. For each class the sampler estimates
    the mean number of steps between occurrences, interval ← decay · interval + (1 - decay) ·
    latest, and P(k) ∝ 1 / interval. A step updates the classes of its batch only.

    >>> sampler = tsc.random.LearnedUnigramSampler(50, seed=1)
    >>> loss = tsc.nn.sampled_softmax_loss(weights, biases, labels, inputs, 5, 50, sampler=sampler)
    >>> values = sampler(labels, num_true=1, num_sampled=5, unique=True, range_max=50)
    >>> int(sampler.counts()[7])  # 1 + one occurrence in each of two batches
    3

    Attributes:
      num_classes: The number of classes.

    Source: https://www.tensorflow.org/api_docs/python/tf/random/learned_unigram_candidate_sampler;
    for `decay`, Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
    Recommendations" (2019), algorithm 2.
    """

    takes_mask = True  # Tells the losses that `__call__` has a `mask`, for padded labels.

    def __init__(
        self,
        num_classes: int,
        *,
        seed: Any = None,
        decay: Optional[float] = None,
        name: Optional[str] = None,
        initial_counts: Optional[TensorLike] = None,
    ) -> None:
        """Creates a sampler that counts one occurrence of each class.

        Args:
          num_classes: The number of classes.
          seed: An integer, or two integers as for stateless ops. Default: TensorFlow draws a seed,
            which follows `tf.random.set_seed`.
          decay: The weight of the old interval at each new occurrence, between 0 and 1: 1 - α in
            Yi et al. Default: None, which counts occurrences.
          name: A name for the variables' scope.
          initial_counts: `[num_classes]` whole numbers: how often each class has occurred before,
            for example `np.bincount(labels, minlength=num_classes)`. The counts start at 1 more.
            With `decay`, the intervals start as if one class had occurred per step, in these
            proportions. Default: None, for none.
        """
        checks.name(name)
        super().__init__(name=name or "learned_unigram_sampler")
        self._config = {"num_classes": num_classes, "seed": seed, "decay": decay, "name": name}
        self.num_classes = checks.known_size("num_classes", num_classes)
        if decay is not None and not (isinstance(decay, numbers.Real) and 0 < decay < 1):
            errors.fail("decay", "a number between 0 and 1, or None", repr(decay))
        if decay is not None and parameter_servers.is_current():
            errors.fail(
                "decay",
                "None under a ParameterServerStrategy, whose workers take no steps in common that "
                "an interval could count",
                decay,
            )
        self._intervals = None if decay is None else Intervals(self.num_classes, float(decay))
        initial: Any = 1 if self._intervals is None else self._intervals.initial_weight
        if initial_counts is not None:
            counts = 1 + checks.whole_counts("initial_counts", initial_counts, self.num_classes)
            initial = counts if self._intervals is None else self._intervals.weights(counts)
            self._config["initial_counts"] = (counts - 1).tolist()
        self._step = tf.Variable(0, trainable=False, dtype=tf.int64, name="step")
        with parameter_servers.whole(self._step):
            self._tree = _tree(self.num_classes, initial)
            self._seed = tf.Variable(
                given_seeds.initial(seed), trainable=False, dtype=tf.int64, name="seed"
            )

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
          num_sampled: The number of classes to draw.
          unique: Whether all drawn classes are distinct.
          range_max: The number of classes; must equal the sampler's `num_classes`.
          seed: An integer that changes the draws, in addition to the sampler's own seed.
          name: A name for the operations.
          mask: `[batch_size, num_true]` booleans: False for padding. Padding is not learned, and
            its expected count is 1.

        Returns:
          `(sampled_candidates, true_expected_count, sampled_expected_count)`: `[num_sampled]` int64
          classes; `[batch_size, num_true]` float32, how often each true class is expected among
          them; `[num_sampled]` float32, the same for each candidate.

        Raises:
          InvalidArgumentError: If a true class is out of range. If `unique`, also if `num_sampled`
            is more than the number of classes, or if that many distinct classes are not found in
            reasonable time. XLA cannot raise errors. There the expected count of a class out of
            range is NaN, and so are all counts if distinct classes are missing.
        """
        checks.name(name)
        with tf.name_scope(name or "LearnedUnigramSampler"):
            self.check_range(range_max)
            num_true = checks.known_size("num_true", num_true)
            classes = as_class_ids(true_classes, "true_classes")
            classes = errors.after(checks.in_rows_of(classes, num_true), classes)
            classes = tf.reshape(classes, [-1, num_true])
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
        """Draws candidates without learning, and advances the step.

        Args:
          true_classes: `[...]` class ids of any integer dtype.
          num_sampled: The number of classes to draw.
          unique: Whether all drawn classes are distinct.
          seed: See `__call__`.
          mask: See `__call__`; of the shape of `true_classes`.

        Returns:
          As `__call__`; `true_expected_count` has the shape of `true_classes`.
        """
        num_sampled = checks.known_size("num_sampled", num_sampled)
        unique = checks.flag("unique", unique)
        mask = None if mask is None else booleans("mask", mask)
        pieces.check(num_sampled)
        if unique:
            checks.at_most("num_sampled", num_sampled, self.num_classes)
        ids = as_class_ids(true_classes, "true_classes")
        classes = self._checked(ids, mask)
        step, advance = parameter_servers.next_number(self._step)
        draws = self._candidates(num_sampled, unique, self._seed_of_step(seed, step))
        true_count, sampled_count = (
            expected_count(self.probability(k), num_sampled, draws)
            for k in (classes, draws.classes)
        )
        # Only for XLA: elsewhere an id out of range has raised an error.
        true_count = tf.where(self._in_range(ids), true_count, tf.constant(float("nan")))
        if mask is not None:
            true_count = tf.where(mask, true_count, 1.0)
        values = SampledValues(draws.classes, true_count, sampled_count)
        with tf.control_dependencies(list(values)):
            advanced = advance()
        with tf.control_dependencies([] if advanced is None else [advanced]):
            return SampledValues(*map(tf.identity, values))

    def probability(self, classes: TensorLike) -> tf.Tensor:
        """Returns P(k) of each class, float64."""
        weights = self._tree.weights(as_class_ids(classes, "classes"))
        return tf.cast(weights, tf.float64) / tf.cast(self._tree.total(), tf.float64)

    def learn(
        self, true_classes: TensorLike, mask: Optional[TensorLike] = None
    ) -> list[tf.Operation]:
        """Counts the true classes of all replicas.

        Args:
          true_classes: `[...]` class ids of any integer dtype.
          mask: Of the same shape: False for padding, which is not counted.

        Returns:
          The operations that count. In eager mode they have run, and the list is empty.
        """
        ids = as_class_ids(true_classes, "true_classes")
        mask = None if mask is None else booleans("mask", mask)
        classes = self._checked(ids, mask)
        counted = self._in_range(ids)
        counted = counted if mask is None else tf.logical_and(counted, mask)
        classes, counted = tf.reshape(classes, [-1]), tf.reshape(counted, [-1])
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            classes = context.all_gather(classes, axis=0)
            counted = tf.cast(context.all_gather(tf.cast(counted, tf.int32), axis=0), tf.bool)
        if self._intervals is None:
            return self._tree.add(classes, tf.cast(counted, tf.int64))
        return self._intervals.update(self._tree, classes, counted)

    def check_range(self, range_max: Any) -> None:
        """Raises an error unless `range_max` is the number of classes."""
        known = checks.size_attribute("range_max", range_max)
        if known is not None and known != self.num_classes:
            errors.fail("range_max", f"the sampler's num_classes = {self.num_classes}", known)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments. Checkpoints hold the counts."""
        return {key: plain(value) for key, value in self._config.items()}

    def counts(self) -> tf.Tensor:
        """Returns a copy of the `[num_classes]` int64 weights.

        They are 1 + occurrences, or with `decay` in proportion to 1 / interval.
        """
        return self._tree.all_weights()

    def _checked(self, classes: tf.Tensor, mask: Optional[tf.Tensor]) -> tf.Tensor:
        """Returns the ids, checked to be in range; 0 for padding and, under XLA, out of range."""
        if mask is not None:
            if not mask.shape.is_compatible_with(classes.shape):
                errors.fail("mask", f"shape {classes.shape}, as true_classes", checks.kind(mask))
            classes = tf.where(mask, classes, 0)
        checked = checks.ids_in_range("true_classes", classes, self.num_classes, None)
        if tf.executing_eagerly() or not private.in_xla_context():
            return errors.after(checked, classes)
        return tf.where(self._in_range(classes), classes, 0)

    def _in_range(self, classes: tf.Tensor) -> tf.Tensor:
        return tf.logical_and(classes >= 0, classes < self.num_classes)

    def _candidates(self, num_sampled: int, unique: bool, seed: tf.Tensor) -> Draws:
        if not unique:
            classes = self._independent_draws(0, num_sampled, seed)
            return Draws(classes, tf.constant(num_sampled, tf.int64), None)
        if num_sampled == self.num_classes:
            # Take all classes without drawing. After endless tries each is expected exactly once.
            endless = tf.constant(tf.int64.max, tf.int64)
            return Draws(tf.range(self.num_classes, dtype=tf.int64), endless, None)
        # Some draws repeat, and a second block costs more than a larger first one. Do not change
        # the size: it would change the draws.
        block_size = num_sampled + num_sampled // 4 + 32
        return draw_unique(
            lambda start, size: self._independent_draws(start // block_size, size, seed),
            num_sampled=num_sampled,
            range_max=self.num_classes,
            block_size=block_size,
            largest_block=block_size,
            most_tries=MAX_BLOCKS * block_size,
        )

    def _independent_draws(self, block: Any, size: int, seed: tf.Tensor) -> tf.Tensor:
        """Returns the `[size]` classes of a step's block, which may repeat."""
        total = tf.cast(self._tree.total(), tf.float64)
        bits = tf.random.stateless_uniform(
            [size], seed + [block, 0], None, None, tf.uint64, alg="philox"
        )
        # 53 bits, as many as a float64 holds.
        bits = tf.bitwise.right_shift(bits, tf.constant(11, tf.uint64))
        uniform = tf.cast(tf.cast(bits, tf.int64), tf.float64) * 2.0**-53
        points = tf.cast(tf.floor(uniform * total), tf.int64)
        # The product may round up to `total`, which belongs to no class.
        return self._tree.find(tf.minimum(points, tf.cast(total, tf.int64) - 1))

    def _seed_of_step(self, seed: Any, step: tf.Tensor) -> tf.Tensor:
        """Returns the `[2]` seed of the step's first block, for this replica and operation seed."""
        pair = tf.identity(private.unwrap_variable(self._seed))
        shift = tf.constant(0, tf.int64)
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            shift += tf.cast(context.replica_id_in_sync_group, tf.int64) * _REPLICA
        if seed is not None:
            shift += (tf.reduce_sum(given_seeds.of_operation(seed)) + 1) * _OPERATION
        return pair + tf.stack([step * _SEEDS_PER_STEP, shift])

    def _state(self) -> dict[str, tf.Variable]:
        state = {"nodes": self._tree.nodes, "seed": self._seed, "step": self._step}
        return state if self._intervals is None else {**state, **self._intervals.state()}

    def __reduce__(self) -> Any:
        """Describes the sampler to `pickle` and `copy`: its arguments, then its state."""
        state: dict[str, Any] = {}
        self.save_own_variables(state)
        return make, (type(self), self.get_config()), state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Takes the state that `__reduce__` gave."""
        self.load_own_variables(state)


def _tree(num_classes: int, initial: Any) -> SumTree:
    try:
        return SumTree(num_classes, initial)
    except tf.errors.ResourceExhaustedError:
        size = num_classes * 8 * 16 // 15 / 2**30
        errors.fail(
            "num_classes",
            f"a number of classes whose counts fit into memory: these take {size:.1f} GiB, and "
            "several times that while they are made",
            num_classes,
        )
