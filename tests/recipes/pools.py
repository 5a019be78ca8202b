"""Processes of `multiprocessing`, started by fork, spawn and forkserver: pools that replace workers, workers killed."""

from __future__ import annotations

import sys
from pathlib import Path

from recipes.ledger import Ledger
from recipes.servers import APPLICATIONS, TESTS
from rig.command import assert_sound, values
from rig.processes import running, until

METHODS = ("fork", "spawn", "forkserver")
RECORDS = 2000
KILLS = 4


def check(method: str, folder: Path) -> None:
    board, log, ledger = folder / "pool.board", folder / "pool.log", Ledger(folder)
    command = [sys.executable, str(APPLICATIONS / "pool.py"), method, str(folder), str(RECORDS), str(KILLS)]
    with running(command, log, {"TALLYBOARD": str(board), "PYTHONPATH": str(TESTS)}) as pool:
        until(lambda: pool.poll() is not None, f"the processes by {method} to end")
        assert pool.returncode == 0, log.read_text()
    samples = values(board)

    def sample(name: str, **labels: str) -> float:
        return samples[name, frozenset(labels.items())]

    done, begun = ledger.counts()
    pooled, worker = sample("records_total", by="pool"), sample("records_total", by="worker")
    print(f"{method}: pool {pooled:.0f} of {RECORDS}")
    print(f"{method}: {KILLS} killed, {done} done <= {worker:.0f} counted <= {begun} begun")
    assert pooled == sample("record_seconds_count", by="pool") == RECORDS
    assert done <= worker <= begun
    assert begun - done <= KILLS
    assert sample("records_running") == 0, "a killed worker still counts as running"
    assert_sound(board)


def check_all(folder: Path) -> None:
    for method in METHODS:
        own = folder / method
        own.mkdir()
        check(method, own)
