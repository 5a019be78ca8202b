"""`time`, `track_inprogress` and `count_exceptions` around blocks and functions."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import threading
import time
from typing import Any

import prometheus_client
import pytest

import tallyboard
from tallyboard import Counter, Gauge, Histogram, Summary
from tallyboard.gauge import Mode
from tallyboard.series import Series

LIVE: tuple[Mode, ...] = ("livesum", "livemin", "livemax", "liveall", "livemostrecent")


def read(name: str) -> Series:
    (series,) = (each for each in tallyboard.series() if each.name == name)
    return series


@pytest.mark.parametrize("kind", [Histogram, Summary])
def test_time_observes_blocks_and_functions(
    kind: type[Histogram] | type[Summary], name: str
) -> None:
    metric = kind(name, "Help.")
    with metric.time() as timer:
        assert timer.duration is None
    first = timer.duration

    @metric.time()
    def nothing() -> None: ...

    nothing()
    nothing()
    series = read(name)
    assert series.count == 3
    assert first is not None
    assert 0 < first <= series.sum < 10


def test_time_sets_a_gauge(name: str) -> None:
    gauge = Gauge(name, "Help.")
    with gauge.time() as timer:
        pass
    assert gauge.value() == timer.duration


def test_time_chooses_labels_within_the_block(name: str) -> None:
    histogram = Histogram(name, "Help.", ["a"])
    with histogram.time() as timer:
        timer.labels(a="x")
    assert (read(name).labels, read(name).count) == ({"a": "x"}, 1)


def test_time_counts_blocks_that_raise(name: str) -> None:
    summary = Summary(name, "Help.")
    with pytest.raises(KeyError), summary.time():
        raise KeyError
    assert read(name).count == 1


def test_a_timed_function_may_recur_and_run_in_threads(name: str) -> None:
    histogram = Histogram(name, "Help.")
    inside = threading.Barrier(4)

    @histogram.time()
    def down(n: int) -> int:
        if n == 0:
            inside.wait(30)
            return 0
        return 1 + down(n - 1)

    threads = [threading.Thread(target=down, args=(9,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(name).count == 40


def test_each_call_of_a_timed_function_has_a_start_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallyboard.blocks.default_timer", itertools.count().__next__)
    summary = Summary(name, "Help.")

    @summary.time()
    def down(n: int) -> None:
        if n:
            down(n - 1)

    down(1)
    # From 1 to 2 within from 0 to 3.
    assert read(name).sum == 1 + 3


def test_track_inprogress(name: str) -> None:
    gauge = Gauge(name, "Help.", multiprocess_mode="livesum")

    @gauge.track_inprogress()
    def nested(n: int) -> float:
        return nested(n - 1) if n else gauge.value()

    with gauge.track_inprogress():
        assert gauge.value() == 1
        assert nested(2) == 4
    with pytest.raises(KeyError), gauge.track_inprogress():
        raise KeyError
    assert gauge.value() == 0


@pytest.mark.parametrize("types", [(), (ValueError,), ((KeyError, ValueError),), (BaseException,)])
@pytest.mark.parametrize("raised", [None, KeyError, UnicodeError, KeyboardInterrupt])
def test_count_exceptions_as_prometheus_client(
    types: tuple[Any, ...], raised: type[BaseException] | None, name: str
) -> None:
    ours = Counter(name, "Help.")
    theirs = prometheus_client.Counter(name, "Help.", registry=None)

    def body() -> None:
        if raised is not None:
            raise raised

    def attempt(block: Any) -> None:
        caught = None
        try:
            with block:
                body()
        except BaseException as error:
            caught = type(error)
        assert caught == raised
        try:
            block(body)()
        except BaseException as error:
            caught = type(error)
        assert caught == raised

    attempt(ours.count_exceptions(*types))
    attempt(theirs.count_exceptions(*types))
    assert ours.value() == theirs._value.get()


def test_decorated_functions_look_like_themselves(name: str) -> None:
    def plain(a: int, *, b: str = "x") -> str:
        """What it does."""
        return b * a

    gauge = Gauge(name, "Help.", multiprocess_mode="livesum")
    counter = Counter(f"{name}_errors", "Help.")
    for block in (gauge.time(), gauge.track_inprogress(), counter.count_exceptions()):
        decorated = block(plain)
        assert inspect.signature(decorated) == inspect.signature(plain)
        assert (decorated.__name__, decorated.__doc__) == ("plain", "What it does.")
        assert decorated(2, b="y") == "yy"


def test_a_coroutine_function_is_measured_until_it_has_been_awaited(name: str) -> None:
    timed = Summary(f"{name}_seconds", "Help.")
    running = Gauge(f"{name}_running", "Help.", multiprocess_mode="livesum")
    failed = Counter(f"{name}_failed", "Help.")

    at_once: list[float] = []
    inside: list[float] = []

    @timed.time()
    @running.track_inprogress()
    @failed.count_exceptions(KeyError)
    async def work(both: asyncio.Event) -> None:
        start = time.perf_counter()
        at_once.append(running.value())
        if len(at_once) == 2:
            both.set()
        await both.wait()
        inside.append(time.perf_counter() - start)
        if len(inside) == 2:
            raise KeyError

    async def main() -> None:
        both = asyncio.Event()
        awaited = await asyncio.gather(work(both), work(both), return_exceptions=True)
        assert sorted(map(repr, awaited)) == ["KeyError()", "None"]

    asyncio.run(main())
    assert inspect.iscoroutinefunction(work)
    assert at_once == [1, 2]
    assert (running.value(), failed.value()) == (0, 1)
    series = read(f"{name}_seconds")
    assert (series.count, series.sum >= sum(inside)) == (2, True)


def test_making_a_coroutine_measures_nothing(name: str) -> None:
    """Which is all that prometheus_client measures."""
    ours, theirs = Summary(name, "Help."), prometheus_client.Summary(name, "Help.", registry=None)
    for metric in (ours, theirs):

        @metric.time()  # type: ignore[untyped-decorator]
        async def work() -> None: ...

        work().close()
    assert read(name).count == 0
    assert theirs._count.get() == 1


def test_tracking_on_a_gauge_that_outlives_its_processes_is_one_warning(
    name: str, unsaid: None
) -> None:
    gauge = Gauge(name, "Help.", multiprocess_mode="sum")
    with pytest.warns(RuntimeWarning, match=f"{name} .*multiprocess_mode='livesum'"):
        gauge.track_inprogress()
    with gauge.track_inprogress():
        assert gauge.value() == 1
    for mode in LIVE:
        Gauge(f"{name}_{mode}", "Help.", multiprocess_mode=mode).track_inprogress()
