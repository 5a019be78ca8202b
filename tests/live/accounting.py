"""24 processes increment the same 10 labelled counters 100,000 times each, and not one increment is lost.

Half of the processes are Python's, forked from a pool, half are Rust's. They count on the path of restartable
sequences, on the shared plane, and half on each while they are moved between CPUs.

Usage: python -m live.accounting
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

from rig.command import assert_sound, values
from rig.scratch import scratch

FAMILY = "accounting_increments_total"
EACH = 6
"""Processes of one language and one update path; there are two of each."""
PROCESSES = 4 * EACH
SERIES = 10
INCREMENTS = 100_000


def last_cpu(pid: int) -> int:
    """The CPU that a process's main thread runs on or ran on last; of one that has ended, too."""
    # The 39th field of proc_pid_stat(5), counted from behind the command, whose name may hold anything.
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[36])


class Mover(threading.Thread):
    """Gives processes a random set of CPUs, one after the other, until it is told to finish."""

    def __init__(self, parents: list[int]) -> None:
        super().__init__(daemon=True)
        self._parents = parents
        self.moves = 0
        """How often a process was seen on another CPU than before."""
        self.error: BaseException | None = None
        self.finish = threading.Event()

    def run(self) -> None:
        try:
            self._move()
        except BaseException as error:
            self.error = error

    def _move(self) -> None:
        cpus = sorted(os.sched_getaffinity(0))
        chance = random.Random()
        while not self.finish.wait(0.001):
            for parent in self._parents:
                # A pool's workers are its children; a worker may end at any time.
                with suppress(FileNotFoundError, ProcessLookupError):
                    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
                    target = int(chance.choice(children)) if children else parent
                    before = last_cpu(target)
                    # One CPU that it was not on, or any set of them.
                    others = [cpu for cpu in cpus if cpu != before]
                    away = bool(others) and chance.random() < 0.5
                    os.sched_setaffinity(
                        target, [chance.choice(others)] if away else chance.sample(cpus, chance.randint(1, len(cpus)))
                    )
                    if away and last_cpu(target) != before:
                        self.moves += 1

    def end(self) -> None:
        """Stops it. What went wrong in it, other than a worker that had ended, is raised here."""
        self.finish.set()
        if self.ident is not None:
            self.join()
        if self.error is not None:
            raise self.error


def run(board: Path, paths: tuple[str, str], move: bool) -> None:
    """All processes count once, and the sums are exact. `paths` are the update paths of the two halves."""
    count = [FAMILY, str(SERIES), str(INCREMENTS)]
    with ExitStack() as stack:
        workers: list[subprocess.Popen[str]] = []
        for path in paths:
            environment = {**os.environ, "TALLYBOARD": str(board)}
            if path == "shared":
                environment["TALLYBOARD_RSEQ"] = "off"
            pool = [sys.executable, "-m", "live.pool", str(EACH), *count]
            for command in [pool, *[["worker", "count", *count]] * EACH]:
                pipe = subprocess.PIPE
                worker = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
                stack.enter_context(worker)
                stack.callback(worker.kill)
                workers.append(worker)
                assert worker.stdout is not None
                said = worker.stdout.readline().split()
                assert said == ["ready", path], f"asked for the {path} path, the worker said {said}"
        mover = Mover([worker.pid for worker in workers])
        stack.callback(mover.finish.set)
        if move:
            mover.start()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        codes = [worker.wait() for worker in workers]
        mover.end()
        assert not any(codes), f"workers ended with {codes}"

    found = values(board)
    expected = {(FAMILY, frozenset({("kind", str(kind))})): float(PROCESSES * INCREMENTS) for kind in range(SERIES)}
    total = sum(found.get(series, 0) for series in expected)
    moved = f", moved between CPUs {mover.moves} times" if move else ""
    print(
        f"{' and '.join(dict.fromkeys(paths))}: {PROCESSES} processes{moved}:"
        f" {total:.0f} counted of {PROCESSES * SERIES * INCREMENTS}",
        flush=True,
    )
    if move and len(os.sched_getaffinity(0)) > 1:
        assert mover.moves > 0, "no process was ever moved to another CPU"
    assert found == expected, {series: value for series, value in found.items() if value != expected.get(series)}
    assert_sound(board)


def main() -> None:
    with scratch("accounting") as folder:
        run(folder / "rseq.board", ("rseq", "rseq"), move=False)
        run(folder / "shared.board", ("shared", "shared"), move=False)
        run(folder / "both.board", ("rseq", "shared"), move=True)


if __name__ == "__main__":
    main()
