"""`publish`: what functions and custom collectors of each process say, on the board for all."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator

import pytest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
    UntypedMetricFamily,
)
from prometheus_client.multiprocess import MultiProcessCollector
from workers import Worker, shown

import tallyboard
import tallyboard.board
from tallyboard import CollectorRegistry, Gauge, Publication, publish
from tallyboard.collector import BoardCollector

if TYPE_CHECKING:
    from conftest import Run

Start = Callable[[Callable[[Any], object]], Worker]

# A test that waits for this has failed: what it waits for is written at once.
NEVER = 3600.0


class Says:
    """A custom collector that says what it is told to."""

    def __init__(self, *families: Metric) -> None:
        self.families: Iterable[Metric] = families

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        return self.families


def on_board(name: str) -> dict[str, float]:
    """The values of the families whose names begin with `name`, by name and label values."""
    return {
        ".".join([each.name, *each.labels.values()]): each.value
        for each in tallyboard.series()
        if each.name.startswith(name)
    }


def gauge(name: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, "Help.", labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def counter(name: str, value: float) -> Metric:
    return CounterMetricFamily(name, "Help.", value=value)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def publication(registry: CollectorRegistry) -> Iterator[Publication]:
    """Of the registry, which says nothing yet; it has written for the first time."""
    publication = begun(registry)
    yield publication
    publication.stop()


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts workers; those that the test has not ended, as one that fails, are killed after it."""
    with ExitStack() as workers:
        yield lambda action: workers.enter_context(Worker(action))


def begun(registry: CollectorRegistry, **modes: str | None) -> Publication:
    """Once this returns, the thread waits."""
    asked, asks = os.pipe()
    says = Says()

    def tell() -> Iterator[Metric]:
        os.write(asks, b"x")
        return iter(())

    says.collect = tell  # type: ignore[method-assign]
    registry.register(says)
    publication = publish(NEVER, registry, modes)
    assert os.read(asked, 1) == b"x"
    registry.unregister(says)
    # It has asked and may be writing, of which this waits for the end.
    with publication._lock:
        pass
    os.close(asked)
    os.close(asks)
    return publication


def test_what_custom_collectors_say_is_on_the_board(
    name: str, registry: CollectorRegistry, publication: Publication
) -> None:
    summary = SummaryMetricFamily(f"{name}_s", "Help.", count_value=1, sum_value=2)
    untyped = UntypedMetricFamily(f"{name}_u", "Help.", value=4)
    registry.register(Says(gauge(f"{name}_g", 1.5, a="x"), counter(f"{name}_c", 3), untyped))
    registry.register(Says(summary))
    assert on_board(name) == {}
    publication.now()
    expected = {f"{name}_g.x": 1.5, f"{name}_c_total": 3, f"{name}_u": 4}
    assert on_board(name) == expected
    assert {s.name: s.type for s in tallyboard.series() if s.name.startswith(name)} == {
        f"{name}_g": "gauge",
        f"{name}_c_total": "counter",
        f"{name}_u": "gauge",
    }
    # The registry shows what is on the board, and what is not published from the collector.
    assert shown(registry, name) == {**expected, f"{name}_s_count": 1, f"{name}_s_sum": 2}


def test_collecting_the_registry_publishes(
    name: str, registry: CollectorRegistry, publication: Publication
) -> None:
    says = Says(gauge(name, 1))
    registry.register(says)
    for number in 1, 2:
        says.families = [gauge(name, number)]
        assert shown(registry, name) == on_board(name) == {name: number}
    assert publication.names == {name}


def test_processes_are_summed_as_long_as_they_live(
    name: str, registry: CollectorRegistry, start: Start
) -> None:
    says = Says(gauge(f"{name}_g", 1), counter(f"{name}_c", 10))
    registry.register(says)
    publication = begun(registry)
    publication.now()

    def action(turn: int) -> None:
        says.families = [gauge(f"{name}_g", turn), counter(f"{name}_c", 10 + turn)]
        publication.now()

    workers = [start(action) for _ in range(3)]
    for turn, worker in enumerate(workers, 1):
        worker.turn(turn)
    # 1 of this process; the children have inherited 10, which is the parent's.
    assert on_board(name) == {f"{name}_g": 1 + 1 + 2 + 3, f"{name}_c_total": 10 + 1 + 2 + 3}
    workers[0].turn(5)
    # Another process that is asked shows the same.
    assert shown(registry, name) == {f"{name}_g": 11, f"{name}_c_total": 20}
    for worker in workers:
        worker.end()
    assert on_board(name) == {f"{name}_g": 1, f"{name}_c_total": 20}
    publication.stop()


