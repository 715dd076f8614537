"""`python -m tf_sampled_compat migrate`: the command's entry point."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

_MISSING = "migrate needs LibCST: pip install 'tf_sampled_compat[migrate]'"
_BROKEN_PIPE = 141  # 128 + SIGPIPE, as shells report it


def main(arguments: Sequence[str], program: str) -> int:
    """Runs the migration.

    Args:
      arguments: The command line after `migrate`.
      program: The command's name, for the usage line.

    Returns:
      The exit code: 0; or 1 if LibCST is missing, if a file could not be read, parsed or written,
      or, with --check, if anything remains to be done.

    Raises:
      SystemExit: With code 2, for a bad option or a path that does not exist.
    """
    from tf_sampled_compat.migrate import options

    parser = options.parser(program)
    chosen = options.parse(parser, arguments)
    try:
        importlib.import_module("libcst")
    except ImportError:
        print(_MISSING, file=sys.stderr)
        return 1

    from tf_sampled_compat.migrate.run import run

    try:
        return run(chosen.paths, era=chosen.era, mode=chosen.mode)
    except BrokenPipeError:
        # Whoever read has had enough; what Python would flush at its end has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
