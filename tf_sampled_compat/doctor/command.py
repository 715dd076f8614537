"""`python -m tf_sampled_compat doctor`: examines the installation and prints a report."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tf_sampled_compat.cli import exit_codes


def main(arguments: Sequence[str], program: str) -> int:
    """Prints the report.

    Args:
      arguments: --audit, or none.
      program: The command as called, for the usage line.

    Returns:
      0; 1 if something that should work does not.

    Raises:
      SystemExit: With code 2 for a bad option.
    """
    parser = argparse.ArgumentParser(
        prog=program,
        description=(
            "Prints the versions, the state of the C++ op, and which implementation each kind of "
            "call uses and why. Exits with 1 if the op should work here and does not."
        ),
    )
    parser.add_argument(
        "--audit",
        action="store_true",
        help="also test the draws of every sampler against its stated distribution (takes half a "
        "minute, needs scipy)",
    )
    options = parser.parse_args(arguments)

    from tf_sampled_compat.doctor import findings

    findings.forget_the_trial()
    sections = {
        "Versions": findings.versions(),
        "The C++ op": findings.op(),
        "Which implementation computes a call that names none": findings.paths(),
    }
    for title, facts in sections.items():
        width = max(len(name) for name, _ in facts)
        print(f"{title}\n" + "".join(f"  {name:<{width}}  {fact}\n" for name, fact in facts))
    troubles = findings.troubles()
    if options.audit:
        troubles += _audit()
    for trouble in troubles:
        print(f"Wrong: {trouble}")
    if not troubles:
        print("All is well." if findings.op_is_due() else "All is well, without the op.")
    return exit_codes.FAILED if troubles else exit_codes.OK


def _audit() -> list[str]:
    """Prints the audit of each sampler when it is done; returns the failures."""
    try:
        from tf_sampled_compat.doctor import audits

        troubles = []
        print("The draws of the samplers against their stated distributions")
        for report in audits.reports():
            print("".join(f"  {line}\n" for line in str(report).splitlines()), flush=True)
            if not report.passed:
                troubles.append(f"{report.sampler} does not draw what it states")
        return troubles
    except ImportError as error:
        return [str(error)]
