"""Systems that boards are not available on: the package counts in its own process.

The system is this one with the name of another, and the package is what its wheel for any platform
holds, which has no library.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import Run

from tallyboard.by_python import private_library
from tallyboard.lowlevel import Library

pytest.importorskip("setuptools", minversion="70.1")

SOURCE = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the package as it is installed from the wheel for any platform."""
    folder = tmp_path_factory.mktemp("package")
    build = ["build", "--build-base", f"{folder}/build", "egg_info", "--egg-base", str(folder)]
    command = [sys.executable, "setup.py", "-q", *build, "bdist_wheel", "--dist-dir", str(folder)]
    environment = {**os.environ, "TALLYBOARD_LIBRARY": "none"}
    subprocess.run(command, cwd=SOURCE, env=environment, check=True, timeout=60)
    ZipFile(folder / "tallyboard-0.1.0-py3-none-any.whl").extractall(folder / "installed")
    assert not list(folder.glob("installed/**/*.so"))
    return str(folder / "installed")


# `import tallyboard` afterwards is what it would be there.
ELSEWHERE = """
import ctypes, os, subprocess, sys, threading, urllib.request, warnings

platform = os.environ["PLATFORM"]
if platform == "win32":
    del os.fork, os.register_at_fork
if platform:
    sys.platform = platform
    sys.path.insert(0, os.environ["PACKAGE"])
"""

COUNT = (
    ELSEWHERE
    + """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import tallyboard
    from tallyboard import Counter, Enum, Gauge, Histogram, Info, Native, Summary

    plain = Counter("plain", "Help.")
    plain.inc()
    plain.inc(2.5, exemplar={"trace": "a"})
    plain.inc(float("inf"))
    labelled = Counter("labelled", "Help.", ["b", "a"])
    for value in "xyz":
        labelled.labels(value, "w").inc(7)
    child = labelled.labels(a="w", b="x")
    labelled.remove("x", "w")
    child.inc()
    labelled.remove("y", "w")
    gone = Counter("gone", "Help.", ["a"])
    gone.labels("x").inc()
    gone.clear()
    modes = ["", "sum", "min", "max", "all", "livesum", "livemin", "liveall", "livemostrecent"]
    for mode in modes:
        unset, gauge = (
            Gauge(f"{name}{mode}", "Help.", multiprocess_mode=mode) for name in ("unset", "set")
        )
        gauge.set(4)
        gauge.dec(1.5)
        assert gauge.value() == 2.5
    for wrong in (lambda: gauge.set("no"), lambda: gauge.inc(None), lambda: plain.inc(-1)):
        try:
            wrong()
        except (TypeError, ValueError) as error:
            print(type(error).__name__)
    times = Histogram("times_seconds", "Help.", ["a"], unit="seconds", buckets=[1, 2, 5])
    for amount in (0, 1, 1.5, 5, 100, -3):
        times.labels("x").observe(amount, exemplar={"amount": str(amount)})
    native = Histogram("native", "Help.", native=Native(schema=0, lowest=0.01, highest=10))
    for amount in (0.001, 0.3, 1, 9):
        native.observe(amount)
    Summary("summary", "Help.").observe(2)
    Info("info", "Help.").info({"version": "1", "commit": "c"})
    Enum("phase", "Help.", states=["starting", "running"]).state("running")

    for each in tallyboard.series():
        buckets = [(bound, count) for bound, count in each.buckets]
        exemplars = [(one.bucket, one.value, one.labels) for one in each.exemplars]
        labels = sorted(each.labels.items())
        if "pid" in each.labels:
            labels = [("pid", each.labels["pid"] == str(os.getpid()))]
        print(each.type, each.name, labels, each.value, each.count, each.sum, each.help, each.unit)
        print(buckets, exemplars)

    from prometheus_client import CollectorRegistry, generate_latest
    from tallyboard.collector import BoardCollector

    registry = CollectorRegistry()
    registry.register(BoardCollector())
    # When a series began is not the same in two processes, nor is the number of a process.
    lines = generate_latest(registry).decode().splitlines()
    print([line for line in lines if "_created" not in line and "pid" not in line])
    threads = [threading.Thread(target=lambda: [plain.inc() for _ in range(5000)]) for _ in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(plain.value())
for each in caught:
    print(each.message)
"""
)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_it_counts_as_on_a_private_board(run: Run, package: str, platform: str) -> None:
    here = run(COUNT, PLATFORM="", TALLYBOARD="private").splitlines()
    there = run(COUNT, PLATFORM=platform, PACKAGE=package, TALLYBOARD="").splitlines()
    assert here[-1] == "tallyboard: counter:plain was asked to add inf, which was not counted"
    assert there.pop(len(here) - 1) == (
        f"tallyboard: boards are not available on {platform}: metrics are counted in this process "
        "only, and no exporter shows them"
    )
    assert there == here


