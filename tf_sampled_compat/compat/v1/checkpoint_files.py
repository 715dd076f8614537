"""Reads parts of a checkpoint's tensors, and writes a checkpoint part by part."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def read(prefix: str, name: str, part: str, dtype: tf.DType) -> np.ndarray:
    """Returns a tensor, or a part of it as RestoreV2 spells one; "" is the whole."""
    # A session works with TensorFlow 2's behaviour enabled and disabled.
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        restored = tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=[name], shape_and_slices=[part], dtypes=[dtype]
        )
        return session.run(restored)[0]


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
        prefix = os.path.join(self._folder, str(len(self._prefixes)), "part")
        os.makedirs(os.path.dirname(prefix))
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
        """Moves what was written into one checkpoint."""
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            session.run(
                tf.raw_ops.MergeV2Checkpoints(
                    checkpoint_prefixes=self._prefixes,
                    destination_prefix=target,
                    delete_old_dirs=True,
                )
            )
