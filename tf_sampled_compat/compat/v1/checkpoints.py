"""Cuts the tables of a TF 1 checkpoint another way, reading and writing it piece by piece."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Optional, Union

import numpy as np
import tensorflow as tf

from tf_sampled_compat.compat.v1.resharding import Cut, check_pieces, cut
from tf_sampled_compat.core.arguments import errors

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


class Layout(NamedTuple):
    """How a checkpoint holds a table.

    >>> partitioned = tsc.compat.v1.Layout("model/weights", shards=5)  # get_variable(partitioner=)
    >>> servers = tsc.compat.v1.Layout(["weights_0", "weights_1"], strategy="mod")

    Attributes:
      names: The names of its pieces' tensors, in order; or the one name under which a checkpoint
        holds a variable, or all the pieces of a PartitionedVariable (without "/part_0").
      strategy: The `partition_strategy` of its lookups: "div" or "mod".
      shards: How many pieces the one name stands for: 1 by default. Of several, their number.
    """

    names: Union[str, Sequence[str]]
    strategy: str = "div"
    shards: Optional[int] = None


class _Held(NamedTuple):
    """A table, or a slot of it, as one checkpoint holds it."""

    names: list[str]
    cut: Cut
    row: tuple[int, ...]
    dtype: tf.DType

    def where(self, piece: int) -> tuple[str, str]:
        """Returns a piece's tensor and, if it is a part of that, which (as SaveV2 takes it)."""
        if len(self.names) > 1 or self.cut.shards == 1:
            return self.names[piece], ""
        sizes, row = self.cut.sizes, self.row
        shape = " ".join(str(size) for size in (self.cut.num_rows, *row))
        parts = [f"{sum(sizes[:piece])},{sizes[piece]}", *(f"0,{size}" for size in row)]
        return self.names[0], f"{shape} {':'.join(parts)}"


