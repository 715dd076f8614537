"""Builds the sdist and the wheel twice, compares the bytes, and looks at what is in them.

    python -m tests.supply [--keep FOLDER]

Each build is `make wheel` in its own copy of the files that git knows. The copies differ in path,
times, modes, language, time zone and hash seed. Exits with 1 if a check fails.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

from tests.supply import contents

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Any date will do; that of the commit would hide a tool that takes the time of its own.
DATE = "1700000000"


class Copy(NamedTuple):
    """A copy of the sources, and how it differs from others in what must not be seen in a build."""

    folder: str
    environment: dict
    umask: int
    mtime: float


COPIES = (
    Copy("first", {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, 0o022, 1e9),
    Copy(
        "second/in/a/longer/path",
        {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
        0o002,
        1.5e9,
    ),
)


class Failed(Exception):
    """A build failed. The message is the end of its output."""


def copy_sources(folder, umask, mtime):
    """Copies the files that git knows, with other times and modes."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file() and not source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod((0o777 if os.access(source, os.X_OK) else 0o666) & ~umask)
            os.utime(target, (mtime, mtime))


def build(folder, umask, environment):
    """Runs `make wheel` in a copy; returns the sdist and the wheel."""
    venv = pathlib.Path(sys.prefix)
    # With --old-file, make takes the environment as it is, and does not install this copy into it.
    make = ["make", f"--old-file={venv / '.installed'}", f"VENV={venv}", "wheel"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    result = subprocess.run(
        make,
        cwd=folder,
        env={**clean, **environment, "SOURCE_DATE_EPOCH": DATE},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=umask,
    )
    (folder / "build.log").write_text(result.stdout)
    if result.returncode:
        raise Failed(result.stdout[-3000:])
    (archive,), (wheel,) = folder.glob("dist/*.tar.gz"), folder.glob("dist/*.whl")
    return archive, wheel


def main(arguments=None):
    """Builds, compares and looks; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.supply")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="where to build")
    keep = parser.parse_args(arguments).keep
    with tempfile.TemporaryDirectory(prefix="supply-") as temporary:
        home = (keep or pathlib.Path(temporary)).resolve()
        for copy in COPIES:
            copy_sources(home / copy.folder, copy.umask, copy.mtime)
        try:
            built = [build(home / each.folder, each.umask, each.environment) for each in COPIES]
        except Failed as failure:
            print(failure)
            return 1
        faults = []
        for one, other in zip(*built):
            differences = contents.differences(one, other)
            print(f"{contents.sha256(one.read_bytes())}  {one.name}")
            faults += [f"{one.name}: the two builds differ in {each}" for each in differences]
        archive, wheel = built[0]
        faults += [*contents.faults_of_sdist(archive, ROOT), *contents.faults_of_wheel(wheel)]
    print("\n".join(faults) or "two builds, the same bytes; the content is as it should be")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
