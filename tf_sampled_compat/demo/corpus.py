"""The text of the demo: identifiers of source code, numbered by decreasing frequency."""

from __future__ import annotations

import re
import sysconfig
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np

# One of this many segments of text is held out.
HELD_OUT_ONE_IN = 20
_LONGEST_SEGMENT = 1000
_INSTALLED_BY_OTHERS = {"site-packages", "dist-packages"}

_WORD = r"(?<!\w)[^\W\d]\w*"
_WORDS = re.compile(_WORD)
# Strings and comments match without the group, so that only names are captured.
_PYTHON = re.compile(
    r'''
    (?:\b[rRbBuUfFtT]{1,2})?
    (?: """ [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* (?: """ | \\?\Z )
      | \'\'\' [^'\\]* (?: (?: \\. | '(?!'') ) [^'\\]* )* (?: \'\'\' | \\?\Z )
      | " [^"\\\n]* (?: \\. [^"\\\n]* )* "
      | ' [^'\\\n]* (?: \\. [^'\\\n]* )* ' )
    | \#[^\n]*
    | ('''
    + _WORD
    + ")",
    re.VERBOSE | re.DOTALL,
)


class Windows(NamedTuple):
    """Places in the text: the identifier at each place, and those before it.

    Attributes:
      contexts: `[N, width]` int64 ids of the identifiers before each place.
      labels: `[N, 1]` int64 ids of the identifiers to predict.
    """

    contexts: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> Windows:
        """Returns the places at these indices; indices wrap around the end."""
        indices = indices % len(self)
        return Windows(self.contexts[indices], self.labels[indices])


class Corpus(NamedTuple):
    """A text, divided into places to train on and places to evaluate on.

    Attributes:
      vocabulary: The identifiers of the training text, most frequent first. Class k is the k-th
        identifier, as log-uniform sampling assumes.
      counts: `[len(vocabulary)]` int64: how often each identifier occurs in the training text.
      train: The places to train on.
      held_out: The places to evaluate on.
      unknown: The share of held-out identifiers outside the vocabulary, which are left out.
    """

    vocabulary: list[str]
    counts: np.ndarray
    train: Windows
    held_out: Windows
    unknown: float

    @property
    def num_classes(self) -> int:
        """The number of classes: the size of the vocabulary."""
        return len(self.vocabulary)


def standard_library() -> list[Path]:
    """Returns the Python files of this interpreter's standard library."""
    root = Path(sysconfig.get_paths()["stdlib"])
    return sorted(
        path
        for path in root.rglob("*.py")
        if path.is_file() and not _INSTALLED_BY_OTHERS.intersection(path.relative_to(root).parts)
    )


def identifiers(path: Path) -> list[str]:
    """Returns the identifiers of a file in order.

    In Python these are the names outside strings and comments, in other text all words.

    Args:
      path: The file. Bytes that are not UTF-8 separate identifiers.

    Raises:
      OSError: If it cannot be read.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".py":
        return _WORDS.findall(text)
    return [name for name in _PYTHON.findall(text) if name]


def build(documents: Iterable[Sequence[str]], *, width: int, most: Optional[int] = None) -> Corpus:
    """Cuts documents into segments, holds some out, and numbers the identifiers of the rest.

    Args:
      documents: The identifiers of each document, in order.
      width: How many identifiers before a place form its context.
      most: The largest size of the vocabulary; rarer identifiers are left out of the text.

    Returns:
      The corpus; its parts are empty if the documents are too short.
    """
    segments = _segments(list(documents))
    held_out = segments[HELD_OUT_ONE_IN - 1 :: HELD_OUT_ONE_IN]
    train = [part for i, part in enumerate(segments, start=1) if i % HELD_OUT_ONE_IN]
    counts = Counter(name for part in train for name in part)
    # Equal counts go alphabetically, so that the same text always gets the same numbers.
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    ids = {name: k for k, (name, _) in enumerate(ranked)}
    train, known = (
        [[ids[name] for name in part if name in ids] for part in parts]
        for parts in (train, held_out)
    )
    total = sum(map(len, held_out))
    return Corpus(
        vocabulary=[name for name, _ in ranked],
        counts=np.array([count for _, count in ranked], np.int64),
        train=_windows(train, width),
        held_out=_windows(known, width),
        unknown=1 - sum(map(len, known)) / total if total else 0.0,
    )


def _segments(documents: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Cuts documents into pieces that are short enough to hold some of a small file out."""
    total = sum(map(len, documents))
    length = max(1, min(_LONGEST_SEGMENT, total // (2 * HELD_OUT_ONE_IN)))
    return [
        document[start : start + length]
        for document in documents
        for start in range(0, len(document), length)
    ]


def _windows(segments: Iterable[Sequence[int]], width: int) -> Windows:
    """Returns every place with at least `width` identifiers before it in its segment."""
    pieces = [
        np.lib.stride_tricks.sliding_window_view(np.array(segment, np.int64), width + 1)
        for segment in segments
        if len(segment) > width
    ]
    rows = np.concatenate(pieces) if pieces else np.empty([0, width + 1], np.int64)
    return Windows(rows[:, :width], rows[:, width:])
