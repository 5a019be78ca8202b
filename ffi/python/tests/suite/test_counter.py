from __future__ import annotations

import math
import time
from types import ModuleType
from typing import Any

import pytest

from .reading import created, shown


def test_starts_at_zero(client: ModuleType, name: str, registry: Any) -> None:
    client.Counter(name, "Help.", registry=registry)
    assert shown(registry) == {f"{name}_total": 0}


def test_counts_by_one_and_by_any_amount(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", registry=registry)
    counter.inc()
    counter.inc(1.5)
    counter.inc(amount=2)
    counter.inc(0)
    assert shown(registry) == {f"{name}_total": 4.5}


def test_the_suffix_may_be_written_or_not(client: ModuleType, name: str, registry: Any) -> None:
    client.Counter(f"{name}_total", "Help.", registry=registry).inc()
    (metric,) = registry.collect()
    assert (metric.name, metric.type) == (name, "counter")
    assert shown(registry) == {f"{name}_total": 1}


@pytest.mark.parametrize("amount", [-1, -0.5, -math.inf])
def test_cannot_go_down(client: ModuleType, name: str, registry: Any, amount: float) -> None:
    counter = client.Counter(name, "Help.", registry=registry)
    with pytest.raises(ValueError):
        counter.inc(amount)
    assert shown(registry) == {f"{name}_total": 0}


@pytest.mark.parametrize("amount", ["1", None, [1]])
def test_takes_numbers_only(client: ModuleType, name: str, registry: Any, amount: object) -> None:
    counter = client.Counter(name, "Help.", registry=registry)
    with pytest.raises(TypeError):
        counter.inc(amount)
    assert shown(registry) == {f"{name}_total": 0}


def test_resets(client: ModuleType, name: str, registry: Any) -> None:
    before = time.time()
    counter = client.Counter(name, "Help.", registry=registry)
    counter.inc(3)
    first = created(registry)[f"{name}_created"]
    counter.reset()
    assert shown(registry) == {f"{name}_total": 0}
    second = created(registry)[f"{name}_created"]
    # A board keeps milliseconds.
    assert before - 0.001 <= first <= second <= time.time()
    counter.inc()
    assert shown(registry) == {f"{name}_total": 1}


def test_resets_one_series(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", ["a"], registry=registry)
    counter.labels("x").inc(2)
    counter.labels("y").inc(3)
    counter.labels("x").reset()
    assert shown(registry) == {f'{name}_total{{a="x"}}': 0, f'{name}_total{{a="y"}}': 3}


def test_labelled_parent_does_not_count(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", ["a"], registry=registry)
    with pytest.raises(ValueError, match="label"):
        counter.inc()
    with pytest.raises(ValueError, match="label"):
        counter.count_exceptions()
    assert shown(registry) == {}


def test_exceptions_in_a_block(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", registry=registry)
    with counter.count_exceptions():
        pass
    with pytest.raises(KeyError), counter.count_exceptions():
        raise KeyError
    assert shown(registry) == {f"{name}_total": 1}


def test_exceptions_of_one_class(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", registry=registry)
    with pytest.raises(KeyError), counter.count_exceptions(ValueError):
        raise KeyError
    with pytest.raises(UnicodeError), counter.count_exceptions(ValueError):
        raise UnicodeError
    with pytest.raises(KeyError), counter.count_exceptions((ValueError, LookupError)):
        raise KeyError
    assert shown(registry) == {f"{name}_total": 2}


def test_what_is_no_exception_is_not_counted(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", registry=registry)
    with pytest.raises(KeyboardInterrupt), counter.count_exceptions():
        raise KeyboardInterrupt
    with pytest.raises(SystemExit), counter.count_exceptions(BaseException):
        raise SystemExit
    assert shown(registry) == {f"{name}_total": 1}


def test_exceptions_of_a_function(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", registry=registry)

    @counter.count_exceptions()
    def divide(a: int, b: int = 1) -> float:
        return a / b

    assert divide(4, b=2) == 2
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            divide(1, 0)
    assert shown(registry) == {f"{name}_total": 2}
