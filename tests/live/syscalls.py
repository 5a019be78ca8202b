"""Bar 4: ten times as many updates make no more syscalls, from Rust and from Python, on both update paths.

Counted by `strace -f -c` over whole processes that make 100,000 and 1,000,000 updates.

Usage: python -m live.syscalls
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rig.scratch import scratch

FEW, MANY = 100_000, 1_000_000
ALLOWED_DIFFERENCE = 10
"""A timer tick or the allocator may be good for a call or two; the bar is `fewer than 10`."""

# The labelled child is looked up anew each time: that is an update, too, as most programs write it.
PYTHON = """
import sys
from tallyboard import Counter, Gauge, Histogram, Summary
counter = Counter("update_events_total", "Events.", ["kind"])
kept = counter.labels("kept")
gauge = Gauge("update_level", "A level.")
histogram = Histogram("update_seconds", "Durations.")
summary = Summary("update_bytes", "Sizes.")
for update in range(int(sys.argv[1]) // 5):
    kept.inc()
    counter.labels("looked up").inc(0.5)
    gauge.set(update)
    histogram.observe(update / 1e5)
    summary.observe(update)
"""


def syscalls(command: list[str], board: Path, rseq: bool) -> int:
    """All syscalls of a process and what it starts."""
    report = board.with_suffix(".strace")
    environment = {**os.environ, "TALLYBOARD": str(board), **({} if rseq else {"TALLYBOARD_RSEQ": "off"})}
    strace = ["strace", "-f", "-c", "-o", str(report), *command]
    # A worker waits for a line before it starts.
    subprocess.run(strace, env=environment, check=True, input="go\n", stdout=subprocess.DEVNULL, text=True)
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
                # The board is made by a run that is not compared.
                calls = [syscalls([*command, str(updates)], board, path == "rseq") for updates in (1_000, FEW, MANY)]
                print(f"{language}, {path}: {calls[1]} syscalls with {FEW} updates, {calls[2]} with {MANY}", flush=True)
                assert abs(calls[2] - calls[1]) < ALLOWED_DIFFERENCE, "updates make syscalls"


if __name__ == "__main__":
    main()
