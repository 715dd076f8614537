"""Cuts the tables of a TF 1 checkpoint another way, a few pieces at a time."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import tensorflow as tf

from tf_sampled_compat.compat.v1 import checkpoint_files, checkpoint_place
from tf_sampled_compat.compat.v1.resharding import Partition, check_pieces, partition
from tf_sampled_compat.core.arguments import checks, errors

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


class Layout(NamedTuple):
    """How a checkpoint holds a table: under which names, and divided how.

    >>> partitioned = tsc.compat.v1.Layout("model/weights", shards=5)  # get_variable(partitioner=)
    >>> servers = tsc.compat.v1.Layout(["weights_0", "weights_1"], strategy="mod")

    Attributes:
      names: The names of the pieces' tensors, in order. Or the one name of a variable; for a
        PartitionedVariable, its name without "/part_0".
      strategy: The `partition_strategy` of the table's lookups: "div" or "mod".
      shards: The number of pieces. For one name it is 1 by default; for several names it may be
        left out.
    """

    names: Union[str, Sequence[str]]
    strategy: str = "div"
    shards: Optional[int] = None


class _Stored(NamedTuple):
    """A table, or an optimizer's slot of it, in one of the two checkpoints.

    Attributes:
      names: The names of its tensors: one for each piece, or one for all.
      partition: Its division into pieces.
      row: The shape of a row.
      dtype: Its dtype.
    """

    names: list[str]
    partition: Partition
    row: tuple[int, ...]
    dtype: tf.DType

    def where(self, piece: int) -> tuple[str, str]:
        """Returns the name of a piece's tensor, and its part of that as SaveV2 spells it, or ""."""
        if len(self.names) > 1 or self.partition.shards == 1:
            return self.names[piece], ""
        sizes, row = self.partition.sizes, self.row
        shape = " ".join(str(size) for size in (self.partition.num_rows, *row))
        parts = [f"{sum(sizes[:piece])},{sizes[piece]}", *(f"0,{size}" for size in row)]
        return self.names[0], f"{shape} {':'.join(parts)}"


_Pair = tuple[_Stored, _Stored]  # A table in the source and in the target.


def reshard_checkpoint(
    source: Union[str, os.PathLike],
    target: Union[str, os.PathLike],
    tables: Sequence[tuple[Layout, Layout]],
    *,
    slots: bool = True,
    memory: int = 1 << 30,
) -> str:
    """Writes a copy of a checkpoint in which tables are cut another way.

    In the new layout, under its strategy, each class id finds the row that it had in the old one.
    The values that an optimizer keeps for a row move with it.

    If the process ends early, however it ends, `source` is whole, and `target` is the checkpoint
    that was there or the new one. A later call for the same folder removes what is left.

    >>> tsc.compat.v1.reshard_checkpoint("old/model.ckpt-1000", "new/model.ckpt-1000", [
    ...     (tsc.compat.v1.Layout("weights", "mod", shards=5), tsc.compat.v1.Layout("weights")),
    ... ])  # doctest: +SKIP
    'new/model.ckpt-1000'

    Args:
      source: The prefix of a checkpoint that `tf.compat.v1.train.Saver` wrote.
      target: The prefix of the checkpoint to write, another than `source`. A checkpoint that is
        there is replaced.
      tables: A pair of `Layout`s for each table: its layout in `source`, and that in `target`.
      slots: Whether to cut an optimizer's slots too: the tensors named after a table, such as
        `weights/Adagrad` or `optimizer/weights/Adam`, that have as many rows.
      memory: The bytes of a table to hold at a time. At least one old piece and one new piece are
        held. For each group of new pieces that fits, all old pieces are read once.

    Returns:
      `target`, for `Saver.restore`.

    Raises:
      ValueError: If a name is not in `source` or would be in `target` twice, if a layout does not
        fit the tensors or has more shards than rows, if `target` is `source`, or if the checkpoint
        is an object-based one of `tf.train.Checkpoint`.

    Source: `tf.compat.v1.train.Saver` of TensorFlow 1.15.
    """
    source, target = _places(source, target)
    reader = _reader(source)
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    pairs = [_pair(old, new, shapes, dtypes) for old, new in tables]
    if slots:
        tables_names = {name for old, _ in pairs for name in old.names}
        others = {name: shape for name, shape in shapes.items() if name not in tables_names}
        pairs += [slot for pair in list(pairs) for slot in _slots(pair, others, dtypes)]
    moved = {name for old, _ in pairs for name in old.names}
    kept = [name for name in sorted(shapes) if name not in moved]
    _check_names(kept + [name for _, new in pairs for name in new.names])
    with checkpoint_place.folder_beside(target) as folder:
        writer = checkpoint_files.Writer(folder)
        for group in _batches(kept, shapes, dtypes, memory):
            tensors = [(name, "", _read(reader, source, name), dtypes[name]) for name in group]
            writer.write(tensors)
        for old, new in pairs:
            for group in _groups(new, memory):
                writer.write(list(_cut_anew(source, old, new, group)))
        writer.merge(target)
    return target


