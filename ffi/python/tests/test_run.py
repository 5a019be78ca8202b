"""How a program gets the drop-in that does not ask for it: `tallyboard.run` and the .pth."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from conftest import call

import tallyboard

DROP_IN = "tallyboard_drop_in.pth"

PROGRAM = """
import sys, threading
import multiprocessing
import prometheus_client

counter = prometheus_client.Counter("program", "Help.")

class Here:
    pass

def work(amount):
    counter.inc(amount)

def in_children(way):
    if threading.current_thread() is not threading.main_thread():
        threading.main_thread().join()
    children = [multiprocessing.get_context(way).Process(target=work, args=(2,)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert type(sys.modules["__main__"].Here()) is Here

if __name__ == "__main__":
    way, *rest = sys.argv[1:]
    assert rest == ["--given", "-m"], rest
    print(sys.argv[0], sys.path[0], __file__, __name__, __package__, sep="|")
    if way == "fork":
        in_children(way)
    else:
        # What has come to its end by then stays the main module. 3.12.1 does not fork so late.
        threading.Thread(target=in_children, args=[way]).start()
"""

pytestmark = pytest.mark.usefixtures("board")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own that has this package with its .pth, as `pip install` leaves them."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    elsewhere = [Path(tallyboard.__file__).parents[1], sysconfig.get_path("purelib")]
    (packages / "packages.pth").write_text("".join(f"{each}\n" for each in elsewhere))
    source = Path(__file__).parents[1] / DROP_IN
    (packages / DROP_IN).write_bytes(source.read_bytes())
    return folder / "bin" / "python"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def counted() -> dict[str, float]:
    code = "from tallyboard import series\nprint({each.name: each.value for each in series()})"
    found: dict[str, float] = eval(call(sys.executable, "-c", code))
    return found


@pytest.mark.parametrize("way", ["fork", "spawn", "forkserver"])
def test_a_script_and_its_children(python: Path, program: Path, way: str) -> None:
    told = call(python, "-m", "tallyboard.run", program, way, "--given", "-m")
    assert told.strip() == f"{program}|{program.parent}|{program}|__main__|None"
    assert counted() == {"program_total": 6}


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_a_module_and_its_children(python: Path, program: Path, way: str) -> None:
    folder = program.parent
    told = call(python, "-m", "tallyboard.run", "-m", "program", way, "--given", "-m", cwd=folder)
    assert told.strip() == f"{program}|{folder}|{program}|__main__|"
    assert counted() == {"program_total": 6}


def test_a_package(python: Path, tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "from . import __name__ as above\nimport prometheus_client\n"
        "prometheus_client.Counter(above, 'Help.').inc()\nprint(__spec__.name)"
    )
    assert (
        call(python, "-m", "tallyboard.run", "-m", "package", cwd=tmp_path) == "package.__main__\n"
    )
    assert counted() == {"package_total": 1}


@pytest.mark.parametrize("first", ["{python}", "/usr/bin/env python", "/bin/sh"])
def test_a_program_on_the_path(python: Path, tmp_path: Path, first: str) -> None:
    """A script of this Python, one that finds it, and one that has nothing to do with it."""
    script = tmp_path / "bin" / "program"
    script.parent.mkdir()
    code = "import prometheus_client\nprometheus_client.Counter('c', '').inc({})"
    if first == "/bin/sh":
        code = f'exec "{python}" -c "{code.format("$1")}"'
    else:
        code = "import sys\n" + code.format("int(sys.argv[1])")
    script.write_text(f"#!{first.format(python=python)}\n{code}\n")
    script.chmod(0o755)
    path = os.pathsep.join(map(str, (script.parent, python.parent, os.environ["PATH"])))
    call(python, "-m", "tallyboard.run", "program", "3", PATH=path)
    assert counted() == {"c_total": 3}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.py"], "no file and no program nowhere.py"),
        (["-m"], "needs the name of a module"),
        (["-m", "nowhere"], "no module nowhere"),
        (["-m", "no.where"], "No module named 'no'"),
        (["-x"], "no option -x"),
        (["."], "is a folder"),
        ([], "python -m tallyboard.run"),
    ],
)
def test_what_cannot_be_run_is_told(arguments: list[str], told: str) -> None:
    command = [sys.executable, "-m", "tallyboard.run", *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert told in done.stdout + done.stderr


@pytest.mark.parametrize("value", ["1", "0", "", None])
def test_the_variable(python: Path, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("TALLYBOARD_PROMETHEUS_CLIENT", value)
    call(python, "-c", "import prometheus_client\nprometheus_client.Counter('c', '').inc()")
    assert counted() == ({"c_total": 1} if value == "1" else {})


def test_the_pth_imports_nothing_where_the_variable_is_not_set(python: Path) -> None:
    command = [str(python), "-X", "importtime", "-c", "pass"]
    told = [
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr
        for environment in (dict(os.environ), {**os.environ, "TALLYBOARD_PROMETHEUS_CLIENT": "1"})
    ]
    imported = [{line.rpartition("|")[2].strip() for line in each.splitlines()} for each in told]
    assert "site" in imported[0] & imported[1]
    assert not {name for name in imported[0] if name.startswith(("tallyboard", "ctypes"))}
    assert "tallyboard.hook" in imported[1]
    assert not {name for name in imported[1] if name.startswith("prometheus_client")}
