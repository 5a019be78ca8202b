"""Each test has a board of its own, and everything is as it was afterwards."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path
from typing import Callable

import pytest

from tallyboard import Counter, Gauge, lowlevel, series
from tallyboard.fresh_board import fresh_board

pytest_plugins = ["pytester"]

Run = Callable[..., str]

# The block is left and entered, with objects of every kind that were there long before. What they
# count by is chosen as they are made, so a program of its own counts on a board with a file first.
KINDS = """
import pickle
from tallyboard import Counter, Enum, Gauge, Histogram, Info, Summary, series
from tallyboard.fresh_board import fresh_board

counter = Counter("c", "Counts.")
family = Counter("f", "Counts.", ["method"])
child = family.labels("GET")
gauge = Gauge("g", "Goes.", multiprocess_mode="livesum")
histogram = Histogram("h", "Times.", buckets=[1, 2])
summary = Summary("s", "Sizes.")
info = Info("i", "Says.")
enum = Enum("e", "Holds.", states=["a", "b"])
inc = counter.inc

def use(times):
    for _ in range(times):
        inc()
        child.inc(2)
        family.labels("PUT").inc()
        gauge.inc()
        histogram.observe(1.5)
        summary.observe(3)
    info.info({"version": str(times)})
    enum.state("b")

def seen():
    return sorted((s.name, sorted(s.labels.items()), s.value, s.count, s.sum) for s in series())

def unused():
    return [s[0] for s in seen() if s[2] == s[3] == s[4] == 0]

use(3)
outside = seen()
for turn in (1, 2):
    with fresh_board():
        assert unused() == ["c_total", "e", "g", "h", "s"], seen()
        assert len(seen()) == 7, seen()
        use(turn)
        assert counter.value() == turn and child.value() == 2 * turn and gauge.value() == turn
        within = {(name, str(labels)): (value, count) for name, labels, value, count, _ in seen()}
        assert within["c_total", "[]"] == (turn, 0)
        assert within["f_total", "[('method', 'GET')]"] == (2 * turn, 0)
        assert within["f_total", "[('method', 'PUT')]"] == (turn, 0)
        assert within["h", "[]"] == within["s", "[]"] == (0, turn)
        assert within["e", "[('e', 'b')]"] == (1, 0)
        assert ("i", f"[('version', '{turn}')]") in within
        Counter("own", "Another in each block.", [f"label{turn}"]).labels("x").inc()
        late = pickle.loads(pickle.dumps(counter))
        late.inc()
        assert counter.value() == turn + 1
    assert seen() == outside
use(1)
assert counter.value() == 4 and child.value() == 8
assert family.labels("GET") is child
assert [s.count for s in series() if s.name == "h"] == [4]
print("as before")
"""


@pytest.mark.usefixtures("board")
def test_every_kind_counts_on_the_fresh_board_and_then_where_it_did(run: Run) -> None:
    assert run(KINDS) == "as before\n"


def test_off_stays_off(run: Run) -> None:
    program = """
from tallyboard import Counter, series
from tallyboard.fresh_board import fresh_board
counter = Counter("c", "Counts.")
with fresh_board():
    counter.inc()
    assert counter.value() == 1
    assert len(series()) == 1
counter.inc()
print(counter.value(), series())
"""
    assert run(program, TALLYBOARD="off") == "0.0 []\n"


@pytest.mark.usefixtures("board")
def test_what_a_module_declares_during_a_test_counts_on_the_own_board_afterwards(run: Run) -> None:
    program = """
from tallyboard import Counter, series
from tallyboard.fresh_board import fresh_board
with fresh_board():
    late = Counter("late", "Declared by a module that a test imports.", ["kind"])
    child = late.labels("x")
    child.inc(5)
child.inc(2)
print([(s.name, s.value) for s in series()])
"""
    assert run(program) == "[('late_total', 2.0)]\n"


REGISTRIES = """
from tallyboard import REGISTRY, CollectorRegistry, Counter, Gauge
from tallyboard.fresh_board import fresh_board
own = CollectorRegistry()
by_default, by_own = Counter("d", "Counts."), Counter("o", "Counts.", registry=own)
function = Gauge("f", "Says.")
function.set_function(lambda: 5)
value = REGISTRY.get_sample_value
by_default.inc(3)
by_own.inc(4)
for turn in (1, 2):
    with fresh_board():
        assert value("d_total") == own.get_sample_value("o_total") == 0
        by_default.inc()
        by_own.inc()
        assert value("d_total") == own.get_sample_value("o_total") == 1
        assert value("f") == 5
        Counter("of_the_block", "Another in each.", [f"label{turn}"]).labels("x").inc()
        assert value("of_the_block_total", {f"label{turn}": "x"}) == 1
