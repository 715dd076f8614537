"""`python -m tf_sampled_compat demo`: reads, trains, evaluates, reports."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence

from tf_sampled_compat.cli import exit_codes, packages
from tf_sampled_compat.cli.options import make_folder


def main(arguments: Sequence[str], program: str) -> int:
    """Runs the demo.

    Args:
      arguments: Its options.
      program: The command as called, for the usage line.

    Returns:
      0; 1 if an extra or a usable Keras is missing, or a picture cannot be written; 130 after
      Ctrl-C.

    Raises:
      SystemExit: With code 2 for a bad option.
    """
    from tf_sampled_compat.demo import options

    parser = options.parser(program)
    chosen = parser.parse_args(arguments)
    if message := packages.missing("demo", "rich", "matplotlib"):
        print(message, file=sys.stderr)
        return exit_codes.FAILED
    try:
        importlib.import_module("tf_sampled_compat.keras")
    except ImportError as error:
        print(error, file=sys.stderr)
        return exit_codes.FAILED

    from tf_sampled_compat.demo.run import run

    started = time.perf_counter()
    corpus = options.read(chosen, parser)
    plan = options.plan(chosen, parser, corpus.num_classes)
    make_folder(chosen.output, parser)
    return run(corpus, plan, folder=chosen.output, started=started)
