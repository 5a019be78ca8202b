from __future__ import annotations

import math
import time
from types import ModuleType
from typing import Any

import pytest

from .reading import created, shown


def test_starts_at_zero(client: ModuleType, name: str, registry: Any) -> None:
    client.Gauge(name, "Help.", registry=registry)
    assert shown(registry) == {name: 0}


def test_goes_up_and_down(client: ModuleType, name: str, registry: Any) -> None:
    gauge = client.Gauge(name, "Help.", registry=registry)
    gauge.inc()
    gauge.inc(2.5)
    gauge.dec()
    gauge.dec(amount=10)
    assert shown(registry) == {name: -7.5}
    gauge.inc(-0.5)
    gauge.dec(-1)
    assert shown(registry) == {name: -7}


@pytest.mark.parametrize("value", [0, 1, -2.5, 1e300, True, "3.5", math.inf, -math.inf])
def test_is_set(client: ModuleType, name: str, registry: Any, value: Any) -> None:
    gauge = client.Gauge(name, "Help.", registry=registry)
    gauge.set(7)
    gauge.set(value)
    assert shown(registry) == {name: float(value)}


def test_is_set_to_nan(client: ModuleType, name: str, registry: Any) -> None:
    client.Gauge(name, "Help.", registry=registry).set(math.nan)
    assert math.isnan(shown(registry)[name])


@pytest.mark.parametrize(("value", "error"), [("x", ValueError), (None, TypeError)])
def test_is_set_to_numbers_only(
    client: ModuleType, name: str, registry: Any, value: object, error: type[Exception]
) -> None:
    gauge = client.Gauge(name, "Help.", registry=registry)
    gauge.set(7)
    with pytest.raises(error):
        gauge.set(value)
    assert shown(registry) == {name: 7}


def test_current_time(client: ModuleType, name: str, registry: Any) -> None:
    before = time.time()
    client.Gauge(name, "Help.", registry=registry).set_to_current_time()
    assert before <= shown(registry)[name] <= time.time()


def test_has_no_time_of_creation(client: ModuleType, name: str, registry: Any) -> None:
    client.Gauge(name, "Help.", registry=registry).set(1)
    assert created(registry) == {}


def test_function_is_asked_at_each_collection(client: ModuleType, name: str, registry: Any) -> None:
    queue: list[str] = []
    gauge = client.Gauge(name, "Help.", registry=registry)
    gauge.set(3)
    gauge.set_function(lambda: len(queue))
    assert shown(registry) == {name: 0}
    queue.append("job")
    assert shown(registry) == {name: 1}
    gauge.set(9)
    gauge.inc()
    assert shown(registry) == {name: 1}


def test_function_of_one_series(client: ModuleType, name: str, registry: Any) -> None:
    gauge = client.Gauge(name, "Help.", ["a"], registry=registry)
    with pytest.raises(ValueError, match="label"):
        gauge.set_function(lambda: 1)
    gauge.labels("x").set_function(lambda: 4)
    gauge.labels("y").set(2)
    assert shown(registry) == {f'{name}{{a="x"}}': 4, f'{name}{{a="y"}}': 2}


def test_error_of_a_function_reaches_whoever_collects(
    client: ModuleType, name: str, registry: Any
) -> None:
    gauge = client.Gauge(name, "Help.", registry=registry)
    gauge.set_function(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.generate_latest(registry)


def test_in_progress(client: ModuleType, name: str, registry: Any) -> None:
    gauge = client.Gauge(name, "Help.", registry=registry, multiprocess_mode="livesum")
    with gauge.track_inprogress(), gauge.track_inprogress():
        assert list(shown(registry).values()) == [2]
    assert list(shown(registry).values()) == [0]
    with pytest.raises(KeyError), gauge.track_inprogress():
        raise KeyError
    assert list(shown(registry).values()) == [0]


def test_in_progress_function(client: ModuleType, name: str, registry: Any) -> None:
    gauge = client.Gauge(name, "Help.", registry=registry, multiprocess_mode="livesum")

    @gauge.track_inprogress()
    def inside() -> list[float]:
        return list(shown(registry).values())

    assert inside() == [1]
    assert list(shown(registry).values()) == [0]


def test_time_of_a_block_is_set(client: ModuleType, name: str, registry: Any) -> None:
    gauge = client.Gauge(name, "Help.", registry=registry)
    gauge.set(-1)
    before = time.perf_counter()
    with gauge.time():
        pass
    assert 0 <= shown(registry)[name] <= time.perf_counter() - before


@pytest.mark.parametrize("mode", ["last week", "live", "ALL"])
def test_mode_that_there_is_not(client: ModuleType, name: str, mode: str) -> None:
    with pytest.raises(ValueError, match="mode"):
        client.Gauge(name, "Help.", registry=None, multiprocess_mode=mode)


@pytest.mark.parametrize("mode", ["min", "max", "sum", "mostrecent"])
@pytest.mark.parametrize("live", ["", "live"])
def test_modes_are_one_in_a_single_process(
    client: ModuleType, name: str, registry: Any, live: str, mode: str
) -> None:
    gauge = client.Gauge(name, "Help.", ["a"], registry=registry, multiprocess_mode=live + mode)
    gauge.labels("x").set(3)
    gauge.labels("x").set(2)
    gauge.labels("y").set(-4.5)
    assert shown(registry) == {f'{name}{{a="x"}}': 2, f'{name}{{a="y"}}': -4.5}


@pytest.mark.parametrize("update", ["inc", "dec", "set", "track_inprogress"])
def test_labelled_parent_does_nothing(
    client: ModuleType, name: str, registry: Any, update: str
) -> None:
    gauge = client.Gauge(name, "Help.", ["a"], registry=registry)
    with pytest.raises(ValueError, match="label"):
        getattr(gauge, update)(*[1] * (update == "set"))
    assert shown(registry) == {}
