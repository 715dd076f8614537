"""The built site has every public symbol in its reference, and a browser fetches nothing for it.

`make docs` passes its site in DOCS_SITE; otherwise the site is built here.
"""

import ast
import html.parser
import os
import pathlib
import re
import subprocess
import sys
import zlib

import pytest

from tests.docs.namespaces import DOCUMENTED
from tests.docs.pages import ROOT

pytest.importorskip("mkdocs", reason="the extra docs is not installed")

FETCHING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
NOT_FETCHED = {"canonical", "next", "prev"}  # `<link>`s to pages


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if "DOCS_SITE" in os.environ:
        return ROOT / os.environ["DOCS_SITE"]
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", folder]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert built.returncode == 0, built.stderr
    return folder


def public_names(namespace):
    """Reads `__all__` from the source, without an import of TensorFlow or Keras."""
    path = ROOT / pathlib.Path(*namespace.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    raise AssertionError(f"{path} has no __all__")


def inventory(site):
    """Returns the names in objects.inv: four header lines, then compressed `name role ...`."""
    data = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    return {line.split(" ")[0] for line in zlib.decompress(data).decode().splitlines()}


def is_module(namespace, name):
    path = ROOT / pathlib.Path(*namespace.split("."), name)
    return path.is_dir() or path.with_suffix(".py").exists()


@pytest.mark.parametrize("namespace", DOCUMENTED)
def test_every_public_symbol_is_in_the_reference(site, namespace):
    names = [name for name in public_names(namespace) if not is_module(namespace, name)]
    assert names
    wanted = {f"{namespace}.{name}" for name in names} - {"tf_sampled_compat.__version__"}
    assert wanted <= inventory(site), sorted(wanted - inventory(site))


class Fetches(html.parser.HTMLParser):
    """Collects the addresses that a browser fetches to show a page."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in FETCHING and attributes.get("rel") not in NOT_FETCHED:
            self.addresses.append(attributes.get(FETCHING[tag]) or "")


def is_elsewhere(address):
    return re.match(r"\s*(https?:)?//", address) is not None


def test_pages_fetch_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        fetches = Fetches()
        fetches.feed(page.read_text(encoding="utf-8"))
        assert fetches.addresses
        assert not [address for address in fetches.addresses if is_elsewhere(address)], page


def test_styles_fetch_nothing_from_elsewhere(site):
    styles = list(site.rglob("*.css"))
    assert styles
    for style in styles:
        text = style.read_text(encoding="utf-8")
        addresses = re.findall(r"url\(['\"]?([^)'\"]+)", text)
        assert not [address for address in addresses if is_elsewhere(address)], style
        assert not re.search(r"@import\s+['\"](https?:)?//", text), style


def test_formulas_are_marked_for_katex(site):
    page = (site / "api" / "nn.html").read_text(encoding="utf-8")
    assert page.count('<div class="arithmatex">') >= 6
    prose = re.sub(r"<details class=\"mkdocstrings-source\">.*?</details>", "", page, flags=re.S)
    assert ".. math::" not in prose and ":math:" not in prose and "<blockquote>" not in prose
