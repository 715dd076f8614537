"""`python -m tf_sampled_compat bench`: measures, reports, writes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tf_sampled_compat.cli import exit_codes, packages
from tf_sampled_compat.cli.options import make_folder


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
    if message := packages.missing("bench", "rich", "matplotlib"):
        print(message, file=sys.stderr)
        return exit_codes.FAILED

    import tensorflow as tf

    from tf_sampled_compat.core.backends import library

    # Each cell traces its own function, which TensorFlow takes for retracing and warns of.
    tf.get_logger().setLevel("ERROR")
    try:
        library.load()
    except library.LibraryError as error:
        print(f"the bench compares the C++ op with TensorFlow's ops, but {error}", file=sys.stderr)
        return exit_codes.FAILED

    from tf_sampled_compat.bench.run import run

    make_folder(chosen.output, parser)
    command = " ".join([program, *arguments])
    with tf.device("CPU:0"):  # TensorFlow would place the tables on a GPU.
        return run(chosen.sections, chosen.effort, chosen.output, command=command)
