"""Processes of `multiprocessing` that count what they work on, started in the way that the first argument says.

A pool whose workers are replaced after 25 chunks; then workers of which one after the other is killed in the middle of
its work, and replaced. `ledger` is the test's own bookkeeping.

Usage: pool.py fork|spawn|forkserver FOLDER RECORDS KILLS
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from ctypes import c_bool
from pathlib import Path

from tallyboard import Counter, Gauge, Histogram

from recipes.ledger import Ledger

RECORDS = Counter("records_total", "Records worked on.", ["by"])
SECONDS = Histogram("record_seconds", "Time that a record took.", ["by"])
RUNNING = Gauge("records_running", "Records being worked on.", multiprocess_mode="livesum")


def work(number: int) -> int:
    with RUNNING.track_inprogress(), SECONDS.labels("pool").time():
        RECORDS.labels("pool").inc()
        return sum(range(number % 1000))


def work_until(stop: c_bool, folder: Path) -> None:
    ledger = Ledger(folder)
    counter = RECORDS.labels("worker")
    while not stop.value:
        with RUNNING.track_inprogress(), SECONDS.labels("worker").time(), ledger.entry():
            counter.inc()


def main(method: str, folder: Path, records: int, kills: int) -> None:
    context = multiprocessing.get_context(method)
    with context.Pool(4, maxtasksperchild=25) as pool:
        results = pool.map(work, range(records), chunksize=10)
        pool.close()
        pool.join()
    assert len(results) == records

    ledger = Ledger(folder)
    # Not an Event: a worker that is killed as it looks at one keeps its lock.
    stop = context.RawValue(c_bool, False)

    def started() -> multiprocessing.process.BaseProcess:
        worker = context.Process(target=work_until, args=(stop, folder))
        worker.start()
        return worker

    workers = [started() for _ in range(3)]
    for _ in range(kills):
        ledger.wait_for_more(50)
        victim = workers.pop(0)
        os.kill(victim.pid or 0, signal.SIGKILL)
        victim.join()
        workers.append(started())
    ledger.wait_for_more(50)
    stop.value = True
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
