from __future__ import annotations

import math
import time
from types import ModuleType
from typing import Any, Mapping, Sequence

import pytest

from .reading import Shown, created, shown

DEFAULT = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.25,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
    7.5,
    10.0,
    math.inf,
)


def expected(name: str, counts: Mapping[str, float], sum: float | None) -> Shown:
    series: Shown = {f'{name}_bucket{{le="{bound}"}}': count for bound, count in counts.items()}
    series[f"{name}_count"] = counts["+Inf"]
    if sum is not None:
        series[f"{name}_sum"] = sum
    return series


def test_default_buckets(client: ModuleType, name: str, registry: Any) -> None:
    client.Histogram(name, "Help.", registry=registry)
    bounds = ["+Inf" if math.isinf(bound) else str(bound) for bound in DEFAULT]
    assert shown(registry) == expected(name, dict.fromkeys(bounds, 0), 0)
    assert tuple(client.Histogram.DEFAULT_BUCKETS) == DEFAULT


def test_bounds_are_inclusive_and_buckets_cumulative(
    client: ModuleType, name: str, registry: Any
) -> None:
    histogram = client.Histogram(name, "Help.", buckets=[1, 2.5, 4], registry=registry)
    for amount in (0.5, 1, 1.25, 2.5, 4.5, 4):
        histogram.observe(amount)
    counts = {"1.0": 2, "2.5": 4, "4.0": 5, "+Inf": 6}
    assert shown(registry) == expected(name, counts, 13.75)


@pytest.mark.parametrize(
    "buckets", [(1, 2), [1, 2], ["1", "2"], (1, 2, math.inf), ("1", "2", "+Inf"), (1, 2, "Inf")]
)
def test_forms_of_buckets(
    client: ModuleType, name: str, registry: Any, buckets: Sequence[float | str]
) -> None:
    client.Histogram(name, "Help.", buckets=buckets, registry=registry).observe(2)
    assert shown(registry) == expected(name, {"1.0": 0, "2.0": 1, "+Inf": 1}, 2)


@pytest.mark.parametrize("buckets", [[], [math.inf], [2, 1], [1, math.inf, 2]])
def test_wrong_buckets(client: ModuleType, name: str, buckets: Sequence[float]) -> None:
    with pytest.raises(ValueError, match=r"[Bb]ucket"):
        client.Histogram(name, "Help.", buckets=buckets, registry=None)


def test_below_the_lowest_and_above_the_highest(
    client: ModuleType, name: str, registry: Any
) -> None:
    histogram = client.Histogram(name, "Help.", buckets=[1, 2], registry=registry)
    histogram.observe(-5)
    histogram.observe(1e9)
    histogram.observe(math.inf)
    assert shown(registry) == expected(name, {"1.0": 1, "2.0": 1, "+Inf": 3}, math.inf)


def test_no_sum_where_buckets_are_negative(client: ModuleType, name: str, registry: Any) -> None:
    histogram = client.Histogram(name, "Help.", buckets=[-1, 1], registry=registry)
    histogram.observe(-2)
    assert shown(registry) == expected(name, {"-1.0": 1, "1.0": 1, "+Inf": 1}, None)


def test_great_and_small_bounds(client: ModuleType, name: str, registry: Any) -> None:
    client.Histogram(name, "Help.", buckets=[1e-7, 2e6, 1e21], registry=registry)
    bounds = {"1e-07": 0, "2e+06": 0, "1e+21": 0, "+Inf": 0}
    assert shown(registry) == expected(name, bounds, 0)


def test_tells_when_it_was_made(client: ModuleType, name: str, registry: Any) -> None:
    before = time.time()
    client.Histogram(name, "Help.", registry=registry)
    assert before - 0.001 <= created(registry)[f"{name}_created"] <= time.time()


def test_le_is_reserved(client: ModuleType, name: str) -> None:
    with pytest.raises(ValueError, match=r"[Rr]eserved"):
        client.Histogram(name, "Help.", ["le"], registry=None)


def test_labelled_parent_does_not_observe(client: ModuleType, name: str, registry: Any) -> None:
    histogram = client.Histogram(name, "Help.", ["a"], registry=registry)
    with pytest.raises(ValueError, match="label"):
        histogram.observe(1)
    assert shown(registry) == {}


def test_takes_numbers_only(client: ModuleType, name: str) -> None:
    with pytest.raises(TypeError):
        client.Histogram(name, "Help.", registry=None).observe("1")


def test_labels(client: ModuleType, name: str, registry: Any) -> None:
    histogram = client.Histogram(name, "Help.", ["a"], buckets=[1], registry=registry)
    histogram.labels("x").observe(2)
    assert shown(registry) == {
        f'{name}_bucket{{a="x",le="1.0"}}': 0,
        f'{name}_bucket{{a="x",le="+Inf"}}': 1,
        f'{name}_count{{a="x"}}': 1,
        f'{name}_sum{{a="x"}}': 2,
    }
