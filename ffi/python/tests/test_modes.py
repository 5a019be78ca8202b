"""Gauges of several processes, which die as PySpark's daemon lets its workers die: by SIGKILL."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Callable, Iterator

import pytest

import tallyboard
from tallyboard import Gauge
from tallyboard.board import opened
from tallyboard.gauge import Mode

if TYPE_CHECKING:
    from conftest import Run

SPLIT = (
    "sum",
    "min",
    "max",
    "all",
    "livesum",
    "livemin",
    "livemax",
    "liveall",
    "livemostrecent",
)


class Worker:
    """A forked child that has called `action` and waits, until it is killed."""

    def __init__(self, action: Callable[[], object]) -> None:
        done, child_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            action()
            os.write(child_end, b"x")
            while True:
                signal.pause()
        os.close(child_end)
        assert os.read(done, 1) == b"x"
        os.close(done)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.fixture
def worker() -> Iterator[Callable[[Callable[[], object]], Worker]]:
    """Starts workers; those that the test has not killed are killed after it."""
    started: list[Worker] = []

    class Kept(Worker):
        def __init__(self, action: Callable[[], object]) -> None:
            super().__init__(action)
            started.append(self)

        def kill(self) -> None:
            started.remove(self)
            super().kill()

    yield Kept
    for each in started.copy():
        each.kill()


Start = Callable[[Callable[[], object]], Worker]


def reap(library: ctypes.CDLL) -> None:
    board = opened()
    assert board is not None
    assert library.tb_board_reap(board.handle) == 0


def shown(name: str) -> list[float]:
    return [each.value for each in tallyboard.series() if each.name == name]


def by_pid(name: str) -> dict[int, float]:
    found = (each for each in tallyboard.series() if each.name == name)
    return {int(each.labels["pid"]): each.value for each in found}


# What is shown while workers with 2 and 5, one that set nothing, and one with 3 live; and when all
# but the last were killed.
TABLE = {
    "sum": (10, 10),
    "min": (2, 2),
    "max": (5, 5),
    "livesum": (10, 3),
    "livemin": (2, 3),
    "livemax": (5, 3),
    "livemostrecent": (5, 3),
    "mostrecent": (5, 5),
    "last": (5, 5),
    "": (5, 5),
}


@pytest.mark.parametrize("mode", TABLE)
def test_a_mode_means_what_the_table_says(
    mode: Mode, name: str, worker: Start, library: ctypes.CDLL
) -> None:
    gauge = Gauge(name, "Help.", multiprocess_mode=mode)
    # A minimum of nothing is nothing; one number that all share is there from the beginning.
    nothing = [] if mode.endswith(("min", "max")) or mode == "livemostrecent" else [0]
    assert shown(name) == nothing

    def climb() -> None:
        gauge.set(1)
        gauge.inc()
        gauge.inc(3)
        gauge.dec(3)

    worker(lambda: gauge.set(3))
    dying = [
        worker(climb),
        worker(lambda: None),
        worker(lambda: gauge.set(5)),
    ]
    before, after = TABLE[mode]
    assert shown(name) == [before]
    for each in dying:
        each.kill()
    assert shown(name) == [after], "in the first look after the deaths"
    reap(library)
    assert shown(name) == [after], "after the reaper"
    if mode not in ("mostrecent", "last", ""):
        assert gauge.value() == 0, "the parent's own"


@pytest.mark.parametrize("mode", ["all", "liveall"])
def test_processes_are_shown_apart(
    mode: Mode, name: str, worker: Start, library: ctypes.CDLL
) -> None:
    gauge = Gauge(name, "Help.", multiprocess_mode=mode)
    assert shown(name) == []
    stays, dies = worker(lambda: gauge.set(3)), worker(lambda: gauge.inc(2))
    gauge.set(7)
    living = {stays.pid: 3.0, os.getpid(): 7.0}
    assert by_pid(name) == {**living, dies.pid: 2}
    dies.kill()
    after = {**living, dies.pid: 2.0} if mode == "all" else living
    assert by_pid(name) == after
    reap(library)
    assert by_pid(name) == after


@pytest.mark.parametrize("mode", SPLIT)
def test_a_child_has_a_number_of_its_own(mode: Mode, name: str, worker: Start) -> None:
    gauge = Gauge(name, "Help.", ["a"], multiprocess_mode=mode)
    own = gauge.labels("x")
    own.set(4)

    def action() -> None:
        assert own.value() == 0
        own.inc()
        assert gauge.labels("x").value() == 1

    worker(action)
    assert own.value() == 4


def test_workers_killed_while_they_work_leave_no_work_in_progress(name: str, worker: Start) -> None:
    gauge = Gauge(name, "Help.", multiprocess_mode="livesum")

    def action() -> None:
        gauge.track_inprogress().__enter__()

    kills = 0
    for _round in range(10):
        working = [worker(action) for _ in range(10)]
        assert shown(name) == [10]
        for left, each in enumerate(working, 1 - len(working)):
            each.kill()
            kills += 1
            # In the first look after each death.
            assert shown(name) == [-left]
    assert kills == 100
    assert shown(name) == [0]


def test_sums_of_the_dead_are_exact_and_take_no_room(
    name: str, worker: Start, library: ctypes.CDLL
) -> None:
    gauge = Gauge(name, "Help.", multiprocess_mode="sum")
    for n in range(100):
        worker(partial(gauge.inc, n)).kill()
    assert shown(name) == [4950]
    reap(library)
    assert shown(name) == [4950]


PROGRAM = """
import os, signal, sys
from tallyboard import Gauge
for mode in "sum", "livesum", "all", "liveall":
    Gauge(mode, "Help.", multiprocess_mode=mode).inc(2)
