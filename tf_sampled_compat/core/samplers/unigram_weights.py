"""The weights of fixed unigram samplers: from a file or a list, checked, distorted, sharded."""

from __future__ import annotations

import csv
import functools
import os
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.arguments import checks, errors


class UnigramWeights(NamedTuple):
    """The converted arguments of a fixed unigram sampler that make its weights."""

    vocab_file: str
    distortion: float
    num_reserved_ids: int
    num_shards: int
    shard: int
    unigrams: list[float]


def converted(
    *,
    vocab_file: Any,
    unigrams: Any,
    distortion: Any,
    num_reserved_ids: Any,
    num_shards: Any,
    shard: Any,
    range_max: int,
) -> UnigramWeights:
    """Converts the arguments, and checks them alone."""
    shards = checks.known_size("num_shards", num_shards)
    mine = checks.known_integer("shard", shard)
    if not 0 <= mine < shards:
        expected = "a number in [0, num_shards), num_shards at least 1"
        errors.fail("shard", expected, f"shard {mine} of {shards}")
    reserved = checks.known_integer("num_reserved_ids", num_reserved_ids)
    most = min(shards * range_max, 2**31 - 1)
    if not 0 <= reserved <= most:
        errors.fail("num_reserved_ids", f"a number from 0 to {most}", reserved)
    return UnigramWeights(
        vocab_file=_path(vocab_file),
        distortion=checks.number("distortion", distortion),
        num_reserved_ids=reserved,
        num_shards=shards,
        shard=mine,
        unigrams=_numbers(unigrams),
    )


def check(given: UnigramWeights, num_sampled: int, unique: bool) -> None:
    """Raises an `ArgumentError` for weights that make TensorFlow's kernel hang or sample wrongly.

    Errors that TensorFlow reports itself (no such file, too few weights, …) are left to it.
    """
    weights, source = _weights(given)
    if weights is None:
        return
    checks.unigram_weights(weights, source)
    # In float32, as in the kernel: a weight that underflows is never drawn, and one that overflows
    # is drawn always. 0 ** 0 is 1, so a distortion of 0 gives all classes the same weight.
    with np.errstate(all="ignore"):
        distorted = np.power(np.asarray(weights, np.float32), np.float32(given.distortion))
    checks.unigram_weights(distorted, f"{source} ** distortion")
    # Reserved ids come first and have no weight. A shard draws the ids that equal `shard` modulo
    # `num_shards`.
    ids = given.num_reserved_ids + np.arange(len(distorted))
    drawable = int(np.count_nonzero(distorted[ids % given.num_shards == given.shard]))
    if unique and num_sampled > drawable:
        errors.fail(
            "num_sampled",
            f"at most {drawable}, the classes of non-zero weight in {source} (unique=True)",
            num_sampled,
        )


def of_shard(given: UnigramWeights) -> np.ndarray:
    """Returns the float32 weights in TensorFlow's kernel, one for each id of the shard.

    Raises an `ArgumentError` if the weights cannot be read or are not valid.
    """
    if bool(given.vocab_file) == bool(given.unigrams):
        came = "both" if given.vocab_file else "neither"
        errors.fail("vocab_file, unigrams", "one of the two", came)
    found, source = _weights(given)
    if found is None:
        expected = "a readable CSV file, the last column numbers"
        errors.fail("vocab_file", expected, repr(given.vocab_file))
    weights = np.asarray(found, np.float32)
    checks.unigram_weights(weights[~((weights >= 0) & np.isfinite(weights))], source)
    with np.errstate(all="ignore"):
        distorted = np.power(weights, np.float32(given.distortion))
    checks.unigram_weights(distorted[~np.isfinite(distorted)], f"{source} ** distortion")
    # The kernel numbers the weights from the reserved ids of this shard on, not of all shards.
    reserved = len(range(given.shard, given.num_reserved_ids, given.num_shards))
    ids = np.arange(reserved, reserved + len(distorted))
    mine = distorted[ids % given.num_shards == given.shard]
    return np.concatenate([np.zeros(reserved, np.float32), mine])


def _path(vocab_file: Any) -> str:
    if vocab_file is None:
        return ""
    try:
        return os.fsdecode(vocab_file)
    except TypeError:
        errors.fail("vocab_file", "a path", checks.described(vocab_file), errors.ArgumentTypeError)


def _numbers(unigrams: Any) -> list[float]:
    """Returns a list of numbers as floats. (A tensor would be symbolic in a graph.)"""
    expected = "a list of numbers that are known while the call is traced"
    known = tf.get_static_value(unigrams) if isinstance(unigrams, tf.Tensor) else unigrams
    try:
        array = np.asarray(() if unigrams is None else known)
        array = array if array.dtype.kind in "SUmM" else array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.asarray("")
    if array.dtype.kind != "f" or array.ndim != 1:
        got = checks.described(unigrams)
        errors.fail("unigrams", expected, got, errors.ArgumentTypeError)
    return array.tolist()


def _weights(given: UnigramWeights) -> tuple[Optional[Sequence[float]], str]:
    path = given.vocab_file
    if not path:
        return (given.unigrams, "unigrams") if given.unigrams else (None, "")
    if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
        return None, ""
    stamp = tf.io.gfile.stat(path)
    return _vocabulary(path, stamp.length, stamp.mtime_nsec), f"vocab_file {path!r}"


@functools.lru_cache(maxsize=8)
def _vocabulary(path: str, length: int, mtime: int) -> Optional[tuple[float, ...]]:
    """Reads a file's last column; again if `length` or `mtime`, keys of the cache, have changed."""
    del length, mtime
    try:
        with tf.io.gfile.GFile(path) as lines:
            return tuple(float(row[-1]) for row in csv.reader(lines) if row)
    except (ValueError, UnicodeDecodeError):
        return None
