"""What each worker process has begun and done, in a private file of its own.

The test's own bookkeeping, kept apart from the board so that the two can be compared. A worker writes
`begun` before it counts on the board and `done` after it, as plain 8-byte stores into a mapped file, so the
figures of a worker that was killed are still there. A task that Spark runs again counts in both again.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PHASES = ("loading", "projecting", "linking", "grouping")
FOLDER_VARIABLE = "TEST_LEDGER_FOLDER"
"""The environment variable that says where the files are; the workers inherit it."""
WORDS = 2 * len(PHASES)

_page: memoryview | None = None


def _forget_page() -> None:
    global _page
    _page = None


os.register_at_fork(after_in_child=_forget_page)


def _own_page() -> memoryview:
    """This process's file, made at its first record: for each phase a word `begun` and a word `done`."""
    global _page
    if _page is None:
        descriptor, _ = tempfile.mkstemp(prefix=f"{os.getpid()}-", dir=os.environ[FOLDER_VARIABLE])
        os.ftruncate(descriptor, 8 * WORDS)
        _page = memoryview(mmap.mmap(descriptor, 8 * WORDS)).cast("q")
        os.close(descriptor)
    return _page


@contextmanager
def entry(phase: str) -> Iterator[None]:
    """Notes that a record is begun, and at the end of the block that it is done."""
    page = _own_page()
    begun = 2 * PHASES.index(phase)
    page[begun] += 1
    yield
    page[begun + 1] += 1


class Account:
    """One worker's ledger as it stood when it was read."""

    def __init__(self, file: Path) -> None:
        words = memoryview(file.read_bytes().ljust(8 * WORDS, b"\0")).cast("q")
        self.file = file
        self.pid = int(file.name.partition("-")[0])
        self.begun = dict(zip(PHASES, words[0::2], strict=True))
        self.done = dict(zip(PHASES, words[1::2], strict=True))


def accounts(folder: Path) -> list[Account]:
    """The ledgers of all workers that ever lived."""
    return [Account(file) for file in folder.iterdir()]
