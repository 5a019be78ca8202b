"""Several interpreters in one process, and threads without an interpreter lock."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from conftest import Run

INTERPRETERS = """
import sys

try:
    import _interpreters
except ImportError:
    import _xxsubinterpreters as _interpreters

from tallyboard import Counter, Gauge, Histogram, backend, lowlevel, series

PROGRAM = '''
import tallyboard
from tallyboard import backend, lowlevel

assert backend.native is None
assert lowlevel.path() == %r
counter = tallyboard.Counter("c", "Help.")
for _ in range(1000):
    counter.inc()
tallyboard.Gauge("g", "Help.", multiprocess_mode="all").inc()
tallyboard.Histogram("h", "Help.", ["l"]).labels("x").observe(0.25)
assert len(tallyboard.series()) == 3
''' % lowlevel.path()

counter = Counter("c", "Help.")
counter.inc(0.5)
Gauge("g", "Help.", multiprocess_mode="all").inc()
for _ in range(3):
    if sys.version_info >= (3, 13):
        interpreter = _interpreters.create("isolated")
    else:
        # In 3.12, one with an interpreter lock of its own cannot import ctypes.
        interpreter = _interpreters.create(isolated=False)
    failed = _interpreters.run_string(interpreter, PROGRAM)
    assert not failed, failed
    _interpreters.destroy(interpreter)
Histogram("h", "Help.", ["l"]).labels("x").observe(0.25)
for each in series():
    print(each.name, each.value, each.count)
"""


@pytest.mark.skipif(sys.version_info < (3, 9), reason="no way to make one with these arguments")
def test_the_interpreters_of_a_process_count_on_one_board(run: Run, board: Path) -> None:
    # The number of the process is there once, and the end of an interpreter does not end it.
    assert run(INTERPRETERS).splitlines() == ["c_total 3000.5 0", "g 4.0 0", "h 0.0 4"]


THREADS = """
import sys
from threading import Barrier, Thread

from tallyboard import Counter, backend

counter = Counter("c", "Help.", ["thread"])
shared = Counter("shared", "Help.")
start = Barrier(4)

def count(name):
    start.wait()
    for _ in range(20_000):
        counter.labels(name).inc()
        shared.inc()

threads = [Thread(target=count, args=(name,)) for name in "abba"]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(counter.labels("a").value(), counter.labels("b").value(), shared.value())
# Importing the package has not brought back the lock that a free-threaded build goes without.
if "t" in sys.abiflags:
    assert not sys._is_gil_enabled() and backend.native is None
"""


def test_threads_count_exactly(run: Run, board: Path) -> None:
    assert run(THREADS) == "40000.0 40000.0 80000.0\n"
