"""The layer that brings two towers together: each row's candidate is the others' negative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.losses import scaling
from tf_sampled_compat.core.losses.in_batch import InBatchLoss, in_batch_logits
from tf_sampled_compat.core.samplers import frequencies as given
from tf_sampled_compat.core.samplers import saving
from tf_sampled_compat.keras_common import bases, head_output, in_batch_output
from tf_sampled_compat.keras_common.batch_rows import mask_of
from tf_sampled_compat.keras_common.private import in_symbolic_scope
from tf_sampled_compat.keras_common.schedule_steps import ScheduleSteps

# Saved models contain this name. Never change it.
_PREFIX = "frequencies_"


class _Held:
    """Holds a variable of the caller's, which Keras would count among the layer's weights."""

    def __init__(self, value: Any):
        self.value = value


class InBatchLogits(bases.Layer):
    """The logits of a batch's queries and candidates, to train with `InBatchSoftmax`."""

    def __init__(
        self,
        temperature: Any = 1.0,
        remove_accidental_hits: bool = True,
        frequencies: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        schedules = self._keras.optimizers.schedules
        if isinstance(temperature, Mapping):
            temperature = schedules.deserialize(temperature)
        is_schedule = isinstance(temperature, schedules.LearningRateSchedule)
        if not is_schedule and not hasattr(temperature, "assign"):
            temperature = float(scaling.temperature("temperature", temperature))
        self._schedule = temperature if is_schedule else None
        self._held_temperature = _Held(None if is_schedule else temperature)
        self.schedule_steps = ScheduleSteps()
        self.remove_accidental_hits = remove_accidental_hits
        self.frequencies = None if frequencies is None else given.as_frequencies(frequencies)
        self.supports_masking = True

    @property
    def temperature(self) -> Any:
        """What divides the logits: a number, a variable, or a schedule's value of the next step."""
        if self._schedule is None:
            return self._held_temperature.value
        return tf.cast(self._schedule(self.schedule_steps.count()), tf.float32)

    def _temperature_of_call(self) -> Any:
        if self._schedule is None or in_symbolic_scope():
            return self.temperature
        return tf.cast(self._schedule(self.schedule_steps.now()), tf.float32)

    def call(
        self,
        queries: Any,
        candidates: Any,
        candidate_ids: Any = None,
        candidate_sampling_probability: Any = None,
        extra_candidates: Any = None,
        extra_ids: Any = None,
        extra_expected_counts: Any = None,
        training: Any = None,
    ) -> tf.Tensor:
        """Returns the `[..., num_candidates]` logits, tagged with this call."""
        queries = tf.convert_to_tensor(queries)
        loss = InBatchLoss(
            queries=_rows(_wide(queries)),
            candidates=_rows(candidates),
            candidate_ids=_flat(candidate_ids),
            candidate_sampling_probability=_flat(candidate_sampling_probability),
            frequencies=self.frequencies,
            extra_candidates=extra_candidates,
            extra_ids=extra_ids,
            extra_expected_counts=extra_expected_counts,
            mask=_flat(_both(mask_of(queries), mask_of(candidates))),
            remove_accidental_hits=self.remove_accidental_hits,
            temperature=self._temperature_of_call(),
        )
        steps = None if self._schedule is None else self.schedule_steps
        return _tagged_logits(loss, queries, training, steps)

    def save_own_variables(self, store: Any) -> None:
        """Saves what `frequencies` has learned, and the steps of a schedule."""
        super().save_own_variables(store)
        self.schedule_steps.save(store)
        state: dict[str, Any] = {}
        if self.frequencies is not None:
            self.frequencies.save_own_variables(state)
        for name, value in state.items():
            store[_PREFIX + name] = value

    def load_own_variables(self, store: Any) -> None:
        """Loads the result of `save_own_variables`."""
        values = {name: store[name] for name in store.keys()}
        state = {n[len(_PREFIX) :]: values.pop(n) for n in list(values) if n.startswith(_PREFIX)}
        super().load_own_variables(self.schedule_steps.load(values))
        if state and self.frequencies is not None:
            self.frequencies.load_own_variables(state)

    def get_config(self) -> dict[str, Any]:
        """Describes the layer. A variable as temperature is described by its number."""
        if self._schedule is None:
            temperature = float(tf.convert_to_tensor(self.temperature))
        else:
            temperature = self._keras.optimizers.schedules.serialize(self._schedule)
        return {
            **super().get_config(),
            "temperature": temperature,
            "remove_accidental_hits": self.remove_accidental_hits,
            "frequencies": None if self.frequencies is None else given.describe(self.frequencies),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InBatchLogits:
        """Makes a layer from the result of `get_config`."""
        frequencies = saving.entry(config, "frequencies")
        frequencies = None if frequencies is None else given.rebuild(frequencies)
        return cls(**{**config, "frequencies": frequencies})


@tf.autograph.experimental.do_not_convert
def _tagged_logits(
    loss: InBatchLoss, queries: tf.Tensor, training: Any, steps: Optional[ScheduleSteps]
) -> tf.Tensor:
    logits = in_batch_logits(loss)
    shape = tf.concat([tf.shape(queries)[:-1], tf.shape(logits)[1:]], axis=0)
    logits = tf.ensure_shape(tf.reshape(logits, shape), [*queries.shape[:-1], logits.shape[1]])
    tag = in_batch_output.Tag(loss, queries, head_output.is_training(training), steps)
    return in_batch_output.attach(logits, tag)


def _wide(queries: tf.Tensor) -> tf.Tensor:
    """Returns activations in float32 or float64: the loss gets the dtype of the queries."""
    wide = queries.dtype in (tf.float32, tf.float64) or not queries.dtype.is_floating
    return queries if wide else tf.cast(queries, tf.float32)


def _rows(activations: Any) -> tf.Tensor:
    """Returns `[N, dim]`, for activations of several time steps too."""
    activations = tf.convert_to_tensor(activations)
    if activations.shape.rank == 2:
        return activations
    return tf.reshape(activations, [-1, activations.shape[-1] or tf.shape(activations)[-1]])


def _flat(values: Any) -> Any:
    return None if values is None else tf.reshape(values, [-1])


def _both(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return tf.logical_and(_flat(one), _flat(other))
