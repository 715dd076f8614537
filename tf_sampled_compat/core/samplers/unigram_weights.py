"""The weights of fixed unigram samplers: from a file or a list, checked, distorted, sharded."""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors


def check(
    *,
    vocab_file: Any,
    unigrams: Sequence[float],
    distortion: float,
    num_reserved_ids: int,
    num_shards: int,
    shard: int,
    num_sampled: int,
    unique: bool,
) -> None:
    """Raises an `ArgumentError` for weights that make TensorFlow's kernel hang or sample wrongly.

    The arguments are those of `fixed_unigram_candidate_sampler`. Errors that TensorFlow reports
    itself (no such file, too few weights, …) are left to it.
    """
    weights, source = _weights(vocab_file, unigrams)
    if weights is None:
        return
    checks.unigram_weights(weights, source)
    # In float32, as in the kernel: a weight that underflows is never drawn, and one that overflows
    # is drawn always. 0 ** 0 is 1, so a distortion of 0 gives all classes the same weight.
    with np.errstate(all="ignore"):
        distorted = np.power(np.asarray(weights, np.float32), np.float32(distortion))
    checks.unigram_weights(distorted, f"{source} ** distortion")
    # Reserved ids come first and have no weight. A shard draws the ids that equal `shard` modulo
    # `num_shards`.
    by_id = np.concatenate([np.zeros(num_reserved_ids, np.float32), distorted])
    drawable = int(np.count_nonzero(by_id[shard::num_shards]))
    if unique and num_sampled > drawable:
        errors.fail(
            "num_sampled",
            f"at most {drawable}, the classes of non-zero weight in {source} (unique=True)",
            num_sampled,
        )


def of_shard(
    *,
    vocab_file: Any,
    unigrams: Sequence[float],
    distortion: float,
    num_reserved_ids: int,
    num_shards: int,
    shard: int,
) -> np.ndarray:
    """Returns the float32 weights in TensorFlow's kernel, one for each id of the shard.

    Raises an `ArgumentError` if the weights cannot be read or are not valid.
    """
    if bool(vocab_file) == bool(len(unigrams)):
        came = "both" if vocab_file else "neither"
        errors.fail("vocab_file, unigrams", "one of the two", came)
    if num_shards < 1 or not 0 <= shard < num_shards:
        expected = "a number in [0, num_shards), num_shards at least 1"
        errors.fail("shard", expected, f"shard {shard} of {num_shards}")
    weights, source = _weights(vocab_file, unigrams)
    if weights is None:
        errors.fail("vocab_file", "a readable CSV file, the last column numbers", repr(vocab_file))
    weights = np.asarray(weights, np.float32)
    checks.unigram_weights(weights[~((weights >= 0) & np.isfinite(weights))], source)
    with np.errstate(all="ignore"):
        distorted = np.power(weights, np.float32(distortion))
    checks.unigram_weights(distorted[~np.isfinite(distorted)], f"{source} ** distortion")
    # The kernel numbers the weights from the reserved ids of this shard on, not of all shards.
    reserved = len(range(shard, num_reserved_ids, num_shards))
    ids = np.arange(reserved, reserved + len(distorted))
    return np.concatenate([np.zeros(reserved, np.float32), distorted[ids % num_shards == shard]])


def _weights(vocab_file: Any, unigrams: Sequence[float]) -> tuple[Optional[Sequence[float]], str]:
    if vocab_file:
        path = vocab_file.decode() if isinstance(vocab_file, bytes) else str(vocab_file)
        if not tf.io.gfile.exists(path):
            return None, ""
        stamp = tf.io.gfile.stat(path)
        return _vocabulary(path, stamp.length, stamp.mtime_nsec), f"vocab_file {path!r}"
    return (list(unigrams), "unigrams") if len(unigrams) else (None, "")


@functools.lru_cache(maxsize=8)
def _vocabulary(path: str, length: int, mtime: int) -> Optional[tuple[float, ...]]:
    """Reads a file's last column; again if `length` or `mtime`, keys of the cache, have changed."""
    del length, mtime
    try:
        with tf.io.gfile.GFile(path) as lines:
            return tuple(float(row[-1]) for row in csv.reader(lines) if row)
    except (ValueError, UnicodeDecodeError):
        return None