def test_a_counter_that_falls_has_begun_again(
    name: str, registry: CollectorRegistry, publication: Publication
) -> None:
    says = Says()
    registry.register(says)
    totals = []
    for value in (5, 5, 7.5, 1, 2, 0):
        says.families = [counter(name, value)]
        publication.now()
        totals.append(on_board(name)[f"{name}_total"])
    assert totals == [5, 5, 7.5, 8.5, 9.5, 9.5]


@pytest.mark.usefixtures("unsaid")
@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_counter_goes_on_after_what_is_no_amount(
    odd: float, name: str, registry: CollectorRegistry, publication: Publication
) -> None:
    says = Says()
    registry.register(says)

    def say(value: float) -> None:
        says.families = [counter(name, value)]
        publication.now()

    say(100)
    with pytest.warns(RuntimeWarning, match=f"{name}_total is said to be {odd}"):
        say(odd)
    # Warnings are errors here: it is said once.
    say(odd)
    say(101)
    assert on_board(name) == {f"{name}_total": 101}


def test_a_counter_is_not_written_while_another_thread_writes_it(
    name: str, registry: CollectorRegistry, publication: Publication
) -> None:
    inside = Says(counter(name, 5))
    registry.register(inside)

    def collect() -> list[Metric]:
        # As another thread would that collects while this one has not written yet.
        inside.collect = lambda: [counter(name, 4)]  # type: ignore[method-assign]
        assert shown(registry, name) == {f"{name}_total": 4}
        return [counter(name, 5)]

    inside.collect = collect  # type: ignore[method-assign]
    publication.now()
    assert on_board(name) == {f"{name}_total": 5}


def test_what_is_not_said_any_more_ends(
    name: str, registry: CollectorRegistry, publication: Publication
) -> None:
    says = Says(gauge(name, 1, queue="a"), gauge(name, 2, queue="b"))
    registry.register(says)
    publication.now()
    assert on_board(name) == {f"{name}.a": 1, f"{name}.b": 2}
    says.families = [gauge(name, 3, queue="b")]
    publication.now()
    assert on_board(name) == {f"{name}.b": 3}
    registry.unregister(says)
    publication.now()
    assert on_board(name) == {}


def test_what_only_the_parent_says_is_not_ended_by_a_child(
    name: str, registry: CollectorRegistry, start: Start
) -> None:
    says = Says()
    says.collect = lambda: [gauge(name, 1, pid_of=str(os.getpid()))]  # type: ignore[method-assign]
    registry.register(says)
    publication = begun(registry)
    publication.now()
    worker = start(lambda _turn: publication.now())
    worker.turn(1)
    found = on_board(name)
    worker.end()
    publication.stop()
    assert found == {f"{name}.{pid}": 1 for pid in (os.getpid(), worker.pid)}


@pytest.mark.parametrize(
    ("mode", "both", "one"),
    [("livesum", 5, 3), ("livemin", 2, 3), ("livemax", 3, 2), ("livemin", 0, 3), ("livemax", 3, 0)],
)
def test_who_does_not_say_a_series_any_more_ends_his_own_part(
    mode: str, both: float, one: float, name: str, registry: CollectorRegistry, start: Start
) -> None:
    """`one` is said by the worker, which goes on."""
    here = both - one if mode == "livesum" else both
    says = Says(gauge(name, here, a="x"))
    registry.register(says)
    publication = begun(registry, **{name: mode})
    publication.now()

    def action(families: list[Metric]) -> None:
        says.families = families
        publication.now()

    worker = start(action)
    worker.turn([gauge(name, one, a="x")])
    assert on_board(name) == {f"{name}.x": both}
    says.families = []
    publication.now()
    assert on_board(name) == {f"{name}.x": one}
    # It ends with the last that says it.
    worker.turn([])
    assert on_board(name) == {}
    says.families = [gauge(name, 7, a="x")]
    publication.now()
    assert on_board(name) == {f"{name}.x": 7}
    worker.end()
    publication.stop()


@pytest.mark.parametrize("mode", ["livemostrecent", "liveall"])
def test_parts_that_cannot_be_ended_alone_are_back_when_they_are_written_again(
    mode: str, name: str, registry: CollectorRegistry, start: Start
) -> None:
    says = Says(gauge(name, 2))
    registry.register(says)
    publication = begun(registry, **{name: mode})
    publication.now()
    worker = start(lambda _turn: publication.now())
    worker.turn(1)
    says.families = []
    publication.now()
    assert on_board(name) == {}
    worker.turn(2)
    assert list(on_board(name).values()) == [2]
    worker.end()
    publication.stop()


