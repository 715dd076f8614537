"""README and docs/: each block of Python runs, each command exists, each page has its blocks."""

import re
import shlex

import pytest

from tests.docs.pages import PAGES, ROOT, WITH_PYTHON, WITH_SHELL, blocks, text_of, variables
from tf_sampled_compat.__main__ import COMMANDS
from tf_sampled_compat.bench.sections import SECTIONS

PYTHON = [(page, n) for page in PAGES for n in range(len(blocks(page, "python")))]
SHELL = [
    (page, line) for page in PAGES for block in blocks(page, "sh") for line in block.split("\n")
]
MENTIONED = [
    (page, command)
    for page in PAGES
    for command in re.findall(r"`((?:make|python -m tf_sampled_compat) [^`]+)`", text_of(page))
]
TARGETS = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.M))
EXTRAS = set(
    re.findall(
        r"^(\w+) = \[",
        text_of("pyproject.toml").split("[project.optional-dependencies]")[1].split("\n[")[0],
        flags=re.M,
    )
)


@pytest.mark.parametrize("page", WITH_PYTHON)
def test_pages_have_python(page):
    assert blocks(page, "python")


@pytest.mark.parametrize("page", WITH_SHELL)
def test_pages_have_commands(page):
    assert blocks(page, "sh")


def test_every_page_with_python_is_known():
    assert sorted({page for page, _ in PYTHON}) == WITH_PYTHON
    assert sorted({page for page, _ in SHELL}) == WITH_SHELL


@pytest.mark.parametrize("page, number", PYTHON)
def test_python(page, number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks(page, "python")[number], page, "exec"), {"__name__": "page"})


@pytest.mark.parametrize("page, command", SHELL + MENTIONED)
def test_commands_exist(page, command):
    words = shlex.split(command, comments=True)
    if not words:
        return
    if words[0] == "make":
        in_custom_ops = words[1:3] == ["-C", "custom_ops"]
        makefile = text_of("custom_ops/Makefile") if in_custom_ops else None
        known = set(re.findall(r"^([a-z_-]+)\b[^=\n]*:", makefile, re.M)) if makefile else TARGETS
        goals = words[3:] if makefile else words[1:]
        assert {word for word in goals if "=" not in word} <= known
    elif words[:2] == ["pip", "install"]:
        extras = re.findall(r"\[(.+)\]", words[-1])
        assert set(extras) <= EXTRAS
    elif words[0] == "export":
        assert {word.partition("=")[0] for word in words[1:]} <= variables()
    elif words[0] == "python" and words[1].startswith("examples/"):
        assert (ROOT / words[1]).exists()
        assert all(
            f'"{word}"' in text_of("examples/common.py") for word in words[2:] if "-" in word
        )
    else:
        assert words[:3] == ["python", "-m", "tf_sampled_compat"], f"{page}: what is {command!r}?"
        assert words[3] in COMMANDS
        if words[3] == "bench":
            assert set(words[4:]) <= set(SECTIONS)


def test_one_table_has_all_environment_variables():
    listed = re.findall(r"^\| `(TF_SAMPLED_COMPAT_[A-Z_]+)`", text_of("docs/install.md"), re.M)
    assert len(listed) == len(set(listed)) and set(listed) == variables()


@pytest.mark.parametrize("page", PAGES)
def test_environment_variables_that_are_named_exist(page):
    assert set(re.findall(r"TF_SAMPLED_COMPAT_[A-Z_]*[A-Z]", text_of(page))) <= variables()


def test_the_front_page():
    front = text_of("README.md")
    assert len(front.splitlines()) <= 200
    assert "make demo" in front and "make test" in front


@pytest.mark.parametrize("page", PAGES)
def test_pictures_and_pages_that_are_linked_exist(page):
    """As a code host shows the pages; mkdocs checks the anchors of docs/."""
    for target in re.findall(r"\]\(([^)#]+)", text_of(page)):
        is_elsewhere = target.startswith("https://")
        assert is_elsewhere or (ROOT / page).parent.joinpath(target).exists(), target
