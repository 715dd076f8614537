"""`python -m tf_sampled_compat bench`: measures, reports, writes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

_MISSING = "the bench needs rich and matplotlib: pip install 'tf_sampled_compat[bench]'"


def main(arguments: Sequence[str], program: str) -> int:
    """Runs the bench.

    Args:
      arguments: Its options.
      program: The command as called, for the usage line.

    Returns:
      0; 1 if an extra or the C++ op is missing, or nothing can be written; 130 after Ctrl-C.

    Raises:
      SystemExit: With code 2 for a bad option.
    """
    from tf_sampled_compat.bench import options

    parser = options.parser(program)
    chosen = options.parse(parser, arguments)
    try:
        importlib.import_module("rich")
        importlib.import_module("matplotlib")
    except ImportError:
        print(_MISSING, file=sys.stderr)
        return 1

    import tensorflow as tf

    from tf_sampled_compat.core.backends import library

    # A function traced for each cell is what it takes for a retracing, and warns of.
    tf.get_logger().setLevel("ERROR")
    try:
        library.load()
    except library.LibraryError as error:
        print(f"the bench compares the C++ op with TensorFlow's ops, but {error}", file=sys.stderr)
        return 1

    from tf_sampled_compat.bench.run import run

    options.make_folder(chosen.output, parser)
    command = " ".join([program, *arguments])
    with tf.device("CPU:0"):  # Where there is a GPU the tables would go there.
        return run(chosen.sections, chosen.effort, chosen.output, command=command)
