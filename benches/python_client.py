#!/usr/bin/env python3
"""What an update costs in Python: tallyboard beside prometheus_client in both of its modes.

    python benches/python_client.py [--rounds N] [--min-inc R] [--min-labels R] [--min-observe R] [--min-ctypes-inc R]
        [--min-dropin-inc R]

Each subject runs in a process of its own, because both packages choose their mode when they are
imported: `native` and `ctypes` are tallyboard's, `drop_in` is prometheus_client with tallyboard's
drop-in installed. All take turns within every round, so that whatever else the machine does falls on
all alike; the figure of a subject is its median over the rounds. All files are on a memory file
system. Afterwards each subject's counters must equal the updates made.

Prints one JSON object: nanoseconds an update, and how many times faster `native`, `ctypes` and
`drop_in` are than `multiprocess` and than `single_process`. Exits with 1, and says why on standard
error, where `native` is less than a `--min-…` times faster than `multiprocess` (with
`--min-ctypes-inc`, `ctypes`; with `--min-dropin-inc`, `drop_in` than `single_process`), or where a
count is wrong.

Needs the packages tallyboard and prometheus_client.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import timeit
from typing import Any

OURS = ("native", "ctypes", "drop_in")
PEERS = ("multiprocess", "single_process")
SUBJECTS = (*PEERS, *OURS)
STATEMENTS = {
    "inc": "counter.inc()",
    "labels_inc": "labelled.labels('GET', '/').inc()",
    "labels_by_name_inc": "labelled.labels(method='GET', path='/').inc()",
    "observe": "histogram.observe(0.3)",
    "summary_observe": "summary.observe(0.3)",
    "gauge_set": "gauge.set(4.5)",
    "gauge_inc": "gauge.inc()",
    "counter_inc_by_2": "counter.inc(2)",
}
GATED = {
    "min_inc": ("native", "inc", "multiprocess"),
    "min_labels": ("native", "labels_inc", "multiprocess"),
    "min_observe": ("native", "observe", "multiprocess"),
    "min_ctypes_inc": ("ctypes", "inc", "multiprocess"),
    "min_dropin_inc": ("drop_in", "inc", "single_process"),
}


def subject(name: str) -> None:
    """One subject: reads `STATEMENT LOOPS` lines, answers each with nanoseconds an update."""
    direct = name in ("native", "ctypes")
    module: Any = importlib.import_module("tallyboard" if direct else "prometheus_client")
    if name == "drop_in":
        importlib.import_module("tallyboard.prometheus_client").install()
    counter = module.Counter("bench_inc", "Help.")
    labelled = module.Counter("bench_labels", "Help.", ["method", "path"])
    names = {
        "counter": counter,
        "labelled": labelled,
        "gauge": module.Gauge("bench_gauge", "Help."),
        "histogram": module.Histogram("bench_histogram", "Help."),
        "summary": module.Summary("bench_summary", "Help."),
    }
    timers = {key: timeit.Timer(statement, globals=names) for key, statement in STATEMENTS.items()}
    for line in sys.stdin:
        key, loops = line.split()
        if key == "counts":
            child = labelled.labels("GET", "/")
            # prometheus_client has no public way to read a value.
            read = [each.value() if direct else each._value.get() for each in (counter, child)]
            print(json.dumps(read), flush=True)
        else:
            print(timers[key].timeit(int(loops)) / int(loops) * 1e9, flush=True)


class Subject:
    """A subject in its process."""

    def __init__(self, name: str, folder: str) -> None:
        environment = {
            key: value
            for key, value in os.environ.items()
            if key.lower() != "prometheus_multiproc_dir" and key != "TALLYBOARD"
        }
        environment["TALLYBOARD_DIR"] = folder
        if name in OURS:
            # Each on a board of its own.
            environment["TALLYBOARD"] = name
            environment["TALLYBOARD_BACKEND"] = "ctypes" if name == "ctypes" else "native"
        if name == "multiprocess":
            environment["PROMETHEUS_MULTIPROC_DIR"] = folder
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--subject", name],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def ask(self, key: str, loops: int) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(f"{key} {loops}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            sys.exit(f"error: the process of {self.name} ended, with its own message above")
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--loops", type=int, default=20_000, help="updates a round and statement")
    for option in GATED:
        parser.add_argument(
            "--" + option.replace("_", "-"),
            type=float,
            metavar="R",
            help=f"least ratio of {GATED[option][0]} to {GATED[option][2]}",
        )
    parser.add_argument("--subject", choices=SUBJECTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.subject:
        subject(arguments.subject)
        return 0

    problems = []
    nanoseconds: dict[str, dict[str, list[float]]] = {name: {key: [] for key in STATEMENTS} for name in SUBJECTS}
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory, prefix="tallyboard-bench-") as folder:
        subjects = {name: Subject(name, folder) for name in SUBJECTS}
        for each in subjects.values():
            for key in STATEMENTS:
                each.ask(key, 1000)
        for _ in range(arguments.rounds):
            for key in STATEMENTS:
                for name, each in subjects.items():
                    nanoseconds[name][key].append(float(each.ask(key, arguments.loops)))
        updates = 1000 + arguments.rounds * arguments.loops
        # inc() and inc(2) are one counter; both ways of naming labels are one series.
        expected = [3.0 * updates, 2.0 * updates]
        for name, each in subjects.items():
            counts = json.loads(each.ask("counts", 0))
            if counts != expected:
                problems.append(f"{name} counted {counts} of {expected}")
            each.close()

    median = {
        name: {key: statistics.median(values) for key, values in by_key.items()} for name, by_key in nanoseconds.items()
    }

    def times_faster(ours: str, theirs: str) -> dict[str, float]:
        return {key: round(median[theirs][key] / median[ours][key], 2) for key in STATEMENTS}

    ratios = {ours: {theirs: times_faster(ours, theirs) for theirs in PEERS} for ours in OURS}
    for option, (ours, key, theirs) in GATED.items():
        least = getattr(arguments, option)
        found = ratios[ours][theirs][key]
        if least is not None and found < least:
            problems.append(f"{STATEMENTS[key]} is {found} times faster by {ours} than {theirs}, not {least}")
    print(
        json.dumps(
            {
                "python": platform.python_version(),
                "rounds": arguments.rounds,
                "loops": arguments.loops,
                "nanoseconds": {
                    name: {key: round(value, 1) for key, value in by_key.items()} for name, by_key in median.items()
                },
                "ratios": ratios,
                "problems": problems,
            },
            indent=2,
        )
    )
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
