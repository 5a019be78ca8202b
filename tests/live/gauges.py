"""Gauges over processes that die by SIGKILL, in the exporter's PID namespace and in others.

Each aggregation is held against the table of meanings in the first scrape after each death, as `tallyboard serve`
shows it. Then many processes, one after the other, add one to a `sum` gauge and die: their sum is exact, and one
number is all that is kept of them.

Usage: python -m live.gauges [--deaths N]
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig.command import parse, succeed, tallyboard
from rig.exporter import Exporter
from rig.scratch import scratch

FAMILY = "held"


@dataclass(frozen=True)
class Meaning:
    """What is shown of processes that hold 3, 2, nothing and 5, set in this order."""

    aggregation: str
    all_alive: list[float]
    only_first_alive: list[float]
    """The one with 3."""
    none_alive: list[float]


MEANINGS = [
    Meaning("mostrecent", [5], [5], [5]),
    Meaning("sum", [10], [10], [10]),
    Meaning("min", [2], [2], [2]),
    Meaning("max", [5], [5], [5]),
    Meaning("all", [2, 3, 5], [2, 3, 5], [2, 3, 5]),
    Meaning("livesum", [10], [3], [0]),
    Meaning("livemin", [2], [3], []),
    Meaning("livemax", [5], [3], []),
    Meaning("liveall", [2, 3, 5], [3], []),
    Meaning("livemostrecent", [5], [3], []),
]
VALUES = ["3", "2", None, "5"]
ROW_OF_THE_DEAD = re.compile(r"row \d+: belongs to process \d+, which is gone")
OTHER_NAMESPACE = ["unshare", "--pid", "--fork"]


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Holder:
    """A process that holds a value until it is killed."""

    def __init__(self, board: Path, aggregation: str, value: str | None, before: list[str]) -> None:
        command = [*before, "worker", "hold", FAMILY, aggregation, *([] if value is None else [value])]
        environment = {**os.environ, "TALLYBOARD": str(board)}
        pipe = subprocess.PIPE
        # What unshare remarks when its child is killed is of no interest.
        errors = subprocess.DEVNULL if before else None
        self._process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=errors, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("ready"), "it ended before it was ready"
        self._pid = self._process.pid
        if before:
            [self._pid] = children_of(self._process.pid)

    def kill(self) -> None:
        """Returns when it is gone: whoever started it waits for it."""
        os.kill(self._pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        if self._process.poll() is None:
            self.kill()


@contextmanager
def holders(board: Path, aggregation: str, before: list[list[str]]) -> Iterator[list[Holder]]:
    """One for each value, the next begun when the last has set its own."""
    started: list[Holder] = []
    try:
        for number, value in enumerate(VALUES):
            started.append(Holder(board, aggregation, value, before[number % len(before)]))
        yield started
    finally:
        for holder in started:
            holder.end()


def shown(exporter: Exporter) -> list[float]:
    """The family's values in one scrape; where there are several, each has a `pid` of its own, or its namespace is
    another."""
    samples = parse(exporter.scrape())
    return sorted(value for (name, _), value in samples.items() if name == FAMILY)


def table(folder: Path, where: str, before: list[list[str]]) -> None:
    for meaning in MEANINGS:
        how = meaning.aggregation
        board = folder / f"{where.replace(' ', '-')}-{how}.board"
        with Exporter(board, folder / "exporter.log") as exporter:
            exporter.start()
            with holders(board, how, before) as (first, *others):
                found = [shown(exporter)]
                for holder in others:
                    holder.kill()
                found.append(shown(exporter))
                first.kill()
                found.append(shown(exporter))
            expected = [meaning.all_alive, meaning.only_first_alive, meaning.none_alive]
            assert found == expected, f"{how}, {where}: {found}, not {expected}"
            # Nobody has come by who would give back the rows of the dead.
            faults = tallyboard(board, "check").stdout.splitlines()
            assert all(ROW_OF_THE_DEAD.fullmatch(fault) for fault in faults), faults
            exporter.stop()
    print(f"{len(MEANINGS)} aggregations, {where}: as the table says, in the first scrape after each death", flush=True)


def deaths(folder: Path, count: int) -> None:
    board = folder / "deaths.board"
    with Exporter(board, folder / "exporter.log") as exporter:
        exporter.start()
        started = time.monotonic()
        command = ["worker", "deaths", FAMILY, str(count), "0"]
        environment = {**os.environ, "TALLYBOARD": str(board)}
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.close()
            last = 0.0
            while process.poll() is None:
                samples = parse(exporter.scrape())
                now = samples.get((FAMILY, frozenset()), 0.0)
                assert last <= now <= count, f"the sum went from {last} to {now}"
                # The one that is just now alive, and never one that is dead.
                assert samples.get(("deaths_alive", frozenset()), 0.0) in (0, 1)
                last = now
            assert process.returncode == 0
        samples = parse(exporter.scrape())
        assert samples[FAMILY, frozenset()] == count
        assert samples["deaths_alive", frozenset()] == 0
        seconds = time.monotonic() - started
        succeed(board, "check", "--repair")
        of_board = frozenset({("board", str(board))})
        used = samples["tallyboard_board_slots_used", of_board]
        # Two families, their two series, and what the sum holds in its series.
        assert used == 4, f"{used} slots are in use"
        assert samples["tallyboard_board_processes_used", of_board] == 0
        exporter.stop()
    print(f"{count} processes added one to a sum and died, in {seconds:.0f} s: one number, and exact", flush=True)


def main(count: int) -> None:
    with scratch("gauges") as folder:
        table(folder, "in the exporter's PID namespace", [[]])
        table(folder, "each in a PID namespace of its own", [OTHER_NAMESPACE])
        table(folder, "in both", [[], OTHER_NAMESPACE])
        deaths(folder, count)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--deaths", type=int, default=5_000, help="processes that add to the sum and die")
    main(arguments.parse_args().deaths)
