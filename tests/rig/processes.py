"""Child processes that never outlive the test that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


def clean_up_when_terminated() -> None:
    """Turns SIGTERM into an exception, so that every `finally` and `with` of a test runs."""

    def stop(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)


def until(condition: Callable[[], T], what: str, seconds: float = 60.0, pause_seconds: float = 0.05) -> T:
    """Asks again and again until `condition` is true, and returns what it said.

    `seconds` is no measure of anything: it only ends a test that would otherwise hang.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(pause_seconds)
    return answer


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command, whose name may hold anything: from the state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["X", "0", "0", "0"]


def state_of(pid: int) -> str:
    """The letter that ps shows: T stopped, Z dead and not waited for, X gone."""
    return _stat(pid)[0]


def session_members(leader: int) -> list[int]:
    """The living processes of a session. A process group would not do: pyspark's daemon leaves it."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [pid for pid in pids if (stat := _stat(pid))[0] not in "ZX" and int(stat[3]) == leader]


@contextmanager
def running(
    command: list[str], log: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Runs `command` in a session of its own; at the end of the block nothing of that session is left."""
    with log.open("a") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            text=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        while members := session_members(process.pid):
            for member in members:
                with suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)
            time.sleep(0.01)
        process.wait()
