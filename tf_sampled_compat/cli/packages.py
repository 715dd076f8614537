"""The packages that a command needs beyond the package's own dependencies."""

from __future__ import annotations

import importlib
from typing import Optional

_SPELLING = {"libcst": "LibCST"}


def missing(command: str, *modules: str) -> Optional[str]:
    """Returns the message that says what to install, or None if every module can be imported.

    Args:
      command: The command, which is also the name of the extra in pyproject.toml.
      *modules: The modules that the extra brings.
    """
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError:
        names = " and ".join(_SPELLING.get(module, module) for module in modules)
        return f"{command} needs {names}: pip install 'tf_sampled_compat[{command}]'"
    return None
