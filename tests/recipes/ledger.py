"""What all workers together have begun and done: the test's own bookkeeping, apart from the board.

Two files that grow by a byte for each. A byte that is appended is there, whatever becomes of who did it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.processes import until


class Ledger:
    """The ledger in a folder, for any number of processes."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / "begun", folder / "done"]
        mode = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._begun, self._done = (os.open(file, mode, 0o600) for file in self._files)

    @contextmanager
    def entry(self) -> Iterator[None]:
        """Notes that something is begun, and at the end of the block that it is done."""
        os.write(self._begun, b".")
        yield
        os.write(self._done, b".")

    def counts(self) -> tuple[int, int]:
        """How many are done, and how many are begun: in this order, so that there never seem to be more done."""
        begun, done = self._files
        return done.stat().st_size, begun.stat().st_size

    def wait_for_more(self, entries: int) -> None:
        """Returns when so many more are done."""
        before, _ = self.counts()
        until(lambda: self.counts()[0] >= before + entries, f"{entries} more to be done")