def _places(source: Any, target: Any) -> tuple[str, str]:
    """Returns the checked prefixes. Of a folder, the source is the latest checkpoint in it."""
    paths = []
    for argument, value in (("source", source), ("target", target)):
        path = os.fspath(value) if isinstance(value, (str, os.PathLike)) else value
        if not isinstance(path, str):
            errors.fail(
                argument, "the prefix of a checkpoint", repr(value), errors.ArgumentTypeError
            )
        paths.append(path)
    source, target = paths
    if os.path.isdir(source):
        source = tf.train.latest_checkpoint(source) or source
    if not os.path.basename(target) or "\0" in target:
        errors.fail("target", "a prefix with a file name, such as 'new/model.ckpt'", repr(target))
    if checkpoint_place.same(source, target):
        errors.fail(
            "target",
            "another checkpoint than source",
            f"{target!r}, which has files of {source!r}; write to a new prefix, then delete the "
            "old checkpoint",
        )
    return source, target


def _reader(source: str) -> Any:
    try:
        reader = tf.train.load_checkpoint(source)
    except Exception as error:  # The class depends on the release.
        errors.fail("source", "the prefix of a checkpoint", f"{source!r} ({error})")
    if _OBJECT_GRAPH in reader.get_variable_to_shape_map():
        errors.fail(
            "source",
            "a checkpoint of tf.compat.v1.train.Saver",
            f"{source!r}, a checkpoint of tf.train.Checkpoint: restore it, and use "
            "tf_sampled_compat.compat.v1.reshard on the variables' values",
        )
    return reader


def _read(reader: Any, source: str, name: str) -> Any:
    try:
        return reader.get_tensor(name)
    except Exception as error:  # Of a file that is cut, an IndexError.
        errors.fail("source", "a whole checkpoint", f"{source!r}, whose {name!r} is not ({error})")


def _pair(old: Layout, new: Layout, shapes: dict, dtypes: dict) -> _Pair:
    old_names, new_names = _names(old), _names(new)
    for name in old_names:
        if name not in shapes:
            near = difflib.get_close_matches(name, shapes, 3) or sorted(shapes)[:3]
            errors.fail("tables", f"names that the checkpoint holds (such as {near})", repr(name))
    before = _stored(old, old_names, [shapes[n] for n in old_names], [dtypes[n] for n in old_names])
    shards = _shards(new, new_names, before.partition.num_rows)
    after = partition(before.partition.num_rows, shards, new.strategy, "strategy", "shards")
    return before, _Stored(new_names, after, before.row, before.dtype)


def _stored(layout: Layout, names: list[str], shapes: list, dtypes: list) -> _Stored:
    if any(len(shape) < 1 for shape in shapes):
        errors.fail("tables", f"tensors of shape [rows, ...] as {names}", f"shapes {shapes}")
    check_pieces("tables", shapes, dtypes)
    num_rows = sum(shape[0] for shape in shapes)
    shards = _shards(layout, names, num_rows)
    divided = partition(num_rows, shards, layout.strategy, "strategy", "shards")
    return _Stored(names, divided, tuple(shapes[0][1:]), dtypes[0])


