"""Building: what `setup.py` adds to the package, and what it says where it cannot.

The build with cargo is what `pip install ./ffi/python` does; here a finished library is packed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("setuptools", minversion="70.1")

SOURCE = Path(__file__).resolve().parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, outside the repository and in a path with spaces."""
    project = tmp_path / "a path" / "with spaces" / "python"
    ignore = shutil.ignore_patterns("build", "*.egg-info", "*.so", "__pycache__", ".*", "tests")
    shutil.copytree(SOURCE, project, ignore=ignore)
    return project


def build(
    project: Path, command: str, *, code: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    unset = {key: value for key, value in os.environ.items() if key != "TALLYBOARD_LIBRARY"}
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", *command.split()],
        cwd=project,
        env={**unset, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def test_the_wheel_is_for_any_python_and_one_platform(project: Path) -> None:
    library = project.parent / "another name.so"
    library.write_bytes(b"a library")
    # Left by an earlier version: it must not come back in this one's wheel.
    stale = project / "build" / "lib" / "tallyboard"
    stale.mkdir(parents=True)
    (stale / "removed.py").touch()
    build(project, "build -b build --build-lib build/lib", TALLYBOARD_LIBRARY=str(library))
    assert not (stale / "removed.py").exists()
    assert (stale / "libtallyboard.so").read_bytes() == b"a library"
    assert (stale / "py.typed").exists()
    build(project, "bdist_wheel", TALLYBOARD_LIBRARY=str(library))
    (wheel,) = (project / "dist").iterdir()
    assert wheel.name.startswith("tallyboard-0.1.0-py3-none-linux_")
    assert not (project / "tallyboard" / "libtallyboard.so").exists()


def test_a_library_that_is_not_there_is_said(project: Path) -> None:
    said = build(project, "build", code=1, TALLYBOARD_LIBRARY="/no/such.so").stderr
    assert said.endswith("error: TALLYBOARD_LIBRARY is /no/such.so, and there is no such file\n")


def test_outside_the_repository_is_said(project: Path) -> None:
    assert "run `pip install ./ffi/python` in a clone" in build(project, "build", code=1).stderr


def workspace(project: Path) -> None:
    """Makes the folder two above the project look like the repository."""
    manifest = project.parents[1] / "ffi" / "Cargo.toml"
    manifest.parent.mkdir()
    manifest.touch()


def test_missing_cargo_is_said(project: Path, tmp_path: Path) -> None:
    workspace(project)
    said = build(project, "build", code=1, PATH=str(tmp_path), HOME=str(tmp_path), CARGO="").stderr
    assert "error: cargo was not found" in said
    assert "https://rustup.rs" in said


def test_cargo_is_asked_where_the_library_is(project: Path, tmp_path: Path) -> None:
    workspace(project)
    target = tmp_path / "some where" / "libtallyboard.so"
    target.parent.mkdir()
    target.write_bytes(b"built")
    cargo = tmp_path / "cargo"
    cargo.write_text(
        f'#!/bin/sh\necho \'{{"reason":"compiler-artifact","filenames":["{target}"]}}\'\n'
        'echo \'{"reason":"build-finished","success":true}\'\n'
    )
    cargo.chmod(0o755)
    build(project, "build --build-lib out", CARGO=str(cargo))
    assert (project / "out" / "tallyboard" / "libtallyboard.so").read_bytes() == b"built"


def test_a_failed_build_is_said(project: Path) -> None:
    workspace(project)
    said = build(project, "build", code=1, CARGO=shutil.which("false") or "false").stderr
    assert said.endswith("error: cargo could not build the library; its own message is above\n")
