"""The ledgers of the demo's workers, read from outside and while they work.

Each worker has a file of its own beside the demo's board: for each phase, the updates begun and those done, each
number followed by its complement (exporter/src/cli/demo/ledger.rs). The demo removes a worker's file after its death,
so a thread opens each as soon as it is there; what is open can be read for ever.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rig.processes import until

PHASES = 4
_NUMBER = struct.Struct("<QQ")
_ALL_BITS = 2**64 - 1


class Ledgers(threading.Thread):
    """Opens every ledger below `folder` until the end of a `with` block."""

    def __init__(self, folder: Path, workers: int) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._workers = workers
        self._files: dict[int, int] = {}
        self._lock = threading.Lock()
        self._finish = threading.Event()

    def __enter__(self) -> Ledgers:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._finish.set()
        self.join()
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def run(self) -> None:
        # A worker lives for 50 ms at least.
        while not self._finish.wait(0.002):
            self._look()

    def _look(self) -> int:
        """Opens what is new; returns how many ledgers there are just now."""
        with self._lock:
            numbers = []
            for directory in self._folder.glob("*.ledgers"):
                with suppress(FileNotFoundError):
                    numbers = [int(name) for name in os.listdir(directory)]
                for number in numbers:
                    if number not in self._files:
                        with suppress(FileNotFoundError):
                            self._files[number] = os.open(directory / str(number), os.O_RDONLY | os.O_CLOEXEC)
            return len(numbers)

    def missed(self) -> int:
        """Workers that lived and died unseen: they are numbered in the order in which they start."""
        with self._lock:
            return max(self._files, default=-1) + 1 - len(self._files)

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
            files = list(self._files.values())
        return [sum(_number(file, 2 * phase + which) for file in files) for phase in range(PHASES)]


def _number(file: int, index: int) -> int:
    for _ in range(1_000_000):
        read = os.pread(file, _NUMBER.size, index * _NUMBER.size)
        if not read:
            return 0  # The demo has made it just now, and no worker has it yet.
        if len(read) == _NUMBER.size:
            value, complement = _NUMBER.unpack(read)
            if value == complement ^ _ALL_BITS:
                return int(value)
    raise AssertionError("a ledger holds a number and not its complement")
