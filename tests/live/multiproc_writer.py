"""A program of prometheus_client's multiprocess mode: what it counts, each of its forked processes counts otherwise.

Says `counted` when all have, and lives, with its files open, until its standard input ends.

Usage: PROMETHEUS_MULTIPROC_DIR=DIR python -m live.multiproc_writer PROCESSES SERIES
"""

from __future__ import annotations

import os
import sys

from prometheus_client import Counter, Gauge, Histogram, Summary

AWKWARD = ['a"b\\c\nd', "größe", "", " ", "{}", "x" * 200]

# Early by name, so that it is registered before a board is full.
VERSION = Gauge("a_version", "The last configuration.", multiprocess_mode="mostrecent")
NEVER = Gauge("a_version_never_set", "Made and never set.", multiprocess_mode="mostrecent")
JOBS = Counter("jobs", "Jobs done.", ["queue", "place"])
WORK = Counter("work_seconds", 'Seconds of "work",\nin parts.')
IDLE = Counter("idle", "Never counted.")
MANY = Counter("many", "Series to fill a board.", ["number"])
WAITS = Histogram("wait_seconds", "Waits.", ["queue"], buckets=(0.0025, 0.5, 1, 1e6, 2.5e9))
BELOW = Histogram("below_celsius", "Bounds that are negative.", buckets=(-20, -0.5, 3))
SIZES = Summary("size_bytes", "Sizes.", ["queue"])
SPLIT = [
    Gauge(f"heat_{mode}", f"The {mode} of heats.", ["room"], multiprocess_mode=mode)
    for mode in ("sum", "min", "max", "mostrecent", "all", "liveall", "livesum", "livemin", "livemostrecent")
]


def count(process: int, series: int) -> None:
    """What process number `process` counts."""
    VERSION.set(process)
    for text in AWKWARD:
        JOBS.labels(queue=text, place="here").inc(process + 1)
        WAITS.labels(text).observe(0.1 * process)
    for exponent in range(-4, 12):
        WAITS.labels("all").observe(10.0**exponent * (process + 1))
        BELOW.observe((-1) ** exponent * 10.0 ** (exponent / 4))
        SIZES.labels("all").observe(2.0**exponent)
    WORK.inc(0.125 * process)
    for number in range(series):
        MANY.labels(number).inc(number + process)
    for gauge in SPLIT:
        gauge.labels("cellar").set(20.5 - process)
        # Some rooms are known to one process only.
        gauge.labels(f"room {process}").set(process)


def main(processes: int, series: int) -> None:
    ends, counted = os.pipe()
    for process in range(processes):
        if os.fork() == 0:
            count(process, series)
            os.write(counted, b".")
            os.close(counted)
            sys.stdin.read()
            os._exit(0)
    os.close(counted)
    done = 0
    while done < processes and (dots := os.read(ends, processes)):
        done += len(dots)
    print("counted", flush=True)
    statuses = [os.wait()[1] for _ in range(processes)]
    sys.exit(0 if done == processes and not any(statuses) else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
