"""Errors for what an optimizer cannot do under `tf.distribute`, each with the way out."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.tf import private

_PART = re.compile(r"part_\d+")


def refuse_whole(variables: Iterable[Any]) -> None:
    """Refuses a sharded variable. Each of its shards has a gradient and slots of its own."""
    for variable in variables:
        if private.is_sharded_variable(private.unwrap_variable(variable)):
            way = "variable.value.variables" if hasattr(variable, "path") else "variable.variables"
            errors.fail(
                "trainable_variables",
                f"the shards of a ShardedVariable, each with its own gradient: {way}",
                f"the ShardedVariable {variable.name!r} of shape {variable.shape}",
            )


def refuse_unnamed(variables: Iterable[Any]) -> None:
    """Refuses shards of a variable without a name: Keras 2 reads a shard's number in its name."""
    for variable in variables:
        if private.is_shard(variable) and not _PART.search(variable.name):
            errors.fail(
                "var_list",
                "shards of a variable with a name, as of tf.Variable(..., name='table')",
                f"a shard called {variable.name!r}",
            )


@contextlib.contextmanager
def explained(accumulation_steps: Any) -> Iterator[None]:
    """Says what to do about errors that speak of `merge_call`.

    Args:
      accumulation_steps: The optimizer's `gradient_accumulation_steps`, or None.
    """
    try:
        yield
    except (AttributeError, RuntimeError) as error:
        if "merge_call" not in str(error):
            raise
        if tf.distribute.get_replica_context() is None:
            errors.fail(
                "apply_gradients",
                "a call in a function that strategy.run runs",
                "a call in the scope of a strategy, outside of its replicas",
            )
        if accumulation_steps:
            errors.fail(
                "gradient_accumulation_steps",
                "None in a function that strategy.run runs, which cannot hold an update back; add "
                "up the gradients of several batches there, and apply their mean once",
                accumulation_steps,
            )
        raise