def test_every_function_is_there() -> None:
    # Its own exceptions have their words in them.
    missing = [each for each in Library.__annotations__ if not hasattr(private_library, each)]
    assert missing == ["last_error"]


QUIET = (
    ELSEWHERE
    + """
warnings.simplefilter("error")
import tallyboard
assert tallyboard.backend.native is None
counter = tallyboard.Counter("c", "Help.")
counter.inc()
print(counter.value(), len(tallyboard.series()))
"""
)


def test_who_asks_for_a_private_board_is_not_warned(run: Run, package: str) -> None:
    assert run(QUIET, PLATFORM="darwin", PACKAGE=package, TALLYBOARD="private") == "1.0 1\n"
    assert run(QUIET, PLATFORM="darwin", PACKAGE=package, TALLYBOARD="off") == "0.0 0\n"


def test_on_linux_a_package_without_its_library_counts_nothing(run: Run, package: str) -> None:
    program = QUIET.replace('"error"', '"ignore"')
    assert run(program, PLATFORM="linux", PACKAGE=package, TALLYBOARD="private") == "0.0 0\n"


DROP_IN = (
    ELSEWHERE
    + """
warnings.simplefilter("ignore")
from prometheus_client import REGISTRY, Counter, generate_latest
import tallyboard.prometheus_client

before = Counter("before", "Help.")
before.inc(3)
tallyboard.prometheus_client.install()
before.inc()
Counter("after", "Help.", ["a"]).labels("x").inc()
print([each for each in generate_latest(REGISTRY).decode().splitlines()
       if each.startswith(("before_total", "after_total"))])
"""
)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_the_drop_in_counts(run: Run, package: str, platform: str) -> None:
    said = run(DROP_IN, PLATFORM=platform, PACKAGE=package, TALLYBOARD="")
    assert said == "['before_total 4.0', 'after_total{a=\"x\"} 1.0']\n"


FRESH = (
    ELSEWHERE
    + """
warnings.simplefilter("ignore")
from tallyboard import Counter, Gauge, Info, series
from tallyboard.fresh_board import fresh_board

counter = Counter("c", "Help.")
child = Counter("f", "Help.", ["a"]).labels("x")
gauge = Gauge("g", "Help.", multiprocess_mode="livesum")
info = Info("i", "Help.")
for turn in (3, 1, 2):
    with fresh_board():
        print([(each.name, each.value) for each in series()], end=" ")
        counter.inc(turn)
        child.inc(turn)
        gauge.inc(turn)
        info.info({"version": str(turn)})
        print([each.value for each in series()], end=" ")
    print(counter.value(), child.value(), gauge.value())
    counter.inc()
"""
)


def test_a_fresh_board_is_one(run: Run, package: str) -> None:
    said = run(FRESH, PLATFORM="win32", PACKAGE=package, TALLYBOARD="").splitlines()
    new = "[('c_total', 0.0), ('g', 0.0), ('i', 1.0)]"
    assert said == [
        f"{new} [3.0, 3.0, 3.0, 1.0] 0.0 0.0 0.0",
        f"{new} [1.0, 1.0, 1.0, 1.0] 1.0 0.0 0.0",
        f"{new} [2.0, 2.0, 2.0, 1.0] 2.0 0.0 0.0",
    ]
