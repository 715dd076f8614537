"""The bench's options, checked before anything is written."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tf_sampled_compat.bench.sections import SECTIONS
from tf_sampled_compat.bench.timing import Effort
from tf_sampled_compat.cli.options import add_output, positive

_FULL = Effort(quick=False, repeats=6, seconds=2.0)
_QUICK = Effort(quick=True, repeats=3, seconds=0.0)


def parser(program: str) -> argparse.ArgumentParser:
    """Returns the parser of the bench's options."""
    options = argparse.ArgumentParser(
        prog=program,
        description=(
            "Measures the sampled losses side by side: stock TensorFlow's, this package's C++ op, "
            "and the matrix products alone by OpenBLAS. All are timed in turns, in one process, "
            "on the same values. Each figure of memory comes from a fresh process."
        ),
        epilog="sections:\n"
        + "\n".join(f"  {name:<8}  {section.TITLE}" for name, section in SECTIONS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument(
        "sections", nargs="*", metavar="SECTION", help="what to measure (default: every section)"
    )
    options.add_argument(
        "--quick", action="store_true", help="tiny shapes, in seconds, to see that the bench works"
    )
    options.add_argument(
        "--repeats",
        type=positive,
        metavar="N",
        help="turns of each contender (default: at least "
        f"{_FULL.repeats}, and as many as take {_FULL.seconds:.0f} s)",
    )
    add_output(options, "bench_output", holds="bench.json and bench.png")
    return options


def parse(options: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Returns the chosen `sections`, `effort` and `output`; ends the program for a bad option."""
    chosen = options.parse_args(arguments)
    unknown = [name for name in chosen.sections if name not in SECTIONS]
    if unknown:
        options.error(
            f"argument SECTION: must be some of {', '.join(SECTIONS)}, not {unknown[0]!r}"
        )
    # In the order of `SECTIONS`, each once, whatever was typed.
    chosen.sections = [n for n in SECTIONS if not chosen.sections or n in chosen.sections]
    chosen.effort = _QUICK if chosen.quick else _FULL
    if chosen.repeats:
        # An explicit number is exact: no further turns fill the time.
        chosen.effort = chosen.effort._replace(repeats=chosen.repeats, seconds=0.0)
    return chosen