if sys.argv[1:] == ["killed"]:
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1:] == ["waits"]:
    print(os.getpid(), flush=True)
    sys.stdin.read()
    os._exit(0)
"""

READER = """
import tallyboard
for each in tallyboard.series():
    print(each.name, *each.labels, each.value)
"""


@pytest.mark.usefixtures("board")
def test_a_process_that_ends_settles_its_gauges(run: Run) -> None:
    for _ in range(3):
        run(PROGRAM)
    # `all` still shows each, in the order of their pids as text.
    lines = run(READER).splitlines()
    assert lines == ["all pid 2.0"] * 3 + ["livesum 0.0", "sum 6.0"]


@pytest.mark.usefixtures("board")
@pytest.mark.skipif(os.geteuid() != 0, reason="another PID namespace needs root")
def test_processes_of_another_pid_namespace_are_known_to_live_or_not(
    run: Run, tmp_path: os.PathLike[str]
) -> None:
    program = os.path.join(tmp_path, "inside.py")
    with open(program, "w", encoding="utf-8") as file:
        file.write(PROGRAM)
    inside = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, program]
    try:
        allowed = subprocess.run(["unshare", "--pid", "--fork", "true"], check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if allowed.returncode != 0:
        pytest.skip("another PID namespace is not to be had")
    with subprocess.Popen(
        [*inside, "waits"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as waits:
        assert waits.stdout is not None
        # It is called 1 there, which is another process here.
        assert waits.stdout.readline() == "1\n"
        alive = ["all pid 2.0", "liveall pid 2.0", "livesum 2.0", "sum 2.0"]
        assert run(READER).splitlines() == alive
        waits.kill()
    after = ["all pid 2.0", "livesum 0.0", "sum 2.0"]
    assert run(READER).splitlines() == after


SERVED = """
import os, signal, subprocess
from tallyboard import Gauge
modes = "sum", "min", "max", "all", "livesum", "livemin", "livemax", "liveall", "livemostrecent"
gauges = [Gauge(f"g_{mode}", "Help.", ["z"], multiprocess_mode=mode).labels("z") for mode in modes]
pids = []
for number in 2, 5:
    done, child_end = os.pipe()
    pids.append(os.fork())
    if pids[-1] == 0:
        for gauge in gauges:
            gauge.inc(number)
        os.write(child_end, b"x")
        signal.pause()
    os.read(done, 1)
for each in pids:
    os.kill(each, signal.SIGKILL)
    os.waitpid(each, 0)
    text = subprocess.run(["tallyboard", "dump"], capture_output=True, encoding="utf-8").stdout
    for name, pid in zip(("FIRST", "SECOND"), pids):
        text = text.replace(f'pid="{pid}"', f'pid="{name}"')
    for line in text.splitlines():
        if not line.startswith("#"):
            print(line)
"""


@pytest.mark.usefixtures("board")
@pytest.mark.skipif(shutil.which("tallyboard") is None, reason="needs the exporter")
def test_the_exporter_shows_the_same(run: Run) -> None:
    lines = run(SERVED).splitlines()
    apart = ['g_all{z="z",pid="FIRST"} 2.0', 'g_all{z="z",pid="SECOND"} 5.0']
    kept = ['g_max{z="z"} 5.0', 'g_min{z="z"} 2.0', 'g_sum{z="z"} 7.0']
    one_lives = [
        'g_liveall{z="z",pid="SECOND"} 5.0',
        'g_livemax{z="z"} 5.0',
        'g_livemin{z="z"} 5.0',
        'g_livemostrecent{z="z"} 5.0',
        'g_livesum{z="z"} 5.0',
    ]
    none_lives = ['g_livesum{z="z"} 0.0']
    # Sorted, since a pid of four digits comes after one of five.
    assert sorted(lines) == sorted([*apart, *kept, *one_lives, *apart, *kept, *none_lives])