def test_modes_say_how_processes_become_one(
    name: str, registry: CollectorRegistry, start: Start
) -> None:
    families = [gauge(f"{name}_{each}", 2) for each in ("max", "all", "none", "sum")]
    registry.register(Says(*families))
    modes = {f"{name}_max": "livemax", f"{name}_all": "liveall", f"{name}_none": None}
    publication = begun(registry, **modes)
    worker = start(lambda _turn: publication.now())
    worker.turn(1)
    publication.now()
    assert on_board(name) == {
        f"{name}_max": 2,
        f"{name}_all.{os.getpid()}": 2,
        f"{name}_all.{worker.pid}": 2,
        f"{name}_sum": 4,
    }
    worker.end()
    publication.stop()


MODES = {
    "": 7.0,
    "last": 7.0,
    "livemostrecent": 7.0,
    "sum": 9.0,
    "livesum": 9.0,
    "min": 2.0,
    "max": 7.0,
}


@pytest.mark.parametrize("mode", MODES)
def test_functions_are_published_in_the_live_form_of_their_mode(
    mode: tallyboard.gauge.Mode, name: str, registry: CollectorRegistry, start: Start
) -> None:
    metric = Gauge(name, "Help.", ["a"], registry=registry, multiprocess_mode=mode)
    number = 2.0
    metric.labels("x").set_function(lambda: number)
    publication = begun(registry)
    publication.now()
    assert shown(registry, name) == on_board(name) == {f"{name}.x": 2}

    def action(turn: int) -> None:
        nonlocal number
        number = turn
        publication.now()

    worker = start(action)
    worker.turn(7)
    assert on_board(name) == {f"{name}.x": MODES[mode]}
    worker.end()
    assert on_board(name) == {f"{name}.x": 2}
    publication.stop()


def test_children_are_published_from_their_birth(
    name: str, registry: CollectorRegistry, start: Start
) -> None:
    asked, asks = os.pipe()
    publication = begun(registry)
    parent = os.getpid()

    def number() -> float:
        if os.getpid() != parent:
            os.write(asks, b"x")
        return 1

    Gauge(name, "Help.", registry=registry, multiprocess_mode="livesum").set_function(number)
    workers = [start(lambda _turn: publication._lock.acquire()) for _ in range(3)]
    for _ in workers:
        assert os.read(asked, 1) == b"x"
    for worker in workers:
        # Its thread has written by the time that it gives the lock back.
        worker.turn(1)
    assert on_board(name) == {name: 3}
    for worker in workers:
        worker.end()
    publication.stop()
    start(lambda _turn: None).end()
    assert on_board(name) == {name: 0}


def test_the_thread_writes_again_and_again(name: str, registry: CollectorRegistry) -> None:
    asked, asks = os.pipe()
    turns = iter(range(1000))

    def number() -> float:
        os.write(asks, b"x")
        return next(turns)

    Gauge(name, "Help.", registry=registry).set_function(number)
    publication = publish(0.001, registry)
    for _ in range(5):
        assert os.read(asked, 1) == b"x"
    publication.stop()
    assert on_board(name)[name] >= 3
    assert registry._publication is None


def test_what_shows_all_processes_is_not_published(
    name: str, registry: CollectorRegistry, publication: Publication, tmp_path: Path
) -> None:
    tallyboard.Counter(name, "Help.", registry=None).inc(2)
    registry.register(BoardCollector())
    MultiProcessCollector(registry, str(tmp_path))
    for _ in range(2):
        assert shown(registry, name) == {f"{name}_total": 2}
        publication.now()
    assert publication.names == frozenset()


@pytest.mark.usefixtures("unsaid")
def test_a_sample_that_is_no_number_does_not_end_the_publication(
    name: str, registry: CollectorRegistry
) -> None:
    says = Says(gauge(name, "no number"))  # type: ignore[arg-type]
    asked, asks = os.pipe()

    def collect() -> list[Metric]:
        os.write(asks, b"x")
        return [gauge(name, next(values))]

    values = iter([math.nan, "no number", *range(10_000)])
    says.collect = collect  # type: ignore[method-assign]
    registry.register(says)

    def until_asked_again() -> None:
        publication = publish(0.001, registry)
        for _ in range(5):
            assert os.read(asked, 1) == b"x"
        publication.stop()

    with pytest.warns(RuntimeWarning, match="nothing is published: ValueError"):
        until_asked_again()
    assert on_board(name)[name] >= 1


