"""A writer of a torture that uses the Python package: tests/src/bin/worker/torture.rs tells what it does and why, and
tests/src/books.rs what its books are. A process has books of its own, since Python adds to them in several steps.

Usage: torture.py BOOKS LANE SEED, with TALLYBOARD in the environment; BOOKS.child is there, too
"""

from __future__ import annotations

import ctypes
import mmap
import os
import random
import signal
import sys
from collections.abc import Callable

from tallyboard import Counter, Enum, Gauge, Histogram, Info

COUNTERS, SIGNALS, LAST, OBSERVATIONS, HISTOGRAMS = 64, 64, 65, 67, 8
READY = 2 * 139
# The default of Rust and C: with others it would be another definition.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
CHILD_ROUNDS = 300
PASSING_SERIES = 200
PR_SET_PDEATHSIG = 1
PHASES = ["counting", "forking", "dying"]


def books_of(path: str) -> memoryview:
    with open(path, "r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 8 * (READY + 1))).cast("Q")


def amount(number: int) -> int:
    """As `amount` of tests/src/passing.rs."""
    mixed = number * 0x9E3779B97F4A7C15 & 2**64 - 1
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & 2**64 - 1
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & 2**64 - 1
    return mixed >> 25 | 1 << 39 | 1


class Writer:
    def __init__(self, path: str, lane: int, seed: int) -> None:
        self._path = path
        self._books = books_of(path)
        self._chance = random.Random(seed)
        self._own = 1000 * lane
        self._counter = Counter("torture", "Updates.", ["series"])
        self._counters = [self._counter.labels(series) for series in range(COUNTERS)]
        histogram = Histogram("torture_seconds", "Durations.", ["series"], buckets=BUCKETS)
        self._histograms = [histogram.labels(series) for series in range(HISTOGRAMS)]
        self._passing = Counter("passing", "Series that come and go.", ["number"])
        self._signals = Counter("torture_signals", "Signals.")
        self._last = Gauge("torture_last", "A gauge of processes that die.")
        self._native = Histogram("torture_native_seconds", "Durations, all of a second.", native=True)
        self._writer = Info("torture_writer", "Who was here last, said twice.")
        self._phase = Enum("torture_phase", "What somebody does.", states=PHASES)

    def note(self, item: int, update: Callable[[], object]) -> None:
        self._books[2 * item] += 1
        update()
        self._books[2 * item + 1] += 1

    def on_signal(self, *_: object) -> None:
        """Runs between two instructions of the rest, which leaves these two items alone."""
        self.note(SIGNALS, self._signals.inc)
        self.note(LAST, self._last.inc)

    def round(self) -> None:
        series = self._chance.randrange(COUNTERS)
        match self._chance.randrange(6):
            case 0:
                exemplar = {"series": str(series)} if self._chance.randrange(8) == 0 else None
                self.note(series, lambda: self._counters[series].inc(1, exemplar))
            case 1:
                self.note(series, self._counter.labels(str(series)).inc)
            case 2:
                place = series % HISTOGRAMS
                self.note(OBSERVATIONS + place, lambda: self._histograms[place].observe(place / 4))
            case 3:
                self._native.observe(1, {})
            case 4:
                word = str(self._chance.randrange(1000))
                self._writer.info({"one": word, "other": word})
                self._phase.state(self._chance.choice(PHASES))
            case _:
                number = self._own + self._chance.randrange(PASSING_SERIES)
                self._passing.labels(number).inc(amount(number))

    def run(self) -> None:
        signal.signal(signal.SIGUSR1, self.on_signal)
        self._books[READY] += 1
        child = 0
        while True:
            self.round()
            if self._chance.randrange(400):
                continue
            if child:
                os.waitpid(child, 0)
            child = os.fork()
            if not child:
                self.run_child()

    def run_child(self) -> None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        self._books = books_of(f"{self._path}.child")
        self._chance = random.Random(os.getpid())
        for _ in range(CHILD_ROUNDS):
            self.round()
        if self._chance.randrange(2):
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)


if __name__ == "__main__":
    Writer(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()
