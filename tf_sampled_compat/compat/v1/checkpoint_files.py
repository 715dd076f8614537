"""Reads parts of a checkpoint's tensors, and writes a checkpoint part by part."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_sampled_compat.compat.v1 import checkpoint_place


def read(prefix: str, name: str, part: str, dtype: tf.DType) -> np.ndarray:
    """Returns a tensor, or a part of it as RestoreV2 spells one; "" is the whole."""
    # A session works with TensorFlow 2's behaviour enabled and disabled.
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        restored = tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=[name], shape_and_slices=[part], dtypes=[dtype]
        )
        return session.run(restored)[0]


# The index of a checkpoint without tensors, which states one data file. Merged with others, it adds
# one to the number of data files that their index states.
_EMPTY_INDEX = bytes.fromhex(
    "00000608011a020801000000000100000000629457f9000000000100000000c0f2a1b0000102000011000000000100"
    "000000961b95091608230e000000000000000000000000000000000000000000000000000000000000000000000000"
    "57fb808b247547db"  # pragma: allowlist secret
)


class Writer:
    """Writes tensors and parts of tensors to files, then merges these to one checkpoint.

    Args:
      folder: An empty folder for the files, on the file system of the checkpoint.
    """

    def __init__(self, folder: str):
        self._folder = folder
        self._prefixes: list[str] = []

    def write(self, items: Sequence[tuple[str, str, Any, tf.DType]]) -> None:
        """Writes items (name, part or "", values, dtype): all whole tensors, or all parts."""
        # A file holds a name only once, so each part gets a file.
        if items and items[0][1]:
            for item in items:
                self._write_file([item])
        elif items:
            self._write_file(items)

    def _write_file(self, items: Sequence[tuple[str, str, Any, tf.DType]]) -> None:
        prefix = self._prefix(len(self._prefixes))
        names, parts, values, dtypes = zip(*items)
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            fed = [tf.compat.v1.placeholder(dtype) for dtype in dtypes]
            save = tf.raw_ops.SaveV2(
                prefix=prefix,
                tensor_names=list(names),
                shape_and_slices=list(parts),
                tensors=fed,
            )
            session.run(save, dict(zip(fed, values)))
        self._prefixes.append(prefix)

    def merge(self, target: str) -> None:
        """Moves what was written into one checkpoint, which takes the place of what is there."""
        made = os.path.join(self._folder, "made")
        with checkpoint_place.alone(target):
            count = checkpoint_place.free_count(target, len(self._prefixes))
            empty = [self._empty(number) for number in range(len(self._prefixes), count)]
            with tf.Graph().as_default(), tf.compat.v1.Session() as session:
                session.run(
                    tf.raw_ops.MergeV2Checkpoints(
                        checkpoint_prefixes=self._prefixes + empty,
                        destination_prefix=made,
                        delete_old_dirs=True,
                    )
                )
            checkpoint_place.put(made, target, count)

    def _prefix(self, number: int) -> str:
        prefix = os.path.join(self._folder, str(number), "part")
        os.makedirs(os.path.dirname(prefix))
        return prefix

    def _empty(self, number: int) -> str:
        prefix = self._prefix(number)
        with open(f"{prefix}.index", "xb") as file:
            file.write(_EMPTY_INDEX)
        return prefix
