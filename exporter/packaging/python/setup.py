"""Makes a wheel of the program `tallyboard`: everything else is in pyproject.toml.

It is built with cargo from the workspace that this folder is part of. `TALLYBOARD_PROGRAM` names
one that is built already, which is then packed instead.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

# Of setuptools, which has put its own there.
from distutils.command.build_scripts import build_scripts  # isort: skip

NAME = "tallyboard"
WORKSPACE = Path(__file__).resolve().parents[3]


def program() -> Path:
    """The built program. Stops with a message that says what to do where there is no way."""
    given = os.environ.get("TALLYBOARD_PROGRAM")
    if given:
        if not Path(given).is_file():
            sys.exit(f"error: TALLYBOARD_PROGRAM is {given}, and there is no such file")
        return Path(given)
    command = [os.environ.get("CARGO", "cargo"), "build", "--release", "--locked"]
    command += ["--package", "tallyboard-exporter", "--message-format=json-render-diagnostics"]
    try:
        built = subprocess.run(command, cwd=WORKSPACE, stdout=subprocess.PIPE, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"error: the program is built with cargo in a clone of the Tallyboard repository: {error}. "
            "Install Rust 1.89 or newer, or let TALLYBOARD_PROGRAM name a `tallyboard` that is built already"
        )
    for line in built.stdout.splitlines():
        executable = json.loads(line).get("executable")
        if executable and Path(executable).name == NAME:
            return Path(executable)
    sys.exit(f"error: cargo built the package tallyboard-exporter, but no {NAME}")


class BuildProgram(build_scripts):  # type: ignore[misc]
    """Copies it as it is: setuptools would read it as text and look for a `#!`."""

    def run(self) -> None:
        self.mkpath(self.build_dir)
        self.copy_file(str(program()), str(Path(self.build_dir) / NAME))


class PlatformWheel(bdist_wheel):  # type: ignore[misc]
    """Any Python 3, which only installs it; one platform."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        _python, _abi, platform = super().get_tag()
        return "py3", "none", platform


class PlatformDistribution(Distribution):  # type: ignore[misc]
    """Installed where platform-specific packages are."""

    def has_ext_modules(self) -> bool:
        return True


setup(
    license="MIT OR Apache-2.0",
    scripts=[NAME],
    py_modules=[],
    distclass=PlatformDistribution,
    cmdclass={"build_scripts": BuildProgram, "bdist_wheel": PlatformWheel},
)
