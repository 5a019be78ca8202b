"""Tests of this process count on a private board; those that start processes make a board each."""

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Iterator

import pytest

# Read when the first metric is declared, which is in a test module.
os.environ["TALLYBOARD"] = "private"

from tallyboard import lowlevel, trouble

_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--subject",
        choices=["tallyboard", "prometheus_client", "drop-in"],
        default="tallyboard",
        help="what tests/suite tests; the other tests are of tallyboard",
    )
    parser.addoption(
        "--seeds",
        type=int,
        default=2,
        help="how many searches for a difference from prometheus_client there are",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "beyond(why): what prometheus_client itself does not do, and fails at"
    )
    try:
        lowlevel.load()
    except lowlevel.LibraryUnusable as error:
        raise pytest.UsageError(
            f"{error}\nInstall the package (`pip install ./ffi/python`) and run `pytest`, not "
            "`python -m pytest`, which would import the source folder."
        ) from None


@pytest.fixture
def name() -> str:
    """A metric name that no other test uses: all of them share one board."""
    return f"t{next(_numbers)}"


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for a board that the processes of `run` share. Boards want a memory filesystem."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="tallyboard-test-") as folder:
        monkeypatch.setenv("TALLYBOARD_DIR", folder)
        monkeypatch.setenv("TALLYBOARD", "test")
        yield Path(folder)


@pytest.fixture
def library() -> ctypes.CDLL:
    """The library that the package uses, with all that the package itself has no use for."""
    return ctypes.CDLL(lowlevel.path())


@pytest.fixture
def unsaid() -> Iterator[None]:
    """What other tests have been warned of is said again; they are not told what this one is."""
    before = frozenset(trouble._said)
    trouble._said.clear()
    yield
    trouble._said.update(before)


def call(*command: str | Path, cwd: str | Path | None = None, **environment: str) -> str:
    """What a command prints, with `environment` added to this one. It must exit with 0."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program in a process of its own and returns what it prints. It must exit with 0.

    The program is a file, so that it has a `__main__` like a driver script. It may import
    what tests share.
    """
    shared = str(Path(__file__).parent)
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), shared]))

    def run(program: str, *arguments: str, **environment: str) -> str:
        script = tmp_path / f"program{next(_numbers)}.py"
        script.write_text(program, encoding="utf-8")
        return call(sys.executable, script, *arguments, PYTHONPATH=path, **environment)

    return run
