"""A scrape costs what the series cost, however many processes are dead behind them.

Two boards hold the same series of a counter, a histogram and gauges with the same values: one process counted on the
one, many that are dead by now on the other. Both are scraped in turn by the same requests, and every value is changed
before each scrape, so that no rendered value is used twice.

Usage: python -m live.dead [--deaths N] [--max-ratio R]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rig.command import parse
from rig.connection import Connection
from rig.exporter import Exporter
from rig.scratch import scratch

SERIES = 1_000
ROUNDS = 150


def count(board: Path, deaths: int) -> None:
    """Lets so many processes count on the board and die, and lets the last one clean up, as an exporter would."""
    environment = {**os.environ, "TALLYBOARD": str(board)}
    command = ["worker", "deaths", "deaths_sum", str(deaths), str(SERIES)]
    subprocess.run(command, env=environment, input="go\n", stdout=subprocess.DEVNULL, text=True, check=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--deaths", type=int, default=10_000, help="processes that are dead behind the one board")
    arguments.add_argument("--max-ratio", type=float, help="fail above this ratio of the two")
    options = arguments.parse_args()
    with scratch("dead") as folder:
        fresh, old = (folder / f"{name}.board" for name in ("fresh", "old"))
        started = time.monotonic()
        count(fresh, 1)
        count(old, options.deaths)
        print(f"{options.deaths} processes have died in {time.monotonic() - started:.0f} s", flush=True)
        logs = [folder / "fresh.log", folder / "old.log"]
        with Exporter(fresh, logs[0]) as first, Exporter(old, logs[1]) as second:
            exporters = [first, second]
            for exporter in exporters:
                exporter.start(create=False)
            connections = [Connection(exporter.address) for exporter in exporters]
            bodies = [parse(connection.get("/metrics")[1].decode()) for connection in connections]
            keys = [{series for series in body if series[0].startswith("deaths_")} for body in bodies]
            assert keys[0] == keys[1], f"only one has {list(keys[0] ^ keys[1])[:5]}"
            assert bodies[1]["deaths_sum", frozenset()] == options.deaths
            for body in bodies:
                assert body["deaths_alive", frozenset()] == 0
            times: list[list[float]] = [[], []]
            for turn in range(ROUNDS):
                for board in (fresh, old):
                    count(board, 1)
                # Each goes first as often as the other.
                for place in (0, 1) if turn % 2 else (1, 0):
                    times[place].append(connections[place].get("/metrics")[0])
            medians = [statistics.median(taken) for taken in times]
            for what, seconds in zip(("with none", f"with {options.deaths}"), medians, strict=True):
                print(f"a scrape of a board {what} dead behind it: {seconds * 1e3:.2f} ms")
            ratio = medians[1] / medians[0]
            print(f"ratio {ratio:.3f}")
            for exporter in exporters:
                exporter.stop()
    if options.max_ratio is not None and ratio > options.max_ratio:
        sys.exit(f"a scrape takes {ratio:.3f} times as long, more than {options.max_ratio}")


if __name__ == "__main__":
    main()
