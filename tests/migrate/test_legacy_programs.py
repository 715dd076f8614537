"""The legacy programs, rewritten: they run without `install()`, and print what they printed."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

printed = pytest.importorskip("tests.legacy.printed")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = sorted((ROOT / "tests" / "legacy" / "programs").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_rewritten_it_prints_what_it_printed(program, tmp_path, migrate):
    copy = tmp_path / program.name
    copy.write_bytes(program.read_bytes())
    era = "0.x" if program.stem.endswith("_0x") else "1.x"
    assert migrate("--write", "--from", era, copy).code == 0
    assert "tensorflow.contrib" not in copy.read_text()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(
        [sys.executable, copy], env=environment, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr[-2000:]
    golden = (ROOT / "tests" / "legacy" / "golden" / f"{program.stem}.txt").read_text()
    ours, theirs = printed.read(result.stdout), printed.read(golden)
    assert json.dumps(list(ours)) == json.dumps(list(theirs))
    for name in theirs:
        assert ours[name] == pytest.approx(theirs[name], rel=1e-4), name
