"""The Python wheels: made for old systems, installed without Rust, and the README's example counts and is served.

Without --all, the program in the wheel tallyboard-exporter is the one that is built already, for this system only, and
musllinux is left out: what a release does besides takes minutes.

Usage: python -m live.wheels [--all]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

from rig.command import parse
from rig.exporter import Exporter
from rig.scratch import scratch

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "ffi/python"
SERVED = ("http_requests_total", frozenset({("method", "GET")}))
# Those of Rust's own targets: older is not to be had.
LEAST_GLIBC = (2, 17)


def build(folder: Path, everything: bool) -> None:
    kinds = ["manylinux", "musllinux", "any", "exporter"] if everything else ["manylinux", "any"]
    subprocess.run([PACKAGE / "wheels.sh", folder, *kinds], check=True)
    if not everything:
        program = shutil.which("tallyboard")
        assert program is not None
        project = ROOT / "exporter/packaging/python"
        pip("wheel", "--no-deps", "--no-build-isolation", "-w", folder, project, program=program)
    # What it depends on, so that nothing else is asked for afterwards.
    pip("download", "--no-deps", "-d", folder, f"prometheus_client=={version('prometheus_client')}")


def pip(*arguments: object, program: str = "") -> None:
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *map(str, arguments)]
    subprocess.run(command, check=True, env={**os.environ, "TALLYBOARD_PROGRAM": program})


def one(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    assert len(found) == 1, f"{pattern} is {[path.name for path in found]}"
    return found[0]


def check_tag(wheel: Path, inside: str) -> None:
    """auditwheel agrees with the wheel's name, and the symbols are no newer than that says."""
    done = subprocess.run(["auditwheel", "show", wheel], check=True, capture_output=True, encoding="utf-8")
    said = re.search(r'consistent\s+with\s+the\s+following\s+platform\s+tag:\s+"([^"]+)"', done.stdout)
    assert said is not None, done.stdout
    platform = wheel.stem.rpartition("-none-")[2]
    assert said[1] == platform, f"{wheel.name} is one for {said[1]}"
    with ZipFile(wheel) as opened:
        [name] = [name for name in opened.namelist() if name.endswith(inside)]
        content = opened.read(name)
    versions = {tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", content)}
    floor = max(versions, default=None)
    print(f"{wheel.name}: {wheel.stat().st_size:,} bytes; {name} asks for glibc {floor}", flush=True)
    assert floor is None if "musllinux" in platform else floor is not None and floor <= LEAST_GLIBC


def example() -> str:
    """The README's first program."""
    found = re.search(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def check_installation(folder: Path, wheels: Path) -> None:
    """`pip install tallyboard[exporter]` where there is no Rust and no index."""
    here = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", here], check=True)
    path = f"{here / 'bin'}:/usr/bin:/bin"
    assert shutil.which("cargo", path=path) is None, "this would not show that Rust is not needed"
    environment = {"PATH": path, "HOME": str(folder), "TALLYBOARD_DIR": str(folder)}

    def run(*command: object) -> str:
        done = subprocess.run(
            [*map(str, command)], env=environment, cwd=folder, capture_output=True, encoding="utf-8", timeout=60
        )
        assert done.returncode == 0, f"{command} exited {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    run(here / "bin/pip", "install", "-q", "--no-index", "--find-links", wheels, "tallyboard[exporter]")
    program = folder / "example.py"
    program.write_text(example())
    python = here / "bin/python"
    # Not what pip would have taken for another system, and by the accelerator.
    run(python, "-W", "error", "-c", "from tallyboard import backend; assert backend.native")
    assert run(python, "-W", "error", program) == ""
    assert run(here / "bin/tallyboard", "--version").startswith("tallyboard, version 0.1.0 ")
    board = folder / "default.v1.board"
    with Exporter(board, folder / "log") as exporter:
        exporter.start(create=False, program=(str(here / "bin/tallyboard"),))
        assert parse(exporter.scrape())[SERVED] == 1
        environment["TALLYBOARD_BACKEND"] = "ctypes"
        run(python, "-W", "error", program)
        assert parse(exporter.scrape())[SERVED] == 2
    print("the README's example counted, natively and by ctypes, and was served", flush=True)


def check_choice(folder: Path, wheels: Path) -> None:
    """What pip takes on other systems: where there is a library, that wheel; elsewhere the one without."""
    platforms = {
        "macosx_11_0_arm64": "any",
        "win_amd64": "any",
        "manylinux_2_17_aarch64": "any",
        "manylinux_2_28_x86_64": "manylinux_2_17_x86_64",
    }
    for platform, expected in platforms.items():
        # A free-threaded Python and 3.8 do not take the stable ABI, and take this wheel all the same.
        for python, abi in ("38", "cp38"), ("311", "cp311"), ("313", "cp313t"):
            to = folder / f"{platform}-{abi}"
            which = ["--platform", platform, "--python-version", python, "--abi", abi, "--abi", "none"]
            # pip knows no more of a platform than its name: an old manylinux is one, too.
            which += ["--platform", "manylinux_2_17_x86_64"] if platform.endswith("x86_64") else []
            offline = ["--no-index", "--find-links", wheels, "--no-deps", "--only-binary=:all:"]
            pip("download", *offline, "-d", to, *which, "tallyboard")
            assert one(to, "*.whl").stem.endswith(f"-none-{expected}"), (platform, abi, one(to, "*.whl").name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="make all that a release has")
    everything = parser.parse_args().all
    with scratch("wheels") as folder:
        wheels = folder / "wheels"
        build(wheels, everything)
        check_tag(one(wheels, "tallyboard-*manylinux*"), "_native.abi3.so")
        if everything:
            check_tag(one(wheels, "tallyboard-*musllinux*"), "_native.abi3.so")
            check_tag(one(wheels, "tallyboard_exporter-*"), "scripts/tallyboard")
        check_installation(folder, wheels)
        check_choice(folder, wheels)
    print("ok: the wheels are what their names say, and count without Rust")


if __name__ == "__main__":
    main()