def test_who_does_not_publish_shows_what_he_says_himself_once(name: str) -> None:
    published = CollectorRegistry()
    published.register(Says(gauge(f"{name}_g", 1), counter(f"{name}_c", 1)))
    publication = begun(published)
    publication.now()
    own = Says(gauge(f"{name}_g", 5), counter(f"{name}_c", 5))
    tallyboard.REGISTRY.register(own)
    assert on_board(name) == {f"{name}_g": 1, f"{name}_c_total": 1}
    families = [each for each in tallyboard.REGISTRY.collect() if each.name.startswith(name)]
    assert [[sample.value for sample in each.samples] for each in families] == [[5], [5]]
    tallyboard.REGISTRY.unregister(own)
    assert shown(tallyboard.REGISTRY, name) == {f"{name}_g": 1, f"{name}_c_total": 1}
    publication.stop()


def test_who_publishes_again_does_it_once(name: str, registry: CollectorRegistry) -> None:
    registry.register(Says(counter(name, 5)))
    first = begun(registry)
    second = begun(registry)
    assert registry._publication is second
    assert first._stopped.is_set()
    second.stop()


def test_who_publishes_again_counts_nothing_twice(
    name: str, registry: CollectorRegistry, start: Start
) -> None:
    says = Says(counter(f"{name}_c", 5), gauge(f"{name}_g", 1))
    registry.register(says)
    begun(registry).now()
    again = begun(registry)
    again.now()
    assert on_board(name) == {f"{name}_c_total": 5, f"{name}_g": 1}
    says.families = [counter(f"{name}_c", 7)]
    again.now()
    # It also ends what only the first has said.
    assert on_board(name) == {f"{name}_c_total": 7}

    def action(_turn: int) -> None:
        of_the_child = begun(registry)
        of_the_child.now()
        of_the_child.stop()

    worker = start(action)
    worker.turn(1)
    worker.end()
    assert on_board(name) == {f"{name}_c_total": 7}
    again.stop()


def test_who_publishes_after_a_stop_goes_on_from_what_is_written(
    name: str, registry: CollectorRegistry, start: Start
) -> None:
    says = Says(counter(f"{name}_c", 5), gauge(f"{name}_g", 1))
    registry.register(says)
    first = begun(registry)
    first.now()
    first.stop()
    # What it says itself, since it does not publish.
    says.families = [counter(f"{name}_c", 7)]
    assert shown(registry, name) == {f"{name}_c_total": 7}
    assert on_board(name) == {f"{name}_c_total": 5, f"{name}_g": 1}

    def action(count: int) -> None:
        says.families = [counter(f"{name}_c", count)]
        of_the_child = begun(registry)
        of_the_child.now()
        of_the_child.stop()

    worker = start(action)
    worker.turn(6)
    # What only the parent has said is not the child's to end.
    assert on_board(name) == {f"{name}_c_total": 6, f"{name}_g": 1}
    worker.turn(8)
    assert on_board(name) == {f"{name}_c_total": 8, f"{name}_g": 1}
    worker.end()
    again = begun(registry)
    again.now()
    assert on_board(name) == {f"{name}_c_total": 10}
    again.stop()


@pytest.mark.filterwarnings("ignore:.*two declarations here that differ")
def test_functions_of_other_declarations_of_a_name_are_not_taken_for_its_own(
    name: str, registry: CollectorRegistry, publication: Publication
) -> None:
    Gauge(name, "Help.", ["a"], registry=registry)
    other = Gauge(name, "Help.", registry=CollectorRegistry())
    other.set_function(lambda: 3)
    # Raised, because the function has no label of that name.
    assert shown(registry, name) == {name: 3}
    assert publication.names == frozenset()


@pytest.mark.usefixtures("unsaid")
def test_what_raises_is_one_warning_and_the_others_are_published(
    name: str, registry: CollectorRegistry, publication: Publication
) -> None:
    def broken() -> float:
        raise KeyError(name)

    says = Says()
    says.collect = lambda: [broken()]  # type: ignore[method-assign, list-item]
    registry.register(says)
    Gauge(f"{name}_broken", "Help.", registry=registry).set_function(broken)
    Gauge(f"{name}_sound", "Help.", registry=registry).set_function(lambda: 2)
    with pytest.warns(RuntimeWarning, match="is not published: KeyError") as caught:
        publication.now()
    assert len(caught) == 2
    publication.now()
    assert on_board(name)[f"{name}_sound"] == 2


