"""One board, several processes and threads: fork, spawn, pickle and cloudpickle."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import cloudpickle
import pytest
from workers import in_child

import tallyboard
from tallyboard import Counter, Gauge, Histogram, Summary

if TYPE_CHECKING:
    from conftest import Run

COUNTER = Counter("at_import", "Declared at import.")
CHILD = Counter("at_import_labelled", "Declared at import.", ["a"]).labels("x")
LABELLED = Histogram("at_import_histogram", "Declared at import.", ["a"])


@CHILD.count_exceptions()
def raises() -> None:
    raise KeyError


def test_metrics_declared_at_import_count_in_forked_children(name: str) -> None:
    before = COUNTER.value()

    def action() -> None:
        COUNTER.inc()
        LABELLED.labels(name).observe(1)
        Counter(name, "New in the child.").inc(2)

    for _ in range(3):
        in_child(action)
    COUNTER.inc()
    assert COUNTER.value() == before + 4
    found = {each.name: each for each in tallyboard.series() if name in each.labels.values()}
    assert found["at_import_histogram"].count == 3
    assert Counter(name, "New in the child.").value() == 6


def test_a_child_killed_in_mid_work_leaves_what_it_counted(name: str) -> None:
    counter = Counter(name, "Help.")
    counted, child_end = multiprocessing.Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        for _ in range(1000):
            counter.inc()
        child_end.send(True)
        while True:
            signal.pause()
    assert counted.recv()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert counter.value() == 1000


def test_fork_while_threads_declare_and_count(name: str) -> None:
    """A lock that another thread held during the fork would stop the child for ever."""
    stop = threading.Event()

    def work(i: int) -> None:
        counter = Counter(f"{name}_threads", "Help.", ["i", "n"])
        n = 0
        while not stop.is_set():
            n += 1
            counter.labels(i, n % 20).inc()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    try:
        for n in range(20):
            in_child(lambda n=n: Counter(f"{name}_children", "Help.", ["n"]).labels(n % 3).inc())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    children = [each for each in tallyboard.series() if each.name == f"{name}_children_total"]
    assert sum(each.value for each in children) == 20


def test_threads_that_ask_for_the_same_new_child_share_it(name: str) -> None:
    counter = Counter(name, "Help.", ["a"])
    start = threading.Barrier(8)

    def work() -> None:
        start.wait(30)
        for n in range(200):
            counter.labels(n).inc()

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(switch)
    assert [counter.labels(n).value() for n in range(200)] == [8] * 200


@pytest.mark.parametrize("module", [pickle, cloudpickle])
def test_pickling_in_one_process_gives_the_same_object(module: object, name: str) -> None:
    assert isinstance(module, type(pickle))
    gauge = Gauge(name, "Help.", ["a"])
    for one in (COUNTER, CHILD, gauge, gauge.labels("x"), LABELLED):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert module.loads(module.dumps(one, protocol)) is one
    for method in (COUNTER.inc, gauge.labels("y").set):
        assert module.loads(module.dumps(method)) == method
    assert module.loads(module.dumps(raises)) is raises


def test_blocks_pickle(name: str) -> None:
    timer = pickle.loads(pickle.dumps(Summary(name, "Help.").time()))
    with timer:
        pass
    gauge = Gauge(f"{name}_g", "Help.", multiprocess_mode="livesum")
    with pickle.loads(pickle.dumps(gauge.track_inprogress())):
        assert gauge.value() == 1
    counter = Counter(f"{name}_c", "Help.")
    block = pickle.loads(pickle.dumps(counter.count_exceptions(KeyError)))
    with pytest.raises(KeyError), block:
        raise KeyError
    assert counter.value() == 1


DRIVER = """
import sys
import cloudpickle
from tallyboard import Counter, Gauge, Histogram, Summary

loaded = Counter("loaded", "Records loaded.")
by_kind = Counter("by_kind", "Records by kind.", ["kind"])
odd = by_kind.labels("odd")
seconds = Histogram("work_seconds", "Time.", ["phase"], unit="seconds", buckets=[1, 60])
running = Gauge("running", "Tasks.", namespace="app", multiprocess_mode="livesum")
failed = Counter("failed", "Errors.")
inc = loaded.inc


time_of_map = seconds.labels("map").time()


class Mapper:
    def __init__(self):
        self.summary = Summary("mapped", "Values.")

    def __call__(self, value):
        self.summary.observe(value)
        return value


@time_of_map
@running.track_inprogress()
@failed.count_exceptions(ValueError)
def work(value):
    inc()
    if value % 2:
        odd.inc()
    by_kind.labels(kind="any").inc(0.5)
    if value == 3:
        raise ValueError(value)
    return value


mapper = Mapper()
with open(sys.argv[1], "wb") as file:
    cloudpickle.dump(lambda value: work(mapper(value)), file)
"""

WORKER = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    data = file.read()
for repeat in range(2):
    function = pickle.loads(data)  # as a reused worker does for each task
    for value in range(5):
        try:
            function(value)
        except ValueError:
            pass
"""

READER = """
import tallyboard
for each in tallyboard.series():
    print(each.name, sorted(each.labels.items()), each.value, each.count)
"""


@pytest.mark.usefixtures("board")
def test_metrics_of_a_driver_script_count_in_its_lambdas_elsewhere(
    run: Run, tmp_path: Path
) -> None:
    pickled = str(tmp_path / "function")
    run(DRIVER, pickled)
    run(WORKER, pickled)
    run(WORKER, pickled)
    assert sorted(run(READER).splitlines()) == [
        "app_running [] 0.0 0",
        "by_kind_total [('kind', 'any')] 10.0 0",
        "by_kind_total [('kind', 'odd')] 8.0 0",
        "failed_total [] 4.0 0",
        "loaded_total [] 20.0 0",
        "mapped [] 0.0 20",
        "work_seconds [('phase', 'map')] 0.0 20",
    ]


CHANGED = """
import pickle
from tallyboard import Counter, Histogram
from tallyboard.definition import Definition
from tallyboard.metric import _restore

here = Histogram("h", "Help.", buckets=[1])
changed = _restore(Histogram, Definition("h", "New help.", (), "", (1.0,)), ())
changed.observe(1)
here.observe(1)
import tallyboard
print([each.count for each in tallyboard.series()])
"""


def test_a_definition_that_changed_elsewhere_unpickles(run: Run) -> None:
    assert run(CHANGED) == "[2]\n"


SPAWN = """
import multiprocessing, sys
from tallyboard import Counter

counter = Counter("spawned", "Help.", ["a"])

def work(n, child):
    counter.labels("import").inc()
    child.inc(n)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(3) as pool:
        pool.starmap(work, [(n, counter.labels("argument")) for n in range(10)])
    print(counter.labels("import").value(), counter.labels("argument").value())
"""


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(run: Run, method: str) -> None:
    assert run(SPAWN, method) == "10.0 45.0\n"


PRIVATE = """
import os, tallyboard
from tallyboard import Counter
counter = Counter("c", "Help.", ["a"])
if os.fork() == 0:
    counter.labels("x").inc()
    os._exit(0)
os.wait()
print(counter.labels("x").value())
"""


def test_a_private_board_is_shared_with_children_before_anything_is_counted(run: Run) -> None:
    assert run(PRIVATE, TALLYBOARD="private") == "1.0\n"
