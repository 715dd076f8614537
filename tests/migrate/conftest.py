"""The command, run in this process."""

import io
import sys
from typing import NamedTuple

import pytest

from tf_sampled_compat import __main__


class Result(NamedTuple):
    code: int
    out: bytes
    err: str


@pytest.fixture
def migrate(capsysbinary, monkeypatch):
    """Runs `migrate` with some options, and something on its standard input."""

    def run(*options, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = __main__.main(["migrate", *map(str, options)])
        except SystemExit as stop:
            code = stop.code
        out, err = capsysbinary.readouterr()
        assert b"Traceback" not in err
        return Result(code, out, err.decode())

    return run
