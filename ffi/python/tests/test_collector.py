"""The board in prometheus_client's terms, with prometheus_client as the model."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING, Any, Iterator

import prometheus_client
import pytest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from workers import in_child

import tallyboard
from tallyboard import Counter, Gauge, Histogram, Native
from tallyboard.collector import BoardCollector, read

if TYPE_CHECKING:
    from conftest import Run


@pytest.fixture
def _no_created() -> Iterator[None]:
    prometheus_client.disable_created_metrics()
    yield
    prometheus_client.enable_created_metrics()


def use(m: Any, name: str, registry: Any) -> None:
    """Every kind, in module `m`, under names that are sorted as the board sorts them."""
    counter = m.Counter(f"{name}_a", "Counts.", ["k", "b"], registry=registry)
    counter.labels("x", "1").inc(2.5)
    counter.labels("y", "0").inc(exemplar={"trace": "t"})
    enum = m.Enum(f"{name}_e", "Which.", ["k"], states=["on", "off"], registry=registry)
    enum.labels("x").state("off")
    gauge = m.Gauge(f"{name}_g_bytes", "Size\\ and\nmore.", unit="bytes", registry=registry)
    gauge.set(-math.inf)
    histogram = m.Histogram(f"{name}_h", "Times.", buckets=[0.1, 1, 1e7], registry=registry)
    histogram.observe(0.5, {"trace": "u"})
    histogram.observe(1e9)
    below = m.Histogram(f"{name}_hb", "Below 0.", buckets=[-1, 1], registry=registry)
    below.observe(-2)
    m.Info(f"{name}_i", "Build.", registry=registry).info({"version": "1"})
    m.Summary(f"{name}_s", "Sizes.", registry=registry).observe(3)


def of(name: str) -> list[Metric]:
    return [family for family in read().values() if family.name.startswith(name)]


def without_times(families: list[Metric]) -> list[Metric]:
    for family in families:
        for at, sample in enumerate(family.samples):
            if sample.name.endswith("_created"):
                assert abs(sample.value - time.time()) < 60
                family.samples[at] = sample._replace(value=0.0)
            if sample.exemplar is not None:
                assert abs(float(sample.exemplar.timestamp or 0) - time.time()) < 60
                exemplar = sample.exemplar._replace(timestamp=None)
                family.samples[at] = sample._replace(exemplar=exemplar)
    return families


def test_families_are_those_of_prometheus_client(name: str) -> None:
    registry = prometheus_client.CollectorRegistry()
    use(prometheus_client, name, registry)
    use(tallyboard, name, None)
    assert without_times(of(name)) == without_times(list(registry.collect())) != []


@pytest.mark.usefixtures("_no_created")
def test_creation_is_not_shown_where_prometheus_client_does_not_show_it(name: str) -> None:
    registry = prometheus_client.CollectorRegistry()
    use(prometheus_client, name, registry)
    use(tallyboard, name, None)
    found = without_times(of(name))
    assert found == without_times(list(registry.collect()))
    assert not [s for f in found for s in f.samples if s.name.endswith("_created")]


def test_a_registry_of_prometheus_client_shows_the_board(name: str) -> None:
    registry = prometheus_client.CollectorRegistry(auto_describe=True)
    registry.register(BoardCollector())
    counter = Counter(name, "Help.", ["a"])
    in_child(lambda: counter.labels("x").inc(2, exemplar={"trace": "in a child"}))
    counter.labels("x").inc()
    assert registry.get_sample_value(f"{name}_total", {"a": "x"}) == 3
    text = prometheus_client.generate_latest(registry).decode()
    (family,) = (f for f in text_string_to_metric_families(text) if f.name == name)
    assert [(s.name, s.labels, s.value) for s in family.samples] == [
        (f"{name}_total", {"a": "x"}, 3)
    ]
    assert ' 3.0 # {trace="in a child"} 2.0 ' in generate_latest(registry).decode()


def test_processes_of_a_gauge_have_their_pid(name: str) -> None:
    Gauge(name, "Help.", ["a"], multiprocess_mode="all").labels("x").set(2)
    (family,) = of(name)
    assert [(s.labels, s.value) for s in family.samples] == [
        ({"a": "x", "pid": str(os.getpid())}, 2)
    ]


def test_only_the_names_that_are_asked_for_are_shown(name: str) -> None:
    for suffix in "ab":
        Counter(f"{name}_{suffix}", "Help.").inc()
    assert list(read({f"{name}_b_total", name})) == [f"{name}_b_total"]


def test_a_native_histogram_is_shown_by_its_classic_buckets(name: str) -> None:
    Histogram(name, "Help.", native=Native(schema=0, lowest=1, highest=4)).observe(3)
    (family,) = of(name)
    assert [(s.labels["le"], s.value) for s in family.samples if s.name == f"{name}_bucket"] == [
        ("0.5", 0),
        ("1.0", 0),
        ("2.0", 0),
        ("4.0", 1),
        ("+Inf", 1),
    ]


OFF = """
from tallyboard import Counter
from tallyboard.collector import read
Counter("c", "Help.").inc()
assert read() == {}
"""


def test_without_a_board_there_is_nothing(run: Run) -> None:
    run(OFF, TALLYBOARD="off")