assert value("d_total") == 3 and own.get_sample_value("o_total") == 4
names = [family.name for family in REGISTRY.collect()]
print([name for name in names if not name.startswith(("process_", "python_"))])
"""


@pytest.mark.usefixtures("board")
def test_registries_show_the_fresh_board(run: Run) -> None:
    assert run(REGISTRIES) == "['d', 'f']\n"


PUBLISHED = """
from prometheus_client.core import CounterMetricFamily
from tallyboard import CollectorRegistry, publish, series
from tallyboard.fresh_board import fresh_board

class Says:
    def collect(self):
        yield CounterMetricFamily("says", "Counts.", value=count)

registry = CollectorRegistry()
registry.register(Says())

def published():
    publication = publish(3600, registry)
    publication.now()
    publication.stop()
    return [(s.name, s.value) for s in series()]

count = 5
outside = [published()]
within = []
for count in (6, 7):
    with fresh_board():
        within.append(published())
count = 8
outside.append(published())
print(outside, within)
"""


@pytest.mark.usefixtures("board")
def test_who_has_stopped_publishing_has_published_nothing_on_it(run: Run) -> None:
    outside = [[("says_total", 5.0)], [("says_total", 8.0)]]
    within = [[("says_total", 6.0)], [("says_total", 7.0)]]
    assert run(PUBLISHED) == f"{outside} {within}\n"


DROP_IN = """
import tallyboard.prometheus_client
tallyboard.prometheus_client.install()
import os
from prometheus_client import REGISTRY, Counter, Histogram
from tallyboard.fresh_board import fresh_board
counter = Counter("c", "Counts.")
family = Counter("f", "Counts.", ["method"])
child = family.labels("GET")
histogram = Histogram("h", "Times.", buckets=[1, 2])
value = REGISTRY.get_sample_value

def use(times):
    for _ in range(times):
        counter.inc()
        child.inc(2)
        family.labels("PUT").inc()
        histogram.observe(1.5)

def seen():
    return (
        value("c_total"), value("f_total", {"method": "GET"}), value("f_total", {"method": "PUT"}),
        value("h_count"), value("h_bucket", {"le": "1.0"}), counter._value.get(),
    )

use(3)
for turn in (1, 2):
    with fresh_board():
        assert (seen()[0], seen()[3]) == (0, 0), seen()
        if os.fork() == 0:
            use(1)
            os._exit(0)
        assert os.wait()[1] == 0
        use(turn)
        assert seen() == (turn + 1, 2 * turn + 2, turn + 1, turn + 1, 0, turn + 1), seen()
