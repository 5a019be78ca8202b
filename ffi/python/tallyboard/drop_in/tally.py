"""What this process alone has counted, for `get` where it is asked for that."""

from __future__ import annotations

import os
from threading import Lock
from weakref import WeakSet


class Tally:
    """A number that begins at 0 in each process. Costs a lock at each update."""

    __slots__ = ("__weakref__", "_lock", "_value")

    def __init__(self) -> None:
        self._begin()
        _all.add(self)

    def _begin(self) -> None:
        self._lock = Lock()
        self._value = 0.0

    def inc(self, amount: float) -> None:
        """Adds `amount`."""
        with self._lock:
            self._value += amount

    def set(self, value: float) -> None:
        """Makes it `value`."""
        with self._lock:
            self._value = value

    def get(self) -> float:
        """The number."""
        return self._value


_all: WeakSet[Tally] = WeakSet()


def _begin_all() -> None:
    # With new locks: another thread of the parent may have held one during the fork.
    for tally in list(_all):
        tally._begin()


# Not there on Windows, which does not fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_all)
