from __future__ import annotations

from types import ModuleType
from typing import Any, Iterator

import pytest
from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from .reading import shown


class Weather(Collector):
    """A collector of somebody's own."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.asked = 0

    def collect(self) -> Iterator[Metric]:
        self.asked += 1
        yield GaugeMetricFamily(f"{self.prefix}_degrees", "Help.", value=self.asked)
        rain = CounterMetricFamily(f"{self.prefix}_rain", "Help.", labels=["town"])
        rain.add_metric(["Ulm"], 1.5)
        rain.add_metric(["Bonn"], 0)
        yield rain


class Described(Weather):
    def describe(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(f"{self.prefix}_degrees", "Help.")
        yield CounterMetricFamily(f"{self.prefix}_rain", "Help.")


def test_a_registry_shows_what_is_in_it(client: ModuleType, name: str, registry: Any) -> None:
    other = client.CollectorRegistry()
    client.Counter(f"{name}_a", "Help.", registry=registry).inc()
    client.Gauge(f"{name}_b", "Help.", registry=other).set(2)
    client.Gauge(f"{name}_c", "Help.", registry=None).set(3)
    assert shown(registry) == {f"{name}_a_total": 1}
    assert shown(other) == {f"{name}_b": 2}


def test_the_default_registry(client: ModuleType, name: str) -> None:
    gauge = client.Gauge(name, "Help.")
    gauge.set(4)
    try:
        assert client.REGISTRY.get_sample_value(name) == 4
        assert f"\n{name} 4.0\n" in client.generate_latest().decode()
    finally:
        client.REGISTRY.unregister(gauge)


def test_the_default_registry_tells_of_the_process(client: ModuleType) -> None:
    names = {metric.name for metric in client.REGISTRY.collect()}
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "python_info"} <= names
    assert "python_gc_collections" in names


def test_an_object_can_be_registered_later(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", registry=None)
    counter.inc(2)
    assert shown(registry) == {}
    registry.register(counter)
    assert shown(registry) == {f"{name}_total": 2}
    registry.unregister(counter)
    assert shown(registry) == {}


def test_one_object_in_two_registries(client: ModuleType, name: str, registry: Any) -> None:
    other = client.CollectorRegistry()
    counter = client.Counter(name, "Help.", registry=registry)
    other.register(counter)
    counter.inc()
    assert shown(registry) == shown(other) == {f"{name}_total": 1}
    other.unregister(counter)
    assert shown(other) == {}
    assert shown(registry) == {f"{name}_total": 1}


def test_what_is_not_registered_cannot_be_unregistered(
    client: ModuleType, name: str, registry: Any
) -> None:
    with pytest.raises(KeyError):
        registry.unregister(client.Counter(name, "Help.", registry=None))


def test_a_metric_collects_and_describes_itself(client: ModuleType, name: str) -> None:
    gauge = client.Gauge(name, "Help.", ["a"], unit="bytes", registry=None)
    gauge.labels("x").set(3)
    (described,) = gauge.describe()
    assert (described.name, described.type, described.unit) == (f"{name}_bytes", "gauge", "bytes")
    assert described.documentation == "Help."
    assert list(described.samples) == []
    assert shown(gauge) == {f'{name}_bytes{{a="x"}}': 3}


@pytest.mark.parametrize(
    ("first", "second", "suffix"),
    [
        ("Counter", "Gauge", ""),
        ("Gauge", "Summary", ""),
        ("Summary", "Gauge", "_sum"),
        ("Histogram", "Gauge", "_count"),
        ("Counter", "Gauge", "_total"),
        ("Gauge", "Histogram", ""),
    ],
)
# The drop-in has met the first one on the board before the registry finds out.
@pytest.mark.filterwarnings("ignore:tallyboard:RuntimeWarning")
def test_names_that_clash(
    client: ModuleType, name: str, registry: Any, first: str, second: str, suffix: str
) -> None:
    getattr(client, first)(name, "Help.", registry=registry)
    with pytest.raises(ValueError):
        getattr(client, second)(name + suffix, "Help.", registry=registry)


def test_collector_whose_names_clash(client: ModuleType, name: str, registry: Any) -> None:
    registry.register(Described(name))
    with pytest.raises(ValueError, match=f"{name}_degrees"):
        registry.register(Described(name))
    assert len(shown(registry)) == 3


def test_collector_that_describes_itself_by_collecting(client: ModuleType, name: str) -> None:
    registry = client.CollectorRegistry(auto_describe=True)
    weather = Weather(name)
    registry.register(weather)
    assert weather.asked == 1
    with pytest.raises(ValueError, match=f"{name}_rain"):
        registry.register(Weather(name))


def test_custom_collector(client: ModuleType, name: str, registry: Any) -> None:
    weather = Weather(name)
    registry.register(weather)
    expected = {f'{name}_rain_total{{town="Ulm"}}': 1.5, f'{name}_rain_total{{town="Bonn"}}': 0}
    assert shown(registry) == {f"{name}_degrees": 1, **expected}
    assert shown(registry) == {f"{name}_degrees": 2, **expected}
    registry.unregister(weather)
    assert shown(registry) == {}


def test_custom_collector_of_every_kind(client: ModuleType, name: str, registry: Any) -> None:
    class Everything:
        def collect(self) -> Iterator[Metric]:
            yield SummaryMetricFamily(f"{name}_s", "Help.", count_value=2, sum_value=3)
            buckets = [("1.0", 1.0), ("+Inf", 4.0)]
            yield HistogramMetricFamily(f"{name}_h", "Help.", buckets=buckets, sum_value=9)
            yield InfoMetricFamily(f"{name}_i", "Help.", value={"a": "x"})

    registry.register(Everything())
    assert shown(registry) == {
        f"{name}_s_count": 2,
        f"{name}_s_sum": 3,
        f'{name}_h_bucket{{le="1.0"}}': 1,
        f'{name}_h_bucket{{le="+Inf"}}': 4,
        f"{name}_h_count": 4,
        f"{name}_h_sum": 9,
        f'{name}_i_info{{a="x"}}': 1,
    }


def test_error_of_a_collector_reaches_whoever_collects(client: ModuleType, registry: Any) -> None:
    class Broken:
        def collect(self) -> list[Metric]:
            raise LookupError("no weather")

    registry.register(Broken())
    with pytest.raises(LookupError, match="no weather"):
        client.generate_latest(registry)


def test_sample_value(client: ModuleType, name: str, registry: Any) -> None:
    client.Counter(name, "Help.", ["a"], registry=registry).labels("x").inc(3)
    client.Histogram(f"{name}_h", "Help.", buckets=[1], registry=registry).observe(0.5)
    assert registry.get_sample_value(f"{name}_total", {"a": "x"}) == 3
    assert registry.get_sample_value(f"{name}_total", labels={"a": "y"}) is None
    assert registry.get_sample_value(f"{name}_total") is None
    assert registry.get_sample_value(name, {"a": "x"}) is None
    assert registry.get_sample_value(f"{name}_h_bucket", {"le": "1.0"}) == 1
    assert registry.get_sample_value(f"{name}_h_sum") == 0.5


def test_restricted_registry(client: ModuleType, name: str, registry: Any) -> None:
    client.Counter(name, "Help.", registry=registry).inc()
    client.Gauge(f"{name}_g", "Help.", ["a"], registry=registry).labels("x").set(2)
    client.Summary(f"{name}_s", "Help.", registry=registry).observe(3)
    registry.register(Described(f"{name}_w"))
    assert shown(registry.restricted_registry([f"{name}_total"])) == {f"{name}_total": 1}
    assert shown(registry.restricted_registry([f"{name}_g"])) == {f'{name}_g{{a="x"}}': 2}
    assert shown(registry.restricted_registry([f"{name}_s_sum"])) == {f"{name}_s_sum": 3}
    assert shown(registry.restricted_registry([f"{name}_w_degrees"])) == {f"{name}_w_degrees": 1}
    assert shown(registry.restricted_registry([f"{name}_s", "unknown"])) == {}
    both = registry.restricted_registry([f"{name}_total", f"{name}_s_count"])
    assert shown(both) == {f"{name}_total": 1, f"{name}_s_count": 1}
    assert f"{name}_total 1.0" in client.generate_latest(both).decode()


def test_target_info(client: ModuleType, name: str) -> None:
    registry = client.CollectorRegistry(target_info={"env": "test"})
    client.Gauge(name, "Help.", registry=registry).set(1)
    assert registry.get_target_info() == {"env": "test"}
    assert shown(registry) == {'target_info{env="test"}': 1, name: 1}
    assert shown(registry.restricted_registry(["target_info"])) == {'target_info{env="test"}': 1}
    registry.set_target_info({"env": "live"})
    assert shown(registry) == {'target_info{env="live"}': 1, name: 1}
    registry.set_target_info(None)
    assert registry.get_target_info() is None
    assert shown(registry) == {name: 1}


def test_two_registries_in_one_text(client: ModuleType, name: str, registry: Any) -> None:
    """A registry is a collector, and can be registered itself."""
    inner = client.CollectorRegistry()
    client.Gauge(name, "Help.", registry=inner).set(5)
    registry.register(inner)
    assert shown(registry) == {name: 5}


def test_collector_without_names_is_in_every_restricted_registry(
    client: ModuleType, name: str
) -> None:
    registry = client.CollectorRegistry(support_collectors_without_names=True)
    registry.register(Weather(name))
    client.Gauge(f"{name}_g", "Help.", registry=registry).set(2)
    restricted = registry.restricted_registry([f"{name}_degrees"])
    assert shown(restricted) == {f"{name}_degrees": 1}


@pytest.mark.parametrize("kind", ["Counter", "Gauge", "Summary", "Histogram", "Info"])
def test_a_metric_of_a_class_of_ones_own(
    client: ModuleType, name: str, registry: Any, kind: str
) -> None:
    base = getattr(client, kind)
    own = type(base)("Own", (base,), {"twice": lambda self: (self.once(), self.once())})
    own.once = {
        "Counter": lambda self: self.inc(),
        "Gauge": lambda self: self.inc(),
        "Summary": lambda self: self.observe(1),
        "Histogram": lambda self: self.observe(1),
        "Info": lambda self: self.info({"b": "1"}),
    }[kind]
    metric = own(name, "Help.", ["a"], registry=registry)
    child = metric.labels("x")
    assert type(child) is own
    child.twice()
    first = next(iter(shown(registry)))
    assert first.startswith(name)
    suffix = {"Counter": "_total", "Gauge": "", "Info": "_info"}.get(kind, "_count")
    labels = {"a": "x", "b": "1"} if kind == "Info" else {"a": "x"}
    assert registry.get_sample_value(name + suffix, labels) == (1 if kind == "Info" else 2)


def test_a_metric_of_a_class_that_changes_its_methods(
    client: ModuleType, name: str, registry: Any
) -> None:
    class Rounded(client.Counter):  # type: ignore[name-defined, misc]
        def inc(self, amount: float = 1, exemplar: Any = None) -> None:
            super().inc(round(amount), exemplar)

        def labels(self, *values: object, **named: object) -> Any:
            return super().labels(*(str(value).upper() for value in values), **named)

    Rounded(name, "Help.", registry=registry).inc(2.6)
    Rounded(f"{name}_a", "Help.", labelnames=["a"], registry=registry).labels("x").inc(1.2)
    assert shown(registry) == {f"{name}_total": 3, f'{name}_a_total{{a="X"}}': 1}