def _names(layout: Layout) -> list[str]:
    given = layout.names
    names = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if not names:
        errors.fail("tables", "a Layout with at least one name", layout)
    if not all(isinstance(name, str) for name in names):
        errors.fail("tables", "names as text in a Layout", layout, errors.ArgumentTypeError)
    if not all(names):  # TensorFlow ends the process for one.
        errors.fail("tables", "names that are not empty in a Layout", layout)
    return names


def _shards(layout: Layout, names: list[str], num_rows: int) -> int:
    if len(names) > 1 and layout.shards not in (None, len(names)):
        errors.fail("shards", f"{len(names)}, the number of names", layout.shards)
    if layout.shards is None or len(names) > 1:
        return len(names)
    shards = checks.known_size("shards", layout.shards)
    if shards > max(num_rows, 1):  # A list of variables may have some without rows.
        errors.fail("shards", f"at most {num_rows}, the number of rows of {names[0]!r}", shards)
    return shards


def _slots(pair: _Pair, shapes: dict, dtypes: dict) -> Iterator[_Pair]:
    """Yields the slots of a table: tensors named after it, whose pieces have as many rows."""
    old, new = pair
    lengths = [old.partition.num_rows] if len(old.names) == 1 else old.partition.sizes
    named = re.compile(rf"(.+/)?{re.escape(old.names[0])}(/.+)?")
    for key in sorted(shapes):
        match = named.fullmatch(key)
        if not match:
            continue
        before, after = match[1] or "", match[2] or ""
        names = [before + name + after for name in old.names]
        if any(name not in shapes for name in names):
            continue
        if [shapes[name][:1] for name in names] != [[length] for length in lengths]:
            continue
        row, dtype = tuple(shapes[key][1:]), dtypes[key]
        renamed = [before + name + after for name in new.names]
        yield _Stored(names, old.partition, row, dtype), _Stored(renamed, new.partition, row, dtype)


def _check_names(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        errors.fail("tables", "new names that nothing else in the checkpoint has", twice)


def _groups(new: _Stored, memory: int) -> Iterator[list[int]]:
    """Yields groups of new pieces that fit into memory together, or single pieces."""
    largest = max(new.partition.sizes) * int(np.prod(new.row, dtype=np.int64)) * new.dtype.size
    count = max(1, memory // max(1, largest))
    for first in range(0, new.partition.shards, count):
        yield list(range(first, min(first + count, new.partition.shards)))


def _batches(names: list[str], shapes: dict, dtypes: dict, memory: int) -> Iterator[list[str]]:
    """Yields groups of names whose tensors fit into memory together, or single names."""
    batch, held = [], 0
    for name in names:
        size = int(np.prod(shapes[name], dtype=np.int64)) * dtypes[name].size
        if batch and held + size > memory:
            yield batch
            batch, held = [], 0
        batch.append(name)
        held += size
    if batch:
        yield batch


def _cut_anew(
    source: str, old: _Stored, new: _Stored, group: list[int]
) -> Iterator[tuple[str, str, np.ndarray, tf.DType]]:
    """Yields the new pieces of a group, as `checkpoint_files.Writer.write` takes them."""
    ids = [new.partition.ids(piece) for piece in group]
    pieces = [np.empty((len(i), *old.row), old.dtype.as_numpy_dtype) for i in ids]
    for p in range(old.partition.shards):
        wanted = [old.partition.rows(i, p) for i in ids]
        if any(len(held) for held, _ in wanted):
            read = checkpoint_files.read(source, *old.where(p), old.dtype)
            for piece, (held, rows) in zip(pieces, wanted):
                piece[held] = read[rows]
    for number, piece in zip(group, pieces):
        yield (*new.where(number), piece, new.dtype)
