"""Describes a model and a batch to the findings: its heads, losses, optimizer and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, NamedTuple, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.samplers.values import SampledValues
from tf_sampled_compat.core.tf import private
from tf_sampled_compat.diagnose import compiled
from tf_sampled_compat.diagnose.compiled import Compiled
from tf_sampled_compat.diagnose.data import Data, first_rows
from tf_sampled_compat.diagnose.inputs import len_of
from tf_sampled_compat.diagnose.stopwatch import Stopwatch
from tf_sampled_compat.diagnose.untouched import Untouched
from tf_sampled_compat.keras_common import head_output, sampler_config
from tf_sampled_compat.keras_common.head_output import Tag
from tf_sampled_compat.keras_common.sampled_head_loss import SampledHeadLoss


class Output(NamedTuple):
    """An output of the model.

    Attributes:
      compiled: Its losses and metrics.
      head: The `SampledDense` that made it, or None.
      y: The labels of the batch.
      raw: The numbers of many labels, flat, in the dtype that they came in. If time steps are
        masked, only those of the batch that count. None if they are no numbers.
      inputs: `[N, D]`: the head's inputs, one row for an example or time step that counts; None
        without a head.
      labels: `[N, T]` int64, with the loss's padding label; None if they do not fit.
      rows: The rows of the batch's logits, masked time steps among them; 0 without a head.
    """

    compiled: Compiled
    head: Any
    y: Any
    raw: Optional[np.ndarray]
    inputs: Any
    labels: Any
    rows: int

    @property
    def loss(self) -> Any:
        """The loss, as it was given to `compile`."""
        return self.compiled.loss

    @property
    def is_sampled(self) -> bool:
        """Whether a loss of this package trains a head, on labels some of which count."""
        ours = self.head is not None and isinstance(self.loss, SampledHeadLoss)
        return ours and self.labels is not None and len(self.labels) > 0

    @property
    def dim(self) -> int:
        """The number of numbers in a row of the head's inputs."""
        return int(self.inputs.shape[1])

    def named(self, finding: str) -> str:
        """Returns a finding's name, with the output's name in a model of several."""
        return f"{finding} of {self.compiled.name}" if self.compiled.name else finding

    def ids(self) -> np.ndarray:
        """Returns the labels in `raw` that are classes of the head."""
        if self.raw is None:
            return np.zeros(0, np.int64)
        good = np.logical_and(self.raw >= 0, self.raw < self.head.num_classes)
        ids = self.raw[good].astype(np.int64)
        return ids[~np.isin(ids, no_classes(self.loss))]

    def values(self, inputs: tf.Tensor, training: bool) -> tf.Tensor:
        """Returns the `[N]` losses of inputs, sampled in training and exact otherwise."""
        logits = tf.zeros([tf.shape(inputs)[0], 1])
        tagged = head_output.attach(logits, Tag(self.head, inputs, training, {}))
        return self.loss.call(self.labels, tagged)

    def sampler(self) -> Callable[..., SampledValues]:
        """Returns the loss's sampler, as a callable with a sampler's arguments."""
        loss = self.loss
        return sampler_config.resolve(loss.sampler, lambda: loss._learner(self.head.num_classes))

    def draw(self) -> SampledValues:
        """Draws candidates for the labels of the batch, as the loss does."""
        labels = self.labels
        if no_classes(self.loss):
            there = ~np.isin(labels.numpy(), no_classes(self.loss))
            labels = tf.boolean_mask(labels, there)[:, tf.newaxis]
        values = self.sampler()(
            labels,
            labels.shape[1],
            self.loss.num_sampled,
            True,
            self.head.num_classes,
            seed=self.loss.seed,
        )
        return SampledValues(*map(tf.convert_to_tensor, values))


class Probe(NamedTuple):
    """What the findings look at.

    Attributes:
      model: The model.
      keras: Its Keras.
      data: The batch.
      outputs: The outputs.
      callbacks: The callbacks of `fit`, as far as they are known.
      watch: Measures times.
      untouched: Compiles functions.
      step_seconds: The time of a step without the update, if it was measured.
    """

    model: Any
    keras: Any
    data: Data
    outputs: Sequence[Output]
    callbacks: Sequence[Any]
    watch: Stopwatch
    untouched: Untouched
    step_seconds: Optional[float] = None

    @property
    def examples(self) -> int:
        """The number of examples in the batch."""
        return len_of(tf.nest.flatten(self.data.x)[0])

    def first(self, rows: int) -> Probe:
        """Returns the probe of a step with the first examples of the batch alone."""
        share = rows / self.examples
        outputs = [
            output._replace(y=first_rows(output.y, rows), rows=int(output.rows * share))
            for output in self.outputs
        ]
        return self._replace(
            data=self.data._replace(x=first_rows(self.data.x, rows)), outputs=outputs
        )