def reshard_checkpoint(
    source: str,
    target: str,
    tables: Sequence[tuple[Layout, Layout]],
    *,
    slots: bool = True,
    memory: int = 1 << 30,
) -> str:
    """Writes a checkpoint in which tables are cut another way, and all else is as it was.

    Each class id finds, in the new layout and under its strategy, the row it had in the old one.
    The values that an optimizer keeps for a row go with it.

    >>> tsc.compat.v1.reshard_checkpoint("old/model.ckpt-1000", "new/model.ckpt-1000", [
    ...     (tsc.compat.v1.Layout("weights", "mod", shards=5), tsc.compat.v1.Layout("weights")),
    ... ])  # doctest: +SKIP
    'new/model.ckpt-1000'

    Args:
      source: The prefix of a checkpoint that `tf.compat.v1.train.Saver` wrote.
      target: The prefix of the one to write.
      tables: Pairs of `Layout`s: of the table as it is in `source`, and as it is to be.
      slots: Whether tensors named after a table, `weights/Adagrad` or `optimizer/weights/Adam`,
        that are as long as it are cut with it.
      memory: How many bytes of a table to hold at a time, at the least a piece of the old layout
        and one of the new. Each time through, the old layout's pieces are read once.

    Returns:
      `target`, for `Saver.restore`.

    Raises:
      ValueError: If a name is not in the checkpoint or would be there twice, a layout does not fit
        the tensors, or the checkpoint is an object-based one (of `tf.train.Checkpoint`).

    Source: `tf.compat.v1.train.Saver` of TensorFlow 1.15.
    """
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
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    folder = tempfile.mkdtemp(prefix=".reshard", dir=os.path.dirname(target) or ".")
    try:
        writer = _Writer(folder)
        for group in _batches(kept, shapes, dtypes, memory):
            writer.write([(name, "", reader.get_tensor(name), dtypes[name]) for name in group])
        for old, new in pairs:
            for group in _groups(new, memory):
                writer.write(list(_cut_anew(source, old, new, group)))
        writer.merge(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _reader(source: str) -> Any:
    try:
        reader = tf.train.load_checkpoint(source)
    except Exception as error:  # ValueError, NotFoundError, DataLossError, by release.
        errors.fail("source", "the prefix of a checkpoint", f"{source!r} ({error})")
    if _OBJECT_GRAPH in reader.get_variable_to_shape_map():
        errors.fail(
            "source",
            "a checkpoint of tf.compat.v1.train.Saver",
            f"{source!r} of tf.train.Checkpoint, whose objects say what belongs where: restore it, "
            "and use tf_sampled_compat.compat.v1.reshard on the variables' values",
        )
    return reader


def _pair(old: Layout, new: Layout, shapes: dict, dtypes: dict) -> tuple[_Held, _Held]:
    old_names, new_names = _names(old), _names(new)
    for name in old_names:
        if name not in shapes:
            near = difflib.get_close_matches(name, shapes, 3) or sorted(shapes)[:3]
            errors.fail("tables", f"names that the checkpoint holds (such as {near})", repr(name))
    before = _held(old, old_names, [shapes[n] for n in old_names], [dtypes[n] for n in old_names])
    after = cut(before.cut.num_rows, _shards(new, new_names), new.strategy, "strategy", "shards")
    return before, _Held(new_names, after, before.row, before.dtype)


def _held(layout: Layout, names: list[str], shapes: list, dtypes: list) -> _Held:
    if any(len(shape) < 1 for shape in shapes):
        errors.fail("tables", f"tensors of shape [rows, ...] as {names}", f"shapes {shapes}")
    check_pieces("tables", shapes, dtypes)
    num_rows = sum(shape[0] for shape in shapes)
    cuts = cut(num_rows, _shards(layout, names), layout.strategy, "strategy", "shards")
    return _Held(names, cuts, tuple(shapes[0][1:]), dtypes[0])


def _names(layout: Layout) -> list[str]:
    names = [layout.names] if isinstance(layout.names, str) else list(layout.names)
    if not names:
        errors.fail("tables", "a Layout with at least one name", layout)
    return names


def _shards(layout: Layout, names: list[str]) -> int:
    if len(names) > 1 and layout.shards not in (None, len(names)):
        errors.fail("shards", f"{len(names)}, as there are so many names", layout.shards)
    return len(names) if layout.shards is None else layout.shards


def _slots(pair: tuple[_Held, _Held], shapes: dict, dtypes: dict) -> Iterator[tuple[_Held, _Held]]:
    """Yields the tables named after a table, each of whose pieces is as long as the table's."""
    old, new = pair
    named = re.compile(rf"(.+/)?{re.escape(old.names[0])}(/.+)?")
    for key in sorted(shapes):
        match = named.fullmatch(key)
        if not match:
            continue
        before, after = match[1] or "", match[2] or ""
        names = [before + name + after for name in old.names]
        if any(name not in shapes for name in names):
            continue
        rows = [shapes[name][:1] for name in names]
        whole = len(names) == 1
        if rows != [[size] for size in ([old.cut.num_rows] if whole else old.cut.sizes)]:
            continue
        row, dtype = tuple(shapes[key][1:]), dtypes[key]
        renamed = [before + name + after for name in new.names]
        yield _Held(names, old.cut, row, dtype), _Held(renamed, new.cut, row, dtype)


def _check_names(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        errors.fail("tables", "new names that nothing else in the checkpoint has", twice)


def _groups(new: _Held, memory: int) -> Iterator[list[int]]:
    """Yields the new pieces to hold at a time."""
    largest = max(new.cut.sizes) * int(np.prod(new.row, dtype=np.int64)) * new.dtype.size
    count = max(1, memory // max(1, largest))
    for first in range(0, new.cut.shards, count):
        yield list(range(first, min(first + count, new.cut.shards)))


def _batches(names: list[str], shapes: dict, dtypes: dict, memory: int) -> Iterator[list[str]]:
    """Yields names whose tensors together are of at most so many bytes, or one."""
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


def _cut_anew(source: str, old: _Held, new: _Held, group: list[int]) -> Iterator[tuple]:
    ids = [new.cut.ids(piece) for piece in group]
    pieces = [np.empty((len(i), *old.row), old.dtype.as_numpy_dtype) for i in ids]
    for p in range(old.cut.shards):
        wanted = [old.cut.rows(i, p) for i in ids]
        if any(len(held) for held, _ in wanted):
            read = _read(source, *old.where(p), old.dtype)
            for piece, (held, rows) in zip(pieces, wanted):
                piece[held] = read[rows]
    for number, piece in zip(group, pieces):
        yield (*new.where(number), piece, new.dtype)


def _read(prefix: str, name: str, part: str, dtype: tf.DType) -> np.ndarray:
    # In a session of its own: it works with TensorFlow 2's behaviour and without.
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        read = tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=[name], shape_and_slices=[part], dtypes=[dtype]
        )
        return session.run(read)[0]


class _Writer:
    """Writes tensors and parts of tensors to files, and makes one checkpoint of them."""

    def __init__(self, folder: str):
        self._folder = folder
        self._prefixes: list[str] = []

    def write(self, items: Sequence[tuple[str, str, Any, tf.DType]]) -> None:
        """Writes (name, which part of it or "", values, dtype)."""
        # A file holds a name once, so the parts of one tensor go to several.
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
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            session.run(
                tf.raw_ops.MergeV2Checkpoints(
                    checkpoint_prefixes=self._prefixes,
                    destination_prefix=target,
                    delete_old_dirs=True,
                )
            )
