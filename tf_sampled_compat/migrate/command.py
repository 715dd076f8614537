"""`python -m tf_sampled_compat migrate`: the command's entry point."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tf_sampled_compat.cli import exit_codes, packages


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
    if message := packages.missing("migrate", "libcst"):
        print(message, file=sys.stderr)
        return exit_codes.FAILED

    from tf_sampled_compat.migrate.run import run

    try:
        return run(chosen.paths, era=chosen.era, mode=chosen.mode)
    except BrokenPipeError:
        # The reader closed the pipe. Python flushes the standard output at exit: into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.BROKEN_PIPE
