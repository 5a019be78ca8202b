"""Scrapes that go on while something else happens."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TypeVar

from rig.processes import until

S = TypeVar("S", bound="Scrapes")


class Scrapes(ABC):
    """Scrapes again and again, on a thread of its own. What was wrong with one is said by the end of the block."""

    def __init__(self) -> None:
        self.done = 0
        self._wrong: list[BaseException] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self: S) -> S:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if kind is None:
            self.check()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.one()
                self.done += 1
        except BaseException as error:
            self._wrong.append(error)

    @abstractmethod
    def one(self) -> object:
        """One scrape, and what must be true of it."""

    def more(self, count: int = 3) -> None:
        """Waits until so many more scrapes were begun and ended."""
        goal = self.done + count + 1
        until(lambda: self._wrong or self.done >= goal, "more scrapes")
        self.check()

    def check(self) -> None:
        """Says what was wrong."""
        if self._wrong:
            raise self._wrong[0]
