"""Blocks and functions that are timed, counted and tracked."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from types import ModuleType
from typing import Any

import pytest

from .reading import shown

AWAITED = "prometheus_client's decorators end when an async function returns its coroutine"


@pytest.mark.parametrize("kind", ["Summary", "Histogram"])
def test_time_of_a_block(client: ModuleType, name: str, registry: Any, kind: str) -> None:
    metric = getattr(client, kind)(name, "Help.", registry=registry)
    before = time.perf_counter()
    with metric.time() as timer:
        pass
    after = time.perf_counter()
    assert shown(registry)[f"{name}_count"] == 1
    assert shown(registry)[f"{name}_sum"] == timer.duration
    assert 0 <= timer.duration <= after - before


def test_time_of_a_block_that_raises(client: ModuleType, name: str, registry: Any) -> None:
    metric = client.Summary(name, "Help.", registry=registry)
    with pytest.raises(KeyError), metric.time():
        raise KeyError
    assert shown(registry)[f"{name}_count"] == 1


def test_labels_chosen_inside_the_block(client: ModuleType, name: str, registry: Any) -> None:
    metric = client.Histogram(name, "Help.", ["status"], registry=registry)
    with metric.time() as timer:
        timer.labels("ok")
    with metric.time() as timer:
        timer.labels(status="ok")
    assert shown(registry)[f'{name}_count{{status="ok"}}'] == 2


def test_block_whose_labels_are_not_chosen(client: ModuleType, name: str, registry: Any) -> None:
    metric = client.Summary(name, "Help.", ["status"], registry=registry)
    with pytest.raises(ValueError, match="label"), metric.time():
        pass


@pytest.mark.parametrize("kind", ["Summary", "Histogram"])
def test_timed_function(client: ModuleType, name: str, registry: Any, kind: str) -> None:
    metric = getattr(client, kind)(name, "Help.", registry=registry)

    @metric.time()
    def power(base: int, exponent: int = 2, *, negative: bool = False) -> int:
        """Raises."""
        return (-base if negative else base) * int(base ** (exponent - 1))

    assert power(3) == 9
    assert power(2, exponent=3, negative=True) == -8
    assert shown(registry)[f"{name}_count"] == 2
    # What it was can still be seen.
    assert (power.__name__, power.__doc__) == ("power", "Raises.")
    assert list(inspect.signature(power).parameters) == ["base", "exponent", "negative"]


def test_timed_method(client: ModuleType, name: str, registry: Any) -> None:
    metric = client.Summary(name, "Help.", registry=registry)

    class Worker:
        def __init__(self) -> None:
            self.done = 0

        @metric.time()
        def work(self) -> int:
            self.done += 1
            return self.done

    worker = Worker()
    assert (worker.work(), worker.work()) == (1, 2)
    assert shown(registry)[f"{name}_count"] == 2


def test_timed_function_calls_itself(client: ModuleType, name: str, registry: Any) -> None:
    metric = client.Summary(name, "Help.", registry=registry)

    @metric.time()
    def factorial(n: int) -> int:
        return n * factorial(n - 1) if n else 1

    assert factorial(4) == 24
    assert shown(registry)[f"{name}_count"] == 5


def test_timed_function_in_threads(client: ModuleType, name: str, registry: Any) -> None:
    metric = client.Histogram(name, "Help.", registry=registry)
    together = threading.Barrier(4)

    @metric.time()
    def meet() -> None:
        together.wait()

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shown(registry)[f"{name}_count"] == 4


def test_decorators_can_be_stacked(client: ModuleType, name: str, registry: Any) -> None:
    seconds = client.Summary(f"{name}_seconds", "Help.", registry=registry)
    failures = client.Counter(f"{name}_failures", "Help.", registry=registry)
    running = client.Gauge(
        f"{name}_running", "Help.", registry=registry, multiprocess_mode="livesum"
    )

    @seconds.time()
    @failures.count_exceptions(ValueError)
    @running.track_inprogress()
    def parse(text: str) -> int:
        assert shown(registry)[f"{name}_running"] == 1
        return int(text)

    assert parse("3") == 3
    with pytest.raises(ValueError, match="x"):
        parse("x")
    values = shown(registry)
    assert values[f"{name}_seconds_count"] == 2
    assert values[f"{name}_failures_total"] == 1
    assert values[f"{name}_running"] == 0


@pytest.mark.beyond(AWAITED)
@pytest.mark.parametrize("kind", ["Summary", "Histogram"])
def test_timed_async_function(client: ModuleType, name: str, registry: Any, kind: str) -> None:
    metric = getattr(client, kind)(name, "Help.", registry=registry)

    @metric.time()
    async def work(value: int) -> tuple[int, float]:
        await asyncio.sleep(0)
        return value, shown(registry)[f"{name}_count"]

    # Nothing is observed while it is awaited.
    assert asyncio.run(work(7)) == (7, 0)
    assert shown(registry)[f"{name}_count"] == 1
    assert inspect.iscoroutinefunction(work)


@pytest.mark.beyond(AWAITED)
def test_exceptions_of_an_async_function(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", registry=registry)

    @counter.count_exceptions(KeyError)
    async def work(key: str) -> int:
        await asyncio.sleep(0)
        return {"a": 1}[key]

    assert asyncio.run(work("a")) == 1
    with pytest.raises(KeyError):
        asyncio.run(work("b"))
    assert shown(registry) == {f"{name}_total": 1}


@pytest.mark.beyond(AWAITED)
def test_async_functions_in_progress(client: ModuleType, name: str, registry: Any) -> None:
    gauge = client.Gauge(name, "Help.", registry=registry, multiprocess_mode="livesum")

    @gauge.track_inprogress()
    async def work(started: asyncio.Event, end: asyncio.Event) -> None:
        started.set()
        await end.wait()

    async def main() -> list[float]:
        started, end = asyncio.Event(), asyncio.Event()
        other = asyncio.Event()
        tasks = [asyncio.ensure_future(work(started, end)), asyncio.ensure_future(work(other, end))]
        await started.wait()
        await other.wait()
        inside = list(shown(registry).values())
        end.set()
        await asyncio.gather(*tasks)
        return inside

    assert asyncio.run(main()) == [2]
    assert list(shown(registry).values()) == [0]


def test_blocks_around_await(client: ModuleType, name: str, registry: Any) -> None:
    metric = client.Summary(name, "Help.", registry=registry)

    async def work() -> float:
        with metric.time():
            await asyncio.sleep(0)
            return shown(registry)[f"{name}_count"]

    assert asyncio.run(work()) == 0
    assert shown(registry)[f"{name}_count"] == 1
