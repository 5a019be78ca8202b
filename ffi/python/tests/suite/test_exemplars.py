from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import pytest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics

from .reading import exemplars, shown


def test_of_a_counter(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", ["a"], registry=registry)
    before = time.time()
    counter.labels("x").inc(exemplar={"trace_id": "abc"})
    counter.labels("y").inc(2.5, {"trace_id": "def", "span": "1"})
    found = exemplars(registry)
    assert found.keys() == {f'{name}_total{{a="x"}}', f'{name}_total{{a="y"}}'}
    x, y = (found[f'{name}_total{{a="{value}"}}'] for value in "xy")
    assert (x.labels, x.value) == ({"trace_id": "abc"}, 1)
    assert (y.labels, y.value) == ({"trace_id": "def", "span": "1"}, 2.5)
    # A board keeps milliseconds.
    first, second = (float(each.timestamp or 0) for each in (x, y))
    assert before - 0.001 <= first <= second <= time.time()


def test_the_last_one_stays(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", registry=registry)
    counter.inc(1, {"id": "1"})
    counter.inc(2, {"id": "2"})
    counter.inc(4)
    counter.inc(8, {})
    assert shown(registry) == {f"{name}_total": 15}
    (exemplar,) = exemplars(registry).values()
    assert (exemplar.labels, exemplar.value) == ({"id": "2"}, 2)


def test_each_bucket_has_one(client: ModuleType, name: str, registry: Any) -> None:
    histogram = client.Histogram(name, "Help.", buckets=[1, 2, 3], registry=registry)
    histogram.observe(0.5, {"id": "1"})
    histogram.observe(2, exemplar={"id": "2"})
    histogram.observe(1.5, exemplar={"id": "3"})
    histogram.observe(2.5)
    histogram.observe(99, {"id": "4"})
    found = {
        series: (each.labels["id"], each.value) for series, each in exemplars(registry).items()
    }
    assert found == {
        f'{name}_bucket{{le="1.0"}}': ("1", 0.5),
        f'{name}_bucket{{le="2.0"}}': ("3", 1.5),
        f'{name}_bucket{{le="+Inf"}}': ("4", 99),
    }


@pytest.mark.parametrize("exemplar", [{"__a": "b"}, {"a": "b" * 128}, {"a": "ü" * 128}])
def test_wrong_exemplars(
    client: ModuleType, name: str, registry: Any, exemplar: dict[str, str]
) -> None:
    counter = client.Counter(f"{name}_a", "Help.", registry=registry)
    histogram = client.Histogram(f"{name}_b", "Help.", registry=registry)
    with pytest.raises(ValueError):
        counter.inc(1, exemplar)
    with pytest.raises(ValueError):
        histogram.observe(1, exemplar)
    assert exemplars(registry) == {}


def test_as_long_as_may_be(client: ModuleType, name: str, registry: Any) -> None:
    # 128 characters, not bytes.
    client.Counter(name, "Help.", registry=registry).inc(1, {"a": "ü" * 127})
    (exemplar,) = exemplars(registry).values()
    assert exemplar.labels == {"a": "ü" * 127}


def test_only_openmetrics_shows_them(client: ModuleType, name: str, registry: Any) -> None:
    client.Counter(name, "Help.", registry=registry).inc(3, {"trace_id": 'q"\\'})
    assert "trace_id" not in client.generate_latest(registry).decode()
    # prometheus_client's own parser takes no escapes here.
    assert f'{name}_total 3.0 # {{trace_id="q\\"\\\\"}} 3.0 ' in openmetrics(registry).decode()
