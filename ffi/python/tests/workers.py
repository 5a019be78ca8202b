"""Forked children that act when they are told to."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any, Callable


class Worker:
    """A child that calls `action` with what it is told, and tells what that returns.

    As a context manager it kills the child, unless the block has seen its end.
    """

    def __init__(self, action: Callable[[Any], object]) -> None:
        self._is_waited_for = True
        self._told, child_end = multiprocessing.Pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                # Workers that are forked later hold the other end, too: it is not closed by this
                # one's death, and its closing not seen.
                for request in iter(child_end.recv, None):
                    child_end.send(action(request))
                code = 0
            finally:
                os._exit(code)
        child_end.close()

    def turn(self, request: object) -> Any:
        self._told.send(request)
        # A child whose action raises dies, and has printed why.
        while not self._told.poll(0.1):
            assert self._wait(os.WNOHANG) == (0, 0), "the worker has died"
        return self._told.recv()

    def end(self) -> None:
        self._told.send(None)
        assert self._wait()[1] == 0

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._wait()

    def _wait(self, options: int = 0) -> tuple[int, int]:
        pid, status = os.waitpid(self.pid, options)
        # From then on the number may be another process's.
        self._is_waited_for = pid == 0
        return pid, status

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._is_waited_for:
            self.kill()


def shown(registry: Any, name: str) -> dict[str, float]:
    """The samples of the families whose names begin with `name`, by name and label values."""
    return {
        ".".join([sample.name, *sample.labels.values()]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if family.name.startswith(name) and not sample.name.endswith("_created")
    }
