"""The public names and signatures are those recorded in `public_api.txt`.

Record an intended change by `python -m tests.project.public_api --write`, and describe it in
CHANGELOG.md. docs/policy.md says which changes are allowed.
"""

import difflib
import importlib

import pytest

from tests.project import public_api

RECORDED = public_api.recorded()


def test_the_public_modules_are_the_recorded_ones():
    assert public_api.modules() == list(RECORDED)


@pytest.mark.parametrize("module", RECORDED)
def test_names_and_signatures_are_the_recorded_ones(module):
    difference = "\n".join(
        difflib.unified_diff(
            RECORDED[module], public_api.lines(module), "recorded", "found", lineterm="", n=4
        )
    )
    assert not difference, (
        f"the public API of {module} changed:\n{difference}\n"
        "If it should have: python -m tests.project.public_api --write"
    )


@pytest.mark.parametrize("module", RECORDED)
def test_all_is_sorted_and_has_no_private_name(module):
    names = importlib.import_module(module).__all__
    assert names == sorted(set(names))
    assert not [name for name in names if name.startswith("_") and name != "__version__"]
