"""Files cut short, changed or made up, from a good one."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Iterator

import numpy as np

ODD = (None, -1, 0, 1.5, 10**30, "x", "", [], {}, [[1]], {"class_name": "x"}, True, 1e308)


def of_bytes(raw: bytes, changes: int = 12) -> Iterator[tuple[str, bytes]]:
    """Yields nothing, beginnings, noise, and the whole with some bits changed."""
    r = np.random.RandomState(0)
    yield "empty", b""
    for size in sorted({1, 4, 30, len(raw) // 2, len(raw) - 1}):
        yield f"first-{size}", raw[:size]
    for number in range(changes):
        changed = bytearray(raw)
        for place in r.randint(0, len(raw), 1 + number % 3):
            changed[place] ^= 1 << r.randint(8)
        yield f"changed-{number}", bytes(changed)
    yield "noise", r.bytes(len(raw))


def of_zip(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Yields archives whose names lead elsewhere, or whose members are missing or changed."""
    members = {name: archive.read(name) for archive in [_open(raw)] for name in archive.namelist()}
    for name in ("../outside", "/outside", "a\\..\\..\\outside", "con", "x" * 300):
        yield f"named-{name[:9].replace('/', '-')}", _zip({**members, name: b"x"})
    yield "no members", _zip({})
    for name in members:
        yield f"without {name}", _zip({k: v for k, v in members.items() if k != name})
        yield f"{name} empty", _zip({**members, name: b""})
        yield f"{name} cut", _zip({**members, name: members[name][: len(members[name]) // 2]})


def of_config(raw: bytes, classes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Yields archives in whose configuration one value of an object of these classes is odd."""
    members = {name: archive.read(name) for archive in [_open(raw)] for name in archive.namelist()}
    config = json.loads(members["config.json"])
    r = np.random.RandomState(0)
    for number, place in enumerate(_places(config, classes)):
        for odd in r.choice(len(ODD), 3, replace=False):
            changed = copy.deepcopy(config)
            inner = changed
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = ODD[odd]
            text = json.dumps(changed).encode()
            yield f"{number} {place[-1]}={ODD[odd]!r}", _zip({**members, "config.json": text})


def _places(node, classes, path=(), ours=False):
    """Yields where the values of objects of these classes are."""
    if isinstance(node, dict):
        ours = ours or str(node.get("class_name", "")).rpartition(">")[2] in classes
        for key, value in node.items():
            if ours:
                yield (*path, key)
            yield from _places(value, classes, (*path, key), ours)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _places(value, classes, (*path, number), ours)


def _open(raw: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(raw))


def _zip(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()
