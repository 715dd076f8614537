"""Options that several commands have, checked before anything is written."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def add_output(parser: argparse.ArgumentParser, folder: str, *, holds: str) -> None:
    """Adds `--output DIR`.

    Args:
      parser: The command's parser.
      folder: The default.
      holds: The files that the command writes there, for the help text.
    """
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(folder),
        metavar="DIR",
        help=f"folder for {holds} (default: %(default)s)",
    )


def make_folder(folder: Path, parser: argparse.ArgumentParser) -> None:
    """Makes the output folder; ends the program with an error if it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --output: cannot make {folder}: {error.strerror}")
    if not os.access(folder, os.W_OK | os.X_OK):
        parser.error(f"argument --output: cannot write into {folder}")


def whole(text: str) -> int:
    """Parses a whole number: a `type` for argparse."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None


def positive(text: str) -> int:
    """Parses a positive whole number: a `type` for argparse."""
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be positive, not {text}")
    return number