def outputs_of(model: Any, data: Data, untouched: Untouched) -> list[Output]:
    """Runs the model up to its heads and describes its outputs."""
    structure: list[Any] = []
    tags: list[Optional[Tag]] = []
    masks: list[bool] = []

    def forward() -> list[Any]:
        y_pred = model(_tensors(data.x), training=True)
        structure[:] = [tf.nest.map_structure(lambda _: None, y_pred)]
        flat = tf.nest.flatten(y_pred)
        tags[:] = [head_output.tag_of(each) for each in flat]
        found = [getattr(each, "_keras_mask", None) for each in flat]
        masks[:] = [mask is not None for mask in found]
        hidden = [tag.hidden if tag is not None else tf.zeros([]) for tag in tags]
        return [hidden, [tf.zeros([]) if mask is None else mask for mask in found]]

    hidden, found = untouched.trace(forward)()
    given = compiled.by_output(model, structure[0])
    names = compiled.names_of(model, structure[0])
    ys, all_ys = (compiled.of_outputs(y, names) for y in (data.y, data.all_y))
    outputs = []
    for n, each in enumerate(given):
        tag, mask = tags[n], found[n] if masks[n] else None
        inputs = labels = None
        rows = 0
        if tag is not None:
            inputs, labels = _rows(each.loss, hidden[n], ys[n], mask)
            rows = int(tf.size(hidden[n])) // int(hidden[n].shape[-1])
        raw = _numbers(all_ys[n])
        if mask is not None and labels is not None and raw is not None:
            raw = labels.numpy().reshape(-1).astype(raw.dtype)
        head = None if tag is None else tag.head
        outputs.append(Output(each, head, ys[n], raw, inputs, labels, rows))
    return outputs


def step_of(probe: Probe, extra: Callable[[list[Any]], Any] = lambda outputs: ()) -> Any:
    """Returns a function of a training step without the update, which returns loss and gradients.

    Args:
      probe: The model.
      extra: What else the step computes, from the flattened outputs.
    """
    model = probe.model

    def step() -> Any:
        with tf.GradientTape() as tape:
            flat = tf.nest.flatten(model(_tensors(probe.data.x), training=True))
            losses = [
                _loss_function(probe, output)(_tensors(output.y), y_pred)
                for output, y_pred in zip(probe.outputs, flat)
                if output.loss is not None
            ]
            total = tf.add_n([tf.reduce_mean(tf.cast(each, tf.float32)) for each in losses])
            own = list(getattr(model, "losses", ()))
            if own:
                total += tf.add_n([tf.cast(tf.reduce_sum(each), tf.float32) for each in own])
        variables = list(model.trainable_variables)
        gradients = tape.gradient(total, [private.unwrap_variable(v) for v in variables])
        return total, _values(gradients), extra(flat)

    return step


def _loss_function(probe: Probe, output: Output) -> Callable[..., Any]:
    loss = output.loss
    return probe.keras.losses.get(loss) if isinstance(loss, str) else loss


def _values(gradients: Sequence[Any]) -> list[Any]:
    """Returns the numbers of gradients, zeros for one that is missing."""
    return [
        tf.zeros([]) if g is None else g.values if isinstance(g, tf.IndexedSlices) else g
        for g in gradients
    ]


def _tensors(x: Any) -> Any:
    def convert(array: Any) -> Any:
        is_tensor = isinstance(array, (tf.Tensor, tf.RaggedTensor, tf.SparseTensor))
        array = array if is_tensor else tf.convert_to_tensor(array)
        return tf.cast(array, tf.float32) if array.dtype == tf.float64 else array

    return tf.nest.map_structure(convert, x)


def _rows(
    loss: Any, hidden: tf.Tensor, y: Any, mask: Optional[tf.Tensor]
) -> tuple[tf.Tensor, Optional[tf.Tensor]]:
    """Returns `[N, D]` inputs in float32 and `[N, T]` labels, without masked time steps."""
    inputs = tf.reshape(hidden, [-1, hidden.shape[-1]])
    inputs = inputs if inputs.dtype == tf.float64 else tf.cast(inputs, tf.float32)
    labels = _ids(y, loss, hidden.shape.rank)
    if labels is None or len(labels) != int(inputs.shape[0]):
        return inputs, None
    counts = np.any(labels >= 0, axis=1)
    if mask is not None:
        counts &= np.asarray(mask).reshape(-1).astype(bool)
    labels = np.where(labels >= 0, labels, (*no_classes(loss), 0)[0])
    return tf.boolean_mask(inputs, counts), tf.constant(labels[counts])


def _ids(y: Any, loss: Any, rank: int) -> Optional[np.ndarray]:
    """Returns `[n, T]` int64 labels, -1 where a label is padding or no id; None if unreadable."""
    if isinstance(y, tf.RaggedTensor):
        y = y.to_tensor(
            default_value=tf.constant((*no_classes(loss), -1)[0], y.dtype),
            shape=[None] * (rank - 1) + [getattr(loss, "num_true", None)],
        )
    labels = np.asarray(y)
    if labels.dtype.kind not in "iuf" or labels.ndim not in (rank - 1, rank):
        return None
    labels = labels.reshape(-1, labels.shape[-1] if labels.ndim == rank else 1)
    if labels.shape[1] != getattr(loss, "num_true", labels.shape[1]):
        return None
    with np.errstate(invalid="ignore"):
        ids = labels.astype(np.int64)
    bad = ~np.isfinite(labels) if labels.dtype.kind == "f" else np.zeros(labels.shape, bool)
    bad |= np.isin(ids, no_classes(loss))
    return np.where(bad, -1, np.maximum(ids, -1))


def _numbers(y: Any) -> Optional[np.ndarray]:
    numbers = np.asarray(y.flat_values if isinstance(y, tf.RaggedTensor) else y).reshape(-1)
    return numbers if numbers.dtype.kind in "iuf" else None


def no_classes(loss: Any) -> tuple[int, ...]:
    """Returns the labels that a loss takes for no class."""
    labels = (getattr(loss, name, None) for name in ("padding_label", "ignore_class"))
    return tuple(int(label) for label in labels if label is not None)


def check(model: Any, keras: Any) -> None:
    """Checks that an argument is a model of this Keras.

    Raises:
      ArgumentError: If it is not.
    """
    if not isinstance(model, keras.Model):
        errors.fail("model", f"a model of {keras.__name__}", type(model).__name__)
