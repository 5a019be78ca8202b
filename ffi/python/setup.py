"""Puts libtallyboard.so into the package: everything else is in pyproject.toml.

The library is built with cargo from the workspace that this folder is part of. Where
TALLYBOARD_LIBRARY names one that is built already, that one is copied instead.
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

LIBRARY = "libtallyboard.so"
WORKSPACE = Path(__file__).resolve().parents[2]


def library() -> Path:
    """The built library. Stops with a message that says what to do where there is no way."""
    given = os.environ.get("TALLYBOARD_LIBRARY")
    if given:
        if not Path(given).is_file():
            sys.exit(f"error: TALLYBOARD_LIBRARY is {given}, and there is no such file")
        return Path(given)
    if not (WORKSPACE / "ffi" / "Cargo.toml").is_file():
        sys.exit(
            "error: the library is built from the Tallyboard repository, and this folder is not "
            "in one: run `pip install ./ffi/python` in a clone, or let TALLYBOARD_LIBRARY name "
            f"a {LIBRARY} that is built already"
        )
    cargo = os.environ.get("CARGO") or shutil.which("cargo") or rustup_cargo()
    if cargo is None:
        sys.exit(
            "error: cargo was not found, and the library is built with it: install Rust 1.89 or "
            f"newer (https://rustup.rs), or let TALLYBOARD_LIBRARY name a {LIBRARY} that is "
            "built already"
        )
    # Cargo is asked where it put the file: CARGO_TARGET_DIR is not the only way to move it.
    command = [cargo, "build", "--release", "--package", "tallyboard-ffi"]
    command.append("--message-format=json-render-diagnostics")
    built = subprocess.run(command, cwd=WORKSPACE, stdout=subprocess.PIPE, check=False)
    if built.returncode != 0:
        sys.exit("error: cargo could not build the library; its own message is above")
    for line in built.stdout.splitlines():
        for name in json.loads(line).get("filenames", ()):
            if Path(name).name == LIBRARY:
                return Path(name)
    sys.exit(f"error: cargo built the package tallyboard-ffi, but no {LIBRARY}")


def rustup_cargo() -> str | None:
    """Where rustup puts cargo, for shells that have not been started anew since."""
    return shutil.which("cargo", path=str(Path.home() / ".cargo" / "bin"))


class BuildWithLibrary(build_py):  # type: ignore[misc]
    """Adds the library to what is built, or, for `pip install -e`, to the source folder."""

    def run(self) -> None:
        if self.editable_mode:
            package = Path(__file__).resolve().parent / "tallyboard"
        else:
            package = Path(self.build_lib) / "tallyboard"
            # Left by an earlier build, a module that has been removed since would be packed too.
            shutil.rmtree(package, ignore_errors=True)
        super().run()
        # Elsewhere the package installs without it and says at first use that it does not count.
        if sys.platform == "linux":
            self.copy_file(str(library()), str(package / LIBRARY))


class PlatformWheel(bdist_wheel):  # type: ignore[misc]
    """Any Python 3, one platform: the library is called through ctypes, not linked to Python."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        _python, _abi, platform = super().get_tag()
        return "py3", "none", platform


class PlatformDistribution(Distribution):  # type: ignore[misc]
    """Installed where platform-specific packages are, and built in a folder of that name."""

    def has_ext_modules(self) -> bool:
        return True


setup(
    license="MIT OR Apache-2.0",
    distclass=PlatformDistribution,
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel},
)