print(seen())
"""


@pytest.mark.usefixtures("board")
def test_metrics_of_prometheus_client_count_on_it_through_the_drop_in(run: Run) -> None:
    assert run(DROP_IN) == "(3.0, 6.0, 3.0, 3.0, 0.0, 3.0)\n"


def test_children_that_are_forked_in_a_test_count_on_its_board() -> None:
    counter = Counter("fresh_forked", "Counts.", ["child"])
    gauge = Gauge("fresh_running", "Runs.", multiprocess_mode="sum")
    for _turn in range(2):
        with fresh_board():
            children = []
            for number in range(3):
                child = os.fork()
                if child == 0:
                    counter.labels(number).inc(number)
                    gauge.inc()
                    os._exit(0)
                children.append(child)
            assert {os.waitpid(child, 0)[1] for child in children} == {0}
            counts = {s.labels["child"]: s.value for s in series() if "child" in s.labels}
            assert counts == {"0": 0, "1": 1, "2": 2}
            assert [s.value for s in series() if s.name == "fresh_running"] == [3]


def test_a_child_that_counts_before_its_parent_is_seen_by_it(name: str) -> None:
    counter = Counter(name, "Counts.")
    for _turn in range(2):
        with fresh_board():
            if os.fork() == 0:
                counter.inc()
                os._exit(0)
            assert os.wait()[1] == 0
            assert counter.value() == 1


def test_no_handles_are_left_behind(name: str) -> None:
    def handles() -> int:
        return sum(isinstance(each, lowlevel.CounterHandle) for each in gc.get_objects())

    counter = Counter(name, "Counts.", ["kind"])
    child = counter.labels("x")
    before = []
    for _turn in range(5):
        with fresh_board():
            child.inc()
            counter.labels("y").inc()
        before.append(handles())
    assert before[1:] == before[1:2] * 4


def test_the_private_board_is_emptied(name: str) -> None:
    counter = Counter(name, "Counts.")
    counter.inc()
    with fresh_board():
        assert counter.value() == 0
        counter.inc(7)
    assert counter.value() == 0
    counter.inc()
    assert counter.value() == 1


def test_an_exception_in_the_block_leaves_it_as_one_would(name: str) -> None:
    counter = Counter(name, "Counts.", ["kind"])
    child = counter.labels("x")
    with pytest.raises(ValueError, match="label values"), fresh_board():
        counter.inc()
    child.inc(2)
    assert counter.labels("x") is child
    assert child.value() == 2


def test_threads_go_on_counting_while_boards_change(name: str) -> None:
    counter = Counter(name, "Counts.", ["thread"])
    stop = threading.Event()
    counted = [0, 0]

    def count(number: int) -> None:
        child = counter.labels(number)
        while not stop.is_set():
            child.inc()
            counted[number] += 1

    threads = [threading.Thread(target=count, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for _turn in range(20):
        with fresh_board():
            series()
    stop.set()
    for thread in threads:
        thread.join()
    assert min(counted) > 0
    with fresh_board():
        counter.labels(0).inc()
        assert [s.value for s in series() if s.name == f"{name}_total"] == [1]


APPLICATION = """
from tallyboard import Counter, Gauge, Histogram
SERVED = Counter("served_total", "Requests.", ["method"])
GETS = SERVED.labels("GET")
STARTED = Counter("started_total", "Starts.")
SECONDS = Histogram("seconds", "Times.", buckets=[0.5, 1])
def serve(method):
    STARTED.inc()
    SECONDS.observe(0.2)
    (GETS if method == "GET" else SERVED.labels(method)).inc()
"""

TESTS = """
import application
import pytest
from tallyboard import Counter, series
from tallyboard.pytest_plugin import FreshBoard

@pytest.mark.parametrize("turn", range(3))
def test_sees_its_own(tallyboard_board: FreshBoard, turn: int) -> None:
    assert application.STARTED.value() == 0
    application.serve("GET")
    application.serve("PUT")
    assert application.STARTED.value() == 2
    board = tallyboard_board
    assert board.get_sample_value("served_total", {"method": "GET"}) == 1
    assert board.get_sample_value("served_total", {"method": "POST"}) is None
    assert board.get_sample_value("seconds_bucket", {"le": "0.5"}) == 2
    Counter("of_the_test", "Another each time.", [f"label{turn}"]).labels("x").inc()
    assert len([s for s in series() if s.name == "of_the_test_total"]) == 1

def test_without_it_sees_no_test() -> None:
    assert not [s for s in series() if s.name == "of_the_test_total"]
    before = application.STARTED.value()
    application.serve("GET")
    assert application.STARTED.value() == before + 1
"""


@pytest.mark.parametrize(("location", "arguments"), [("test", ()), ("private", ("-n", "2"))])
def test_the_fixture(
    request: pytest.FixtureRequest,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    board: Path,
    location: str,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("TALLYBOARD", location)
    pytester.makepyfile(application=APPLICATION, test_application=TESTS)
    plugins = ["-p", "no:cacheprovider"]
    if not request.config.pluginmanager.has_plugin("tallyboard"):
        # The tests of this package run from the source folder, where pytest does not find it.
        plugins += ["-p", "tallyboard.pytest_plugin"]
    done = pytester.runpytest_subprocess(*plugins, *arguments)
    done.assert_outcomes(passed=4)
    # What is declared outside of the fixture is declared on the board that the program has chosen.
    assert [file.name for file in board.iterdir()] == ["test.v1.board"] * (location == "test")
