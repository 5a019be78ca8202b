"""The ledgers of the demo's workers, read from outside and while they work.

Each worker has a mapping of its own, a file beside the demo's board: for each phase, a word of the updates begun and
one of those done (exporter/src/cli/demo/ledger.rs). The demo removes a worker's file after its death, so a thread maps
each as soon as it is there; what is mapped can be read for ever.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rig.processes import until

PHASES = 4
_LEN = PHASES * 2 * 8


class Ledgers(threading.Thread):
    """Maps every ledger below `folder` until the end of a `with` block."""

    def __init__(self, folder: Path, workers: int) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._workers = workers
        self._words: dict[int, memoryview] = {}
        self._lock = threading.Lock()
        self._finish = threading.Event()

    def __enter__(self) -> Ledgers:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._finish.set()
        self.join()
        self._words.clear()

    def run(self) -> None:
        # A worker lives for 50 ms at least.
        while not self._finish.wait(0.002):
            self._look()

    def _look(self) -> int:
        """Maps what is new; returns how many ledgers there are just now."""
        with self._lock:
            numbers = []
            for directory in self._folder.glob("*.ledgers"):
                with suppress(FileNotFoundError):
                    numbers = [int(name) for name in os.listdir(directory)]
                for number in numbers:
                    if number not in self._words:
                        with suppress(FileNotFoundError, _UnfinishedError):
                            self._words[number] = _mapped(directory / str(number))
            return len(numbers)

    def missed(self) -> int:
        """Workers that lived and died unseen: they are numbered in the order in which they start."""
        with self._lock:
            return max(self._words, default=-1) + 1 - len(self._words)

    def done(self) -> list[int]:
        """For each phase, at least what had been done before this call, but for workers that were missed."""
        self._look()
        return self._sums(1)

    def begun(self, has_ended: Callable[[], bool]) -> list[int] | None:
        """For each phase, at least what had been begun before this call, but for workers that were missed.

        Waits until nobody is being replaced: only then do the numbers tell that nobody was missed. None if the demo
        ended meanwhile.
        """
        until(lambda: self._look() == self._workers or has_ended(), "all workers to be there")
        return None if has_ended() else self._sums(0)

    def last(self) -> tuple[list[int], list[int]]:
        """For each phase, what was done and what was begun, when all workers are dead."""
        return self._sums(1), self._sums(0)

    def _sums(self, which: int) -> list[int]:
        with self._lock:
            ledgers = list(self._words.values())
        return [sum(words[2 * phase + which] for words in ledgers) for phase in range(PHASES)]


class _UnfinishedError(Exception):
    """The demo is just making this ledger."""


def _mapped(path: Path) -> memoryview:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(file).st_size < _LEN:
            raise _UnfinishedError
        # Items of a view of words are read whole, never byte by byte.
        return memoryview(mmap.mmap(file, _LEN, access=mmap.ACCESS_READ)).cast("Q")
    finally:
        os.close(file)
