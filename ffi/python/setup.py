"""Puts the library into the package: everything else is in pyproject.toml.

On Linux that is one file, `_native.abi3.so`: the accelerator, which is libtallyboard, too. It is
built with cargo from the workspace that this folder is part of. `TALLYBOARD_LIBRARY` names one
that is built already, which is then copied instead: as the accelerator where it has that name,
else as a plain libtallyboard.so, which is called by ctypes. `TALLYBOARD_LIBRARY=none` packs no
library, as on other systems.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ACCELERATOR = "_native.abi3.so"
PLAIN = "libtallyboard.so"
DROP_IN = "tallyboard_drop_in.pth"
HERE = Path(__file__).resolve().parent
WORKSPACE = HERE.parents[1]

GIVEN = os.environ.get("TALLYBOARD_LIBRARY")
HAS_LIBRARY = sys.platform == "linux" and GIVEN != "none"


def library() -> tuple[Path, str]:
    """The built library and its name in the package.

    Stops with a message that says what to do where there is no way.
    """
    if not GIVEN:
        return build(), ACCELERATOR
    given = Path(GIVEN)
    if not given.is_file():
        sys.exit(f"error: TALLYBOARD_LIBRARY is {given}, and there is no such file")
    return given, ACCELERATOR if given.name == ACCELERATOR else PLAIN


def build() -> Path:
    if not (WORKSPACE / "ffi" / "Cargo.toml").is_file():
        sys.exit(
            "error: the library is built from the Tallyboard repository, and this folder is not "
            "in one: run `pip install ./ffi/python` in a clone, or let TALLYBOARD_LIBRARY name "
            f"a {ACCELERATOR} or a {PLAIN} that is built already"
        )
    command = [find_cargo(), "rustc", "--release", "--package", "tallyboard-ffi"]
    command += ["--features", "python", "--crate-type", "cdylib"]
    # In a folder of its own: the library without the feature has the same name, and each build of
    # the one would undo that of the other.
    command += ["--target-dir", str(target_folder(command[0]) / "python")]
    # Cargo is asked where it put the file: --target-dir is not all that decides.
    command.append("--message-format=json-render-diagnostics")
    environment = {
        # What is built for the stable ABI does not depend on the Python that happens to run here.
        "PYO3_NO_PYTHON": "1",
        # Five sixths of the file would be what only a debugger reads.
        "CARGO_PROFILE_RELEASE_STRIP": "debuginfo",
        **os.environ,
    }
    built = subprocess.run(
        command, cwd=WORKSPACE, env=environment, stdout=subprocess.PIPE, check=False
    )
    if built.returncode != 0:
        sys.exit("error: cargo could not build the library; its own message is above")
    for line in built.stdout.splitlines():
        for name in json.loads(line).get("filenames", ()):
            if Path(name).name == PLAIN:
                return Path(name)
    sys.exit(f"error: cargo built the package tallyboard-ffi, but no {PLAIN}")


def target_folder(cargo: str) -> Path:
    """Where cargo builds: CARGO_TARGET_DIR is not the only way to move it."""
    command = [cargo, "metadata", "--no-deps", "--format-version", "1"]
    told = subprocess.run(command, cwd=WORKSPACE, stdout=subprocess.PIPE, check=False)
    if told.returncode != 0:
        sys.exit("error: cargo could not read the workspace; its own message is above")
    return Path(json.loads(told.stdout)["target_directory"])


def find_cargo() -> str:
    # Where rustup puts it, too, for shells that have not been started anew since.
    home = str(Path.home() / ".cargo" / "bin")
    cargo = os.environ.get("CARGO") or shutil.which("cargo") or shutil.which("cargo", path=home)
    if cargo is None:
        sys.exit(
            "error: cargo was not found, and the library is built with it: install Rust 1.89 or "
            "newer (https://rustup.rs), or let TALLYBOARD_LIBRARY name a "
            f"{ACCELERATOR} or a {PLAIN} that is built already"
        )
    return cargo


class BuildWithLibrary(build_py):  # type: ignore[misc]
    """Adds the library to what is built, or, for `pip install -e`, to the source folder.

    The drop-in's file is not there with `pip install -e`: Python reads it where packages are.
    """

    def get_source_files(self) -> list[str]:
        return [*super().get_source_files(), DROP_IN]

    def run(self) -> None:
        if self.editable_mode:
            package = HERE / "tallyboard"
        else:
            package = Path(self.build_lib) / "tallyboard"
            # Left by an earlier build, a module that has been removed since would be packed too.
            shutil.rmtree(package, ignore_errors=True)
        super().run()
        # Beside the package: it is read where packages are installed, not within one.
        if not self.editable_mode:
            self.copy_file(str(HERE / DROP_IN), self.build_lib)
        if HAS_LIBRARY:
            built, name = library()
            # A file that a process has mapped is replaced, never written into.
            for earlier in (package / ACCELERATOR, package / PLAIN):
                if earlier.exists():
                    earlier.unlink()
            self.copy_file(str(built), str(package / name))


class PlatformWheel(bdist_wheel):  # type: ignore[misc]
    """Any Python 3, one platform; with no library, any platform.

    Not `cp39-abi3`, although the file is an extension module of that ABI: the same file is what
    ctypes calls in Python 3.8 and in free-threaded builds, which would not take such a wheel.
    """

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = not HAS_LIBRARY

    def get_tag(self) -> tuple[str, str, str]:
        _python, _abi, platform = super().get_tag()
        return "py3", "none", platform


class LibraryDistribution(Distribution):  # type: ignore[misc]
    """With the library, installed where platform-specific packages are, and built in a folder of
    that name."""

    def has_ext_modules(self) -> bool:
        return HAS_LIBRARY


setup(
    license="MIT OR Apache-2.0",
    distclass=LibraryDistribution,
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel},
)
