"""A folder for the boards and files of one test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.processes import clean_up_when_terminated


@contextmanager
def scratch(test: str) -> Iterator[Path]:
    """A private folder in shared memory (boards belong on a tmpfs), removed at the end whatever happens."""
    clean_up_when_terminated()
    with tempfile.TemporaryDirectory(prefix=f"tallyboard-{test}-", dir="/dev/shm") as folder:
        yield Path(folder)