@pytest.mark.usefixtures("unsaid")
def test_a_family_with_and_without_functions_is_one_warning(
    name: str, registry: CollectorRegistry, publication: Publication
) -> None:
    metric = Gauge(name, "Help.", ["a"], registry=registry)
    metric.labels("x").set(1)
    metric.labels("y").set_function(lambda: 2)
    with pytest.warns(RuntimeWarning, match="multiprocess_mode='livemostrecent'"):
        publication.now()
    live = Gauge(f"{name}_live", "H", ["a"], registry=registry, multiprocess_mode="livesum")
    live.labels("x").set(1)
    live.labels("y").set_function(lambda: 2)
    publication.now()
    assert on_board(f"{name}_live") == {f"{name}_live.x": 1, f"{name}_live.y": 2}


def test_processes_say_their_cpu_time_and_memory(
    name: str, registry: CollectorRegistry, start: Start
) -> None:
    # In a namespace, because the default registry has them without one.
    tallyboard.ProcessCollector(namespace=name, registry=registry)
    publication = begun(registry, **{f"{name}_process_start_time_seconds": "livemin"})
    publication.now()
    alone = on_board(name)
    worker = start(lambda _turn: publication.now())
    worker.turn(1)
    both = on_board(name)
    resident = f"{name}_process_resident_memory_bytes"
    started = f"{name}_process_start_time_seconds"
    assert both[resident] > 1.2 * alone[resident] > 0
    assert both[started] == alone[started] > 1e9
    assert both[f"{name}_process_cpu_seconds_total"] >= alone[f"{name}_process_cpu_seconds_total"]
    worker.end()
    assert on_board(name)[resident] == alone[resident]
    publication.stop()


def test_what_makes_no_sense_is_refused(registry: CollectorRegistry) -> None:
    for interval in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="interval"):
            publish(interval, registry)
    for mode in ("sum", "live", "livelast"):
        with pytest.raises(ValueError, match="begin with 'live'"):
            publish(1, registry, {"a": mode})


def test_nothing_is_published_without_a_board(name: str, registry: CollectorRegistry) -> None:
    registry.register(Says(gauge(name, 3)))
    metric = Gauge(f"{name}_f", "Help.", registry=registry)
    metric.set_function(lambda: 4)
    publication = begun(registry)
    opened = tallyboard.board._opened
    before, opened[True] = opened[True], None
    try:
        assert shown(registry, name) == {name: 3, f"{name}_f": 4}
    finally:
        opened[True] = before
    publication.stop()


DROP_IN = """
import os, signal
import tallyboard
import tallyboard.prometheus_client
tallyboard.prometheus_client.install()
import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

number = 0

class Custom:
    def collect(self):
        yield GaugeMetricFamily("custom", "Help.", value=number)
        yield CounterMetricFamily("grows", "Help.", value=number)

registry = prometheus_client.CollectorRegistry()
registry.register(Custom())
plain = prometheus_client.Gauge("plain", "Help.", registry=registry, multiprocess_mode="sum")
labelled = prometheus_client.Gauge("labelled", "Help.", ["a"], multiprocess_mode="livemax")
counted = prometheus_client.Counter("counted", "Help.", registry=registry)
registry.register(labelled)
MultiProcessCollector(registry)
publication = tallyboard.publish(3600, registry)

pids = []
for n in 1, 2, 3:
    done, child_end = os.pipe()
    pids.append(os.fork())
    if pids[-1] == 0:
        number = n
        plain.set_function(lambda: n)
        labelled.labels("x").set_function(lambda: n)
        counted.inc()
        publication.now()
        os.write(child_end, b"x")
        signal.pause()
    os.read(done, 1)

def show():
    text = prometheus_client.generate_latest(registry).decode()
    print(*(line for line in text.splitlines() if line[0] != "#" and "_created" not in line))

show()
os.kill(pids[2], signal.SIGKILL)
os.waitpid(pids[2], 0)
show()
for pid in pids[:2]:
    os.kill(pid, signal.SIGKILL)
"""


@pytest.mark.usefixtures("board")
def test_registries_of_prometheus_client_are_published_with_the_drop_in(run: Run) -> None:
    assert run(DROP_IN).splitlines() == [
        'custom 6.0 grows_total 6.0 plain 6.0 counted_total 3.0 labelled{a="x"} 3.0',
        'custom 3.0 grows_total 6.0 plain 3.0 counted_total 3.0 labelled{a="x"} 2.0',
    ]
