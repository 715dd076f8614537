"""The pages that people read, and the blocks of code in them."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]

# Pages that show Python. A page that loses its blocks fails, as does a page that is missing.
WITH_PYTHON = [
    "README.md",
    "docs/diagnose.md",
    "docs/differences.md",
    "docs/evaluate.md",
    "docs/keras.md",
    "docs/loop.md",
    "docs/mixed_precision.md",
    "docs/samplers.md",
    "docs/serving.md",
    "docs/sharding.md",
    "docs/terms.md",
    "docs/tf1.md",
    "docs/two_towers.md",
    "docs/xla.md",
]
WITH_SHELL = [
    "README.md",
    "docs/differences.md",
    "docs/examples.md",
    "docs/install.md",
    "docs/keras.md",
    "docs/migrate.md",
    "docs/samplers.md",
]


def variables():
    """The environment variables that the package, its build and its C++ op read."""
    folders = [("tf_sampled_compat", "*.py"), ("custom_ops/kernels", "*.cc")]
    sources = [path for folder, files in folders for path in (ROOT / folder).rglob(files)]
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "setup.py", *sources)]
    return {name for text in texts for name in re.findall(r'"(TF_SAMPLED_COMPAT_[A-Z_]+)"', text)}


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), flags=re.M | re.S)
