"""The classes with the highest logits of a head, for `SampledDense.top_k` and the layer `TopK`."""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.losses import full
from tf_sampled_compat.core.losses.restriction import ids_to_exclude
from tf_sampled_compat.core.tf.shapes import with_shape
from tf_sampled_compat.keras_common import private


@tf.autograph.experimental.do_not_convert
def find(
    head: Any,
    hidden: Any,
    k: int,
    *,
    exclude: Any,
    padding_label: Optional[int],
    allowed: Any,
    implementation: Optional[str],
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `(logits, ids)`, both `[..., k]`; see `SampledDense.top_k`.

    An exported model holds no C++ op, unless it is asked for. Whether a graph will be exported is
    not known while it is traced. So only a step of Keras, which is not, may hold the C++ op.
    """
    if hasattr(hidden, "_keras_history") and head._keras.backend.is_keras_tensor(hidden):
        errors.fail(
            "hidden",
            "a tensor. In a functional model the layer TopK(head, k) does the same",
            "a symbolic input of Keras",
            errors.ArgumentTypeError,
        )
    if not head.built:
        errors.fail("top_k", "a layer that has been built or called", "one without weights")
    hidden = tf.convert_to_tensor(hidden)
    logits, ids = full.full_top_k(
        weights=head.kernel,
        biases=head.biases,
        inputs=tf.reshape(hidden, [-1, hidden.shape[-1]]),
        k=k,
        num_classes=head.num_classes,
        exclude=None if exclude is None else _rows(exclude, hidden),
        padding_label=padding_label,
        allowed=allowed,
        **head.scaling(),
        implementation=implementation,
        portable=not private.in_keras_step(),
    )
    shape = tf.concat([tf.shape(hidden)[:-1], [k]], axis=0)
    static = [*hidden.shape[:-1], k]
    return with_shape(tf.reshape(logits, shape), static), with_shape(tf.reshape(ids, shape), static)


def _rows(exclude: Any, hidden: tf.Tensor) -> tf.Tensor:
    """Returns the ids to exclude as `[N, n]` or `[n]`, for `[N, dim]` inputs."""
    ids = ids_to_exclude(exclude)
    if ids.shape.rank == 1 or (ids.shape.rank == 2 and hidden.shape.rank == 2):
        return ids
    if ids.shape.rank != hidden.shape.rank:
        errors.fail(
            "exclude",
            f"class ids of shape [..., n], with the rank of hidden ({hidden.shape.rank}), or [n]",
            checks.kind(ids),
        )
    leading, width = tf.shape(hidden)[:-1], tf.shape(ids)[-1:]
    known = ids.shape[-1]
    ids = tf.broadcast_to(ids, tf.concat([leading, width], axis=0))
    ids = tf.reshape(ids, tf.concat([[tf.reduce_prod(leading)], width], axis=0))
    return with_shape(ids, [None, known])
