"""The options of the command."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from tf_sampled_compat.cli.printable import printable
from tf_sampled_compat.migrate.finding.discovery import STDIN
from tf_sampled_compat.migrate.rules.which_namespace import ERAS

_DESCRIPTION = """\
Rewrites code that calls the sampled losses of TensorFlow 0.x, 1.x, 2.x or tf.contrib.nn so that it
calls tf_sampled_compat. The prefix of each call changes; its arguments and its meaning do not.
Reports each change, and each place that a person must look at, with the reason and the way out.
"""
_EPILOG = """\
A folder is searched recursively for *.py, *.pyw and *.ipynb. Hidden folders, virtual environments,
site-packages, dist-packages, node_modules and __pycache__ are skipped; name one of them to search
it. TensorFlow's own sources are never changed. With "-" the code comes from the standard input, and
--write prints the result.

A comment "# migrate: ok" on a reported line withdraws the report.

Exit codes: 0: done. 1: a file could not be read, parsed or written, or --check found something to
change or to look at. 2: a bad option, or a path that does not exist.
"""


def parser(program: str) -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    options = argparse.ArgumentParser(
        prog=program,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument(
        "paths", nargs="+", metavar="PATH", help="file, notebook, folder, or - for standard input"
    )
    options.add_argument(
        "--from",
        dest="era",
        choices=ERAS,
        default="1.x",
        help="the TensorFlow that the code was written for. In 0.x, inputs come before labels. A "
        'call without a strategy means "mod" in 0.x and 1.x, and "div" in 2.x (default: '
        "%(default)s)",
    )
    mode = options.add_mutually_exclusive_group()
    for name, text in (
        ("diff", "print the changes and write nothing (the default)"),
        ("write", "rewrite the files, and keep the old ones as FILE.bak"),
        ("check", "write nothing; exit with 1 if there is anything to change or to look at"),
    ):
        mode.add_argument(
            f"--{name}", dest="mode", action="store_const", const=name, default="diff", help=text
        )
    return options


def parse(options: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the chosen `paths`, `era` and `mode`; exits for a bad option or path."""
    chosen = options.parse_args(arguments)
    for path in chosen.paths:
        if path != STDIN and not os.path.lexists(path):
            options.error(f"argument PATH: {printable(path)} does not exist")
    if STDIN in chosen.paths and len(chosen.paths) > 1:
        options.error("argument PATH: - stands alone: no other path may be given with it")
    return chosen
