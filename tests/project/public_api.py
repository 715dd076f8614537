"""The public API as text: every name in every `__all__`, with its signature.

`python -m tests.project.public_api` prints it; `--write` records it in `public_api.txt`.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
import pathlib
import sys
import types
from collections.abc import Iterator
from typing import Any

PACKAGE = "tf_sampled_compat"
RECORD = pathlib.Path(__file__).with_suffix(".txt")


class _Text:
    """An annotation that prints without quotes; Python releases differ in quoting them."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def modules() -> list[str]:
    """Returns the public modules: the package, and every module in a public `__all__`."""
    found, waiting = [], [PACKAGE]
    while waiting:
        name = waiting.pop(0)
        found.append(name)
        module = importlib.import_module(name)
        for child in module.__all__:
            if inspect.ismodule(getattr(module, child)):
                waiting.append(f"{name}.{child}")
    return sorted(found)


def lines(module: str) -> list[str]:
    """Returns the description of one public module, with a line for each parameter."""
    namespace = importlib.import_module(module)
    return [line for name in sorted(namespace.__all__) for line in _entry(namespace, name)]


def recorded() -> dict[str, list[str]]:
    """Returns the recorded lines of each module."""
    sections: dict[str, list[str]] = {}
    for line in RECORD.read_text().splitlines():
        if line.startswith("# "):
            section = sections.setdefault(line[2:], [])
        elif line:
            section.append(line)
    return sections


def _entry(namespace: types.ModuleType, name: str) -> Iterator[str]:
    value = getattr(namespace, name)
    if inspect.ismodule(value):
        yield f"module {name}"
    elif inspect.isclass(value):
        yield from _class(name, value)
    elif callable(value):
        yield from _callable(f"def {name}", value)
    else:
        yield f"{name}: {type(value).__name__}"


def _class(name: str, cls: type) -> Iterator[str]:
    """Describes a class: its constructor and the public members that the package defines.

    Other members come from Keras or TensorFlow, whose releases differ.
    """
    members: dict[str, Any] = {}
    for owner in reversed(cls.__mro__):
        if owner.__module__.startswith(PACKAGE):
            members.update(vars(owner))
    if "__init__" in members:
        yield from _callable(f"class {name}", members["__init__"])
    elif "_fields" in members:  # a NamedTuple
        yield f"class {name}"
        for field, kind in members["__annotations__"].items():
            del members[field]
            yield f"    {field}: {getattr(kind, '__forward_arg__', kind)}"
    else:
        yield f"class {name}: constructor of the base class"
    for member in sorted(members):
        if not member.startswith("_") or member == "__call__":
            yield from _member(f"{name}.{member}", members[member])


def _member(name: str, member: Any) -> Iterator[str]:
    if isinstance(member, (classmethod, staticmethod)):
        yield from _callable(f"{type(member).__name__} {name}", member.__func__)
    elif isinstance(member, (property, functools.cached_property)):
        yield f"property {name}"
    elif callable(member):
        yield from _callable(f"def {name}", member)
    else:
        yield f"attribute {name}"


def _callable(title: str, function: Any) -> Iterator[str]:
    if not getattr(function, "__module__", "").startswith(PACKAGE):
        yield f"{title}: from {function.__module__.split('.')[0]}"
        return
    signature = inspect.signature(function)
    yield title
    kind = None
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and kind not in (
            parameter.KEYWORD_ONLY,
            parameter.VAR_POSITIONAL,
        ):
            yield "    *"
        kind = parameter.kind
        if parameter.name in ("self", "cls"):
            continue
        yield f"    {parameter.replace(annotation=_unquoted(parameter.annotation))}"
    if signature.return_annotation is not signature.empty:
        returned = _unquoted(signature.return_annotation)
        yield f"    -> {inspect.formatannotation(returned)}"


def _unquoted(annotation: Any) -> Any:
    return _Text(annotation) if isinstance(annotation, str) else annotation


def main() -> None:
    """Prints the API, or records it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"record it in {RECORD.name}")
    options = parser.parse_args()
    text = "\n\n".join("\n".join([f"# {module}", *lines(module)]) for module in modules()) + "\n"
    if options.write:
        RECORD.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
