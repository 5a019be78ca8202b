"""Ten times as many updates make no more syscalls, from Rust and from Python, on both update paths.

Counted by `strace -f -c` over whole processes that make 100,000 and 1,000,000 updates. The board is read afterwards:
all updates have arrived, so what makes no syscalls is counting, not refusing to; and each process says which path it
updates by.

Usage: python -m live.syscalls
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

from rig.command import values
from rig.scratch import scratch

FEW, MANY = 100_000, 1_000_000
ALLOWED_DIFFERENCE = 10
"""A timer tick or the allocator may be good for a call or two; the bar is `fewer than 10`."""

# The labelled child is looked up anew each time: that is an update, too, as most programs write it.
PYTHON = """
import sys
from tallyboard import Counter, Gauge, Histogram, Summary
from tallyboard.board import opened
counter = Counter("update_events_total", "Events.", ["kind"])
kept = counter.labels("kept")
gauge = Gauge("update_level", "A level.")
histogram = Histogram("update_seconds", "Durations.")
summary = Summary("update_bytes", "Sizes.")
board = opened()
print("ready", "rseq" if board.library.board_uses_rseq(board.handle) else "shared")
for update in range(int(sys.argv[1]) // 5):
    kept.inc()
    counter.labels("looked up").inc(0.5)
    gauge.set(update)
    histogram.observe(update / 1e5)
    summary.observe(update)
"""


RUNS = (1_000, FEW, MANY)
"""The board is made by a run that is not compared."""


def updates_in(language: str) -> dict[str, float]:
    """What the board holds after all runs: the counters' sum, the last gauge, the observations' numbers and sums."""
    expected: dict[str, float] = dict.fromkeys(
        ["events", "update_seconds_count", "update_seconds_sum", "update_bytes_count", "update_bytes_sum"], 0
    )
    for updates in RUNS:
        if language == "Rust":
            # tests/src/bin/worker/update.rs: one of six ways after the other.
            numbers = [range(way, updates, 6) for way in range(6)]
            inc, add, half, gauge, histogram, summary = numbers
            expected["events"] += len(inc) + 3 * len(add) + 0.5 * len(half)
        else:
            gauge = histogram = summary = range(updates // 5)
            expected["events"] += 1.5 * len(gauge)
        expected["update_level"] = gauge[-1]
        expected["update_seconds_count"] += len(histogram)
        expected["update_seconds_sum"] += sum(histogram) / 1e5
        expected["update_bytes_count"] += len(summary)
        expected["update_bytes_sum"] += sum(summary)
    return expected


def assert_counted(board: Path, language: str) -> None:
    """The board's values are those of the updates made."""
    found: dict[str, float] = {}
    for (name, _), value in values(board).items():
        if name == "update_events_total":
            found["events"] = found.get("events", 0) + value
        elif not name.endswith("_bucket"):
            found[name] = value
    expected = updates_in(language)
    assert found.keys() == expected.keys(), found
    wrong = {name: (found[name], expected[name]) for name in found if not math.isclose(found[name], expected[name])}
    assert not wrong, f"(found, made): {wrong}"


def syscalls(command: list[str], board: Path, path: str) -> int:
    """All syscalls of a process and what it starts, which updates by that path."""
    report = board.with_suffix(".strace")
    environment = {**os.environ, "TALLYBOARD": str(board), **({} if path == "rseq" else {"TALLYBOARD_RSEQ": "off"})}
    strace = ["strace", "-f", "-c", "-o", str(report), *command]
    # A worker waits for a line before it starts.
    done = subprocess.run(strace, env=environment, check=True, input="go\n", stdout=subprocess.PIPE, text=True)
    assert done.stdout.split() == ["ready", path], f"asked for the {path} path, it said {done.stdout!r}"
    total = report.read_text().splitlines()[-1].split()
    assert total[-1] == "total", total
    # % time, seconds, usecs/call, calls, errors (left out where there are none), syscall
    return int(total[3])


def main() -> None:
    languages = {"Rust": ["worker", "update"], "Python": [sys.executable, "-c", PYTHON]}
    with scratch("syscalls") as folder:
        for language, command in languages.items():
            for path in ("rseq", "shared"):
                board = folder / f"{language}-{path}.board"
                calls = [syscalls([*command, str(updates)], board, path) for updates in RUNS]
                print(f"{language}, {path}: {calls[1]} syscalls with {FEW} updates, {calls[2]} with {MANY}", flush=True)
                assert abs(calls[2] - calls[1]) < ALLOWED_DIFFERENCE, "updates make syscalls"
                assert_counted(board, language)


if __name__ == "__main__":
    main()
