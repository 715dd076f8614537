"""The command's options."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from tf_sampled_compat.migrate.finding.discovery import STDIN
from tf_sampled_compat.migrate.rules.which_namespace import ERAS

_DESCRIPTION = """\
Rewrites code that calls the sampled losses of TensorFlow 0.x, 1.x and 2.x, and those of
tf.contrib.nn, to call tf_sampled_compat's: the prefix of each call changes, its arguments and
meaning do not. Reports what changed, and what a person must look at, each with the reason and the
way out.
"""
_EPILOG = """\
A folder is searched for *.py, *.pyw and *.ipynb all the way down, but for hidden folders, virtual
environments, site-packages, dist-packages, node_modules and __pycache__; name one of those to
search it. TensorFlow's own sources are read and left alone. With - the code comes from the standard
input, and --write prints the result.

A comment "# migrate: ok" on a line that is reported takes the report back.

Exit codes: 0; 1 if a file could not be read, parsed or written, or with --check if anything remains
to change or to look at; 2 for a wrong call or a path that does not exist.
"""


def parser(program: str) -> argparse.ArgumentParser:
    """Returns the parser of the options."""
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
        help="the TensorFlow the code was written for: in 0.x inputs come before labels; a call "
        'without a strategy means "mod" in 0.x and 1.x, "div" in 2.x (default: %(default)s)',
    )
    mode = options.add_mutually_exclusive_group()
    for name, text in (
        ("diff", "print what would change, write nothing (the default)"),
        ("write", "rewrite the files, each keeping its old self as FILE.bak"),
        ("check", "write nothing; exit with 1 if anything remains to change or to look at"),
    ):
        mode.add_argument(
            f"--{name}", dest="mode", action="store_const", const=name, default="diff", help=text
        )
    return options


def parse(options: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the chosen `paths`, `era` and `mode`; ends the program for a bad option or path."""
    chosen = options.parse_args(arguments)
    for path in chosen.paths:
        if path != STDIN and not os.path.lexists(path):
            options.error(f"argument PATH: {path} does not exist")
    if STDIN in chosen.paths and len(chosen.paths) > 1:
        options.error("argument PATH: - stands alone")
    return chosen
