"""Forked children: those that end with their work, and those that act when they are told to."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from typing import Any, Callable


def start(work: Callable[..., object], *arguments: object) -> int:
    """Forks a child that does it and exits with 0, or prints what it raised and exits with 1."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(*arguments)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def wait(pid: int) -> None:
    """Waits for a child, which must exit with 0."""
    status = os.waitpid(pid, 0)[1]
    assert status == 0, status


def in_child(work: Callable[..., object]) -> None:
    wait(start(work))


def in_children(count: int, work: Callable[[int], object]) -> list[int]:
    """Does it in so many at once, each given its number. Their pids."""
    pids = [start(work, number) for number in range(count)]
    for pid in pids:
        wait(pid)
    return pids


class Worker:
    """A child that calls `action` with what it is told, and tells what that returns.

    As a context manager it kills the child, unless the block has seen its end.
    """

    def __init__(self, action: Callable[[Any], object]) -> None:
        self._is_waited_for = True
        self._told, child_end = multiprocessing.Pipe()

        def act() -> None:
            # Workers that are forked later hold the other end, too: it is not closed by this
            # one's death, and its closing not seen.
            for request in iter(child_end.recv, None):
                child_end.send(action(request))

        self.pid = start(act)
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
