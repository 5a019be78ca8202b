"""What `spark.check` runs on an executor, whose Python may not have this package.

It is pickled by value, with the functions of this file that it needs. So nothing of the package is
imported here but within a `try`.
"""

from __future__ import annotations

import os
import platform
import socket
import time
from typing import Any, NamedTuple


class Probe(NamedTuple):
    """Takes a task's number and returns the fields of a `spark.Executor`, and `process`."""

    version: str
    """The driver's."""
    exporter: str | None
    hold_seconds: float

    def __call__(self, _task: int) -> dict[str, Any]:
        problems: list[str] = []
        executor, process = _executor()
        report: dict[str, Any] = {
            "process": process,
            "host": socket.gethostname(),
            "id": executor,
            "user": os.geteuid(),
            "python": platform.python_version(),
            **dict.fromkeys(("version", "backend", "board")),
        }
        try:
            _look(self, report, problems)
        except Exception as error:
            problems.append(f"the check itself failed there: {type(error).__name__}: {error}")
        report["problems"] = tuple(problems)
        time.sleep(self.hold_seconds)
        return report


def _executor() -> tuple[str, int]:
    """Spark's id of the executor that this worker belongs to, and its process."""
    pid = os.getpid()
    while pid > 1:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read().decode("utf-8", "replace").split("\0")
        if "--executor-id" in command:
            return command[command.index("--executor-id") + 1], pid
        if os.path.basename(command[0]) == "java":
            return "driver", pid
        with open(f"/proc/{pid}/stat") as stat:
            pid = int(stat.read().rpartition(")")[2].split()[1])
    return "?", os.getppid()


def _look(probe: Probe, report: dict[str, Any], problems: list[str]) -> None:
    try:
        import tallyboard
        from tallyboard import backend, lowlevel
    except ImportError as error:
        problems.append(
            f"the package is missing: {error}; install it there, or bring it with "
            "tallyboard.spark.archive and configuration"
        )
        return
    report["version"] = tallyboard.__version__
    report["backend"] = "ctypes" if backend.native is None else "native"
    if tallyboard.__version__ != probe.version:
        problems.append(
            f"the package is {tallyboard.__version__} from {os.path.dirname(tallyboard.__file__)}, "
            f"and the driver's {probe.version}: install one release on both, then check again"
        )
        return
    try:
        library = lowlevel.load()
        location, is_off = lowlevel.default_board(library)
    except (lowlevel.LibraryUnusable, lowlevel.BoardError) as error:
        problems.append(f"there is no board: {error}")
        return
    if is_off:
        problems.append("TALLYBOARD is off there: nothing is counted")
        return
    if location is None:
        problems.append("TALLYBOARD is private there: each worker counts for itself alone")
        return
    report["board"] = location
    _count(probe.exporter, location, problems)


def _count(exporter: str | None, location: str, problems: list[str]) -> None:
    """Counts as a task would, and looks whether that is shown."""
    import uuid

    import tallyboard

    mark = uuid.uuid4().hex
    name = "tallyboard_spark_check_total"
    counter = tallyboard.Counter(name, "Is there while tallyboard.spark.check looks.", ["mark"])
    try:
        counter.labels(mark).inc()
        if counter.labels(mark).value() != 1:
            problems.append(f"{location} has refused a series: see tallyboard check {location}")
        elif exporter is not None:
            _ask(exporter, mark, location, problems)
    finally:
        counter.remove(mark)


def _ask(exporter: str, mark: str, location: str, problems: list[str]) -> None:
    import re
    import urllib.request

    # A proxy that the job uses would look for its own localhost.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(exporter, timeout=10) as response:
            body = response.read().decode("utf-8", "replace")
    except OSError as error:
        problems.append(
            f"no exporter answers at {exporter}: {error}; start `tallyboard serve` on that "
            "machine, or give check the address where it is"
        )
        return
    if mark not in body:
        boards = sorted(set(re.findall(r'tallyboard_board_mapped\{board="([^"]*)"', body)))
        problems.append(
            f"the exporter at {exporter} does not show what is counted on {location} by user "
            f"{os.geteuid()}: it serves {', '.join(boards) or 'no board'}; let it serve that file, "
            "or set TALLYBOARD and TALLYBOARD_DIR for both"
        )
