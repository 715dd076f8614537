"""The layer: a dense output layer over many classes."""

from __future__ import annotations

import functools
from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.losses import scaling
from tf_sampled_compat.core.losses.description import Arguments
from tf_sampled_compat.core.samplers import saving
from tf_sampled_compat.core.tables import table
from tf_sampled_compat.keras_common import (
    bases,
    dense,
    dense_axes,
    head_output,
    head_top_k,
    tied_kernel,
    ways_out,
)
from tf_sampled_compat.keras_common.named_variables import NamedVariables
from tf_sampled_compat.keras_common.saved_sampler_state import SamplerState
from tf_sampled_compat.keras_common.schedule_steps import ScheduleSteps


class SampledDense(bases.Layer):
    """A dense output layer over many classes, to train with a sampled loss."""

    _refused = ways_out.OF_THE_LAYER

    def __init__(
        self,
        num_classes: int,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        kernel: Any = None,
        temperature: float = 1.0,
        normalize: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        keras = self._keras
        self.num_classes = checks.known_size("num_classes", num_classes)
        self.use_bias = use_bias
        self.temperature = float(scaling.temperature("temperature", temperature))
        self.normalize = bool(normalize)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        if kernel is not None:
            tied_kernel.check(kernel, self.num_classes, keras)
        if isinstance(kernel, SampledDense):
            # Share with the owner of the kernel: `find` looks for that layer.
            kernel = kernel._shared() or kernel
        self.kernel_source = kernel
        self._described: Optional[tied_kernel.Described] = None
        self.supports_masking = True
        # In a copied model, the head with the same weights that a `TopK` layer has.
        self._twin: Optional[tied_kernel.Described] = None
        self._kernel = None
        self.bias = None
        self.sampler_variables = NamedVariables()
        self.sampler_state = SamplerState(self.sampler_variables)
        self.schedule_steps = ScheduleSteps()

    def build(self, input_shape: Any) -> None:
        """Makes the weights, for inputs of a shape `[..., dim]`."""
        dim = input_shape[-1] if input_shape else None
        if dim is None:
            errors.fail("inputs", "a last dimension that is known", f"shape {input_shape}")
        keras, twin = self._keras, self._twin
        if twin is not None:
            self._kernel, self.bias = twin.layer._kernel, twin.layer.bias
        elif self._shared() is None:
            self._kernel = self.add_weight(
                name="kernel",
                shape=(self.num_classes, dim),
                initializer=dense_axes.initializer(self.kernel_initializer, keras),
                regularizer=dense_axes.regularizer(self.kernel_regularizer, keras),
                constraint=dense_axes.constraint(self.kernel_constraint, keras),
                trainable=True,
            )
        elif self._described is None:
            tied_kernel.build(self.kernel_source, dim, keras, self.num_classes)
        if self.use_bias and twin is None:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.num_classes,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                trainable=True,
            )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: dim})
        self.built = True

    @property
    def kernel(self) -> Any:
        """The `[num_classes, dim]` (or longer) table of class embeddings."""
        shared = self._shared()
        return self._kernel if shared is None else tied_kernel.table_of(shared, self._keras)

    def _shared(self) -> Any:
        """Returns the layer or variable that owns a shared kernel, or None."""
        return self.kernel_source if self._described is None else self._described.layer

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer. In a copied model, first finds the layer whose kernel it shares."""
        if self._described is not None:
            self._described.find(inputs)
        if not self.built:
            self._twin = tied_kernel.twin_of(self, inputs)
        return super().__call__(inputs, *args, **kwargs)

    def call(self, inputs: Any, training: Any = None) -> tf.Tensor:
        """Returns the `[..., num_classes]` logits, tagged with this layer and its inputs."""
        return _tagged_logits(self, inputs, training)

    def top_k(
        self,
        hidden: Any,
        k: int = 1,
        exclude: Any = None,
        *,
        padding_label: Optional[int] = None,
        allowed: Any = None,
        implementation: Optional[str] = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the k classes with the highest logits, without a matrix of logits.

        The classes are ranked once, whatever is left out; see `tsc.nn.full_top_k`.

        Args:
          hidden: `[..., dim]`, the inputs of the layer.
          k: The number of classes to find.
          exclude: `[..., n]` class ids to leave out, each row's own; or `[n]`, the same for all
            rows; or a RaggedTensor. An id that is no class, such as -1, excludes nothing.
          padding_label: A class id that in `exclude` stands for nothing, such as 0 where the rows
            are filled up with zeros. Default: only ids that are no classes do.
          allowed: `[m]` ids of the classes to choose from, or a boolean mask `[num_classes]`.
          implementation: "fused" (the C++ op), "composite" (TensorFlow's ops), or None. None
            chooses the faster one, but in a graph that may be exported TensorFlow's ops.

        Returns:
          `(logits, ids)`, both `[..., k]`: the highest first, and among equals the lower id first.
          A place for which no class is left has the logit -∞ and the id -1.

        Raises:
          ValueError: If k is more than the number of classes, or the layer has no weights yet; if
            `exclude` or `allowed` has another shape, or `allowed` holds ids that are no classes.
          TypeError: If `exclude` or `allowed` holds no integers.
        """
        return head_top_k.find(
            self,
            _dense(hidden) if isinstance(hidden, tf.SparseTensor) else hidden,
            k,
            exclude=exclude,
            padding_label=padding_label,
            allowed=allowed,
            implementation=implementation,
        )

    @classmethod
    def from_dense(cls, layer: Any, **kwargs: Any) -> SampledDense:
        """Makes a head that computes the logits of a `Dense` layer, with a copy of its weights.

        Args:
          layer: The `Dense` layer. A softmax or sigmoid is left out, as the head returns logits. A
            layer that has not been built gives a head with the same options.
          **kwargs: Arguments of `SampledDense` that replace the layer's, such as `name`.

        Raises:
          TypeError: If `layer` is no `Dense` of the same Keras.
          ValueError: If it has another activation.
        """
        return dense.to_head(cls, layer, kwargs)

    def to_dense(self, **kwargs: Any) -> Any:
        """Makes a `Dense` layer that computes the same logits, with a copy of the weights.

        Args:
          **kwargs: Arguments of `Dense` that replace the head's, such as `activation="softmax"`.
        """
        return dense.from_head(self, kwargs)

    @property
    def biases(self) -> Any:
        """The biases as a table. If `use_bias` is False, they are zeros that are not stored."""
        return table.NO_BIASES if self.bias is None else self.bias

    def arguments(
        self, labels: tf.Tensor, inputs: tf.Tensor, num_true: int, padding_label: Optional[int]
    ) -> Arguments:
        """Returns the tensors of a loss of `[N, dim]` inputs and `[N, num_true]` labels."""
        return Arguments(
            weights=self.kernel,
            biases=self.biases,
            labels=labels,
            inputs=inputs,
            num_true=num_true,
            padding_label=padding_label,
            one_row_broadcasts=False,  # In Keras, fewer labels than inputs are an error.
            **self.scaling(),
        )

    def scaling(self) -> dict[str, Any]:
        """Returns the arguments of a loss or ranking that say how logits are scaled."""
        temperature = None if self.temperature == 1 else self.temperature
        return {"temperature": temperature, "normalize": self.normalize}

    def save_own_variables(self, store: Any) -> None:
        """Saves the weights, the state of the samplers used in training, and a schedule's steps."""
        super().save_own_variables(store)
        self.sampler_state.save(store)
        self.schedule_steps.save(store)

    def load_own_variables(self, store: Any) -> None:
        """Loads the result of `save_own_variables`, or of a `Dense` layer's."""
        variables = self.schedule_steps.load(self.sampler_state.load(store, self))
        if not variables and self._twin is not None:
            return  # They were loaded with the twin.
        if not variables and (self._kernel is not None or self.bias is not None):
            errors.fail(
                "weights file",
                f"the weights of {self.name!r}. (If a model with a Dense layer in this place wrote "
                "it, load it into such a model, and make the head by SampledDense.from_dense)",
                "none for this layer",
            )
        if self._kernel is not None:
            variables = dense.stored_kernel(variables, self._kernel.shape)
        super().load_own_variables(variables)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Returns `[..., num_classes]`."""
        return (*tuple(input_shape)[:-1], self.num_classes)

    def get_config(self) -> dict[str, Any]:
        """Describes the layer, and the layer whose kernel it shares."""
        return {**self.own_config(), "kernel": tied_kernel.serialize(self._shared(), self._keras)}

    def own_config(self) -> dict[str, Any]:
        """Describes the layer without the layer whose kernel it shares."""
        keras = self._keras
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "temperature": self.temperature,
            "normalize": self.normalize,
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SampledDense:
        """Makes a layer from the result of `get_config`."""
        saving.entry(config, "num_classes")  # It has one, if it is the config of a head.
        description = config.get("kernel")
        layer = cls(**{**config, "kernel": None})
        if description is not None:
            layer._described = tied_kernel.described("kernel", description, cls._keras)
        return layer


@tf.autograph.experimental.do_not_convert
def _tagged_logits(head: Any, inputs: Any, training: Any) -> tf.Tensor:
    dtype = head.compute_dtype
    hidden = _dense(inputs)
    hidden = hidden if hidden.dtype == dtype else tf.cast(hidden, dtype)
    tied_kernel.check_shape(head.kernel, head.num_classes, hidden.shape[-1])
    compute = functools.partial(_logits, head)
    if tf.inside_function():
        # An own function: TensorFlow prunes an unused product anywhere. It prunes the read of the
        # table, which copies it, only in a function that it inlines into another.
        compute = tf.function(compute, autograph=False)
    tag = head_output.Tag(head, hidden, head_output.is_training(training), {})
    return head_output.attach(compute(hidden), tag)


def _dense(inputs: Any) -> tf.Tensor:
    """Converts inputs. Sparse ones are as wide as a row of the kernel, so they are small dense."""
    if not isinstance(inputs, tf.SparseTensor):
        return tf.convert_to_tensor(inputs)
    return tf.ensure_shape(tf.sparse.to_dense(tf.sparse.reorder(inputs)), inputs.shape)


def _logits(head: Any, hidden: tf.Tensor) -> tf.Tensor:
    """Returns the `[..., num_classes]` logits of `[..., dim]` inputs, in their dtype."""
    rows = tf.cast(tf.convert_to_tensor(head.kernel), hidden.dtype)
    if rows.shape[0] != head.num_classes:
        rows = rows[: head.num_classes]
    if head.normalize:
        hidden, rows = scaling.unit(hidden), scaling.unit(rows)
    logits = tf.matmul(tf.reshape(hidden, [-1, hidden.shape[-1]]), rows, transpose_b=True)
    if head.bias is not None:
        logits = tf.nn.bias_add(logits, tf.cast(tf.convert_to_tensor(head.bias), hidden.dtype))
    if head.temperature != 1:
        logits /= head.temperature
    logits = tf.reshape(logits, tf.concat([tf.shape(hidden)[:-1], [head.num_classes]], axis=0))
    return tf.ensure_shape(logits, [*hidden.shape[:-1], head.num_classes])
