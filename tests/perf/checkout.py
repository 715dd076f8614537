"""The two trees to compare, this one and an earlier commit's, each with built libraries."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import NamedTuple, Optional

HERE = pathlib.Path(__file__).resolve().parents[2]


class CheckoutError(Exception):
    """A commit cannot be found, checked out or built."""


class Base(NamedTuple):
    """The commit to compare with, and how it was chosen."""

    commit: str
    chosen: str


def base(name: str = "", *, repository: pathlib.Path = HERE) -> Base:
    """Finds the commit to compare with.

    Args:
      name: A commit, tag or branch; by default the last tag before HEAD, or HEAD~1 without a tag.
      repository: The repository.

    Raises:
      CheckoutError: If there is no such commit.
    """
    chosen = "as asked"
    if not name:
        name = _git(repository, "describe", "--tags", "--abbrev=0", "HEAD~1", fails="")
        chosen = "the last tag"
    if not name:
        name, chosen = "HEAD~1", "HEAD~1, because there is no tag"
    commit = _git(repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", fails="")
    if not commit:
        raise CheckoutError(f"BASE: expected a commit, tag or branch, got {name!r}")
    return Base(commit, chosen)


@contextlib.contextmanager
def worktree(commit: str, *, repository: pathlib.Path = HERE) -> Iterator[pathlib.Path]:
    """Checks a commit out into a temporary folder, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="perf-") as folder:
        tree = pathlib.Path(folder) / "base"
        _git(repository, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            _git(repository, "worktree", "remove", "--force", str(tree))


def build(tree: pathlib.Path) -> None:
    """Builds the C++ libraries of a tree into its package.

    Raises:
      CheckoutError: If the build fails.
    """
    target = tree / "tf_sampled_compat" / "lib"
    make = ["make", "--quiet", "-C", str(tree / "custom_ops"), "install", f"INSTALL={target}"]
    done = subprocess.run([*make, f"PYTHON={sys.executable}"], capture_output=True, text=True)
    if done.returncode:
        raise CheckoutError(f"building {tree} failed:\n{done.stderr[-2000:]}")


def _git(repository: pathlib.Path, *arguments: str, fails: Optional[str] = None) -> str:
    """Returns git's output. If git fails, returns `fails` or raises a CheckoutError."""
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, text=True
    )
    if done.returncode == 0:
        return done.stdout.strip()
    if fails is None:
        raise CheckoutError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return fails
