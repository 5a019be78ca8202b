"""Building: what `setup.py` adds to the package, and what it says where it cannot.

The build with cargo is what `pip install ./ffi/python` does; here a finished library is packed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

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


def test_a_library_with_the_name_of_the_accelerator_is_one(project: Path) -> None:
    library = project.parent / "_native.abi3.so"
    library.write_bytes(b"a module")
    build(project, "build --build-lib out", TALLYBOARD_LIBRARY=str(library))
    assert [each.name for each in (project / "out" / "tallyboard").glob("*.so")] == [library.name]


def test_an_editable_installation_keeps_no_other_library(project: Path) -> None:
    earlier = project / "tallyboard" / "_native.abi3.so"
    earlier.write_bytes(b"of an earlier build")
    library = project.parent / "libtallyboard.so"
    library.write_bytes(b"a library")
    build(project, "editable_wheel --dist-dir dist", TALLYBOARD_LIBRARY=str(library))
    assert not earlier.exists()
    assert (project / "tallyboard" / "libtallyboard.so").read_bytes() == b"a library"


def test_without_a_library_the_wheel_is_for_any_platform(project: Path) -> None:
    build(project, "bdist_wheel", TALLYBOARD_LIBRARY="none")
    (wheel,) = (project / "dist").iterdir()
    assert wheel.name == "tallyboard-0.1.0-py3-none-any.whl"
    assert not [name for name in ZipFile(wheel).namelist() if name.endswith(".so")]


def test_the_file_of_the_drop_in_lies_beside_the_package(project: Path) -> None:
    build(project, "sdist")
    build(project, "bdist_wheel", TALLYBOARD_LIBRARY="none")
    (archive,) = (project / "dist").glob("*.tar.gz")
    (wheel,) = (project / "dist").glob("*.whl")
    assert "tallyboard_drop_in.pth" in ZipFile(wheel).namelist()
    with tarfile.open(archive) as files:
        assert "tallyboard-0.1.0/tallyboard_drop_in.pth" in files.getnames()


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


def cargo(folder: Path, rustc: str) -> str:
    """A program that is asked what cargo is, with `rustc` as the answer to that command."""
    program = folder / "cargo"
    program.write_text(
        f"""#!/bin/sh
echo "$@" >> {shlex.quote(str(folder))}/asked
case $1 in
    metadata) echo '{{"target_directory":"/where it builds"}}' ;;
    rustc) {rustc} ;;
esac
"""
    )
    program.chmod(0o755)
    return str(program)


def test_cargo_is_asked_where_the_accelerator_is(project: Path, tmp_path: Path) -> None:
    workspace(project)
    target = tmp_path / "some where" / "libtallyboard.so"
    target.parent.mkdir()
    target.write_bytes(b"built")
    artifact = f'{{"reason":"compiler-artifact","filenames":["{target}"]}}'
    finished = '{"reason":"build-finished","success":true}'
    program = cargo(tmp_path, f"printf '%s\\n' '{artifact}' '{finished}'")
    build(project, "build --build-lib out", CARGO=program)
    assert (project / "out" / "tallyboard" / "_native.abi3.so").read_bytes() == b"built"
    # Not where the library without the feature is built, which has the same name.
    assert "--target-dir /where it builds/python" in (tmp_path / "asked").read_text()


def test_a_failed_build_is_said(project: Path, tmp_path: Path) -> None:
    workspace(project)
    said = build(project, "build", code=1, CARGO=cargo(tmp_path, "exit 101")).stderr
    assert said.endswith("error: cargo could not build the library; its own message is above\n")
    said = build(project, "build", code=1, CARGO=shutil.which("false") or "false").stderr
    assert said.endswith("error: cargo could not read the workspace; its own message is above\n")
