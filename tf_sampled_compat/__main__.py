"""`python -m tf_sampled_compat COMMAND`: finds the command's module and runs it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple, Optional

from tf_sampled_compat.cli import exit_codes

PROGRAM = "python -m tf_sampled_compat"


class Command(NamedTuple):
    """A command: a module with `main(arguments, program) -> exit code`, imported when called."""

    module: str
    summary: str


COMMANDS = {
    "demo": Command(
        "tf_sampled_compat.demo.command",
        "train one model with each loss on real text, beside TensorFlow's own",
    ),
    "bench": Command(
        "tf_sampled_compat.bench.command",
        "time the losses and measure their memory, beside TensorFlow's own",
    ),
    "doctor": Command(
        "tf_sampled_compat.doctor.command",
        "show what is installed, whether the C++ op works, and which calls use it",
    ),
    "migrate": Command(
        "tf_sampled_compat.migrate.command",
        "rewrite code for TensorFlow 0.x, 1.x or 2.x to call this package's losses",
    ),
}


def usage() -> str:
    """Returns the page that lists the commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            f"usage: {PROGRAM} COMMAND [option ...]",
            "",
            "commands:",
            *lines,
            "",
            f"{PROGRAM} COMMAND -h shows the options of a command.",
        ]
    )


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs a command.

    Args:
      arguments: The command's name and its options; default: those of this process.

    Returns:
      The exit code: 2 for a wrong call, 130 after Ctrl-C, else the command's own.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments and arguments[0] in ("-h", "--help"):
        print(usage())
        return exit_codes.OK
    if not arguments:
        print(usage(), file=sys.stderr)
        return exit_codes.USAGE
    name, *options = arguments
    if name not in COMMANDS:
        print(f"{usage()}\n\nerror: unknown command {name!r}", file=sys.stderr)
        return exit_codes.USAGE
    try:
        return importlib.import_module(COMMANDS[name].module).main(options, f"{PROGRAM} {name}")
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return exit_codes.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
