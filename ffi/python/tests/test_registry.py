"""Registries: which of the board's families a process shows, and what its own code adds to them."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, ClassVar, Iterable

import prometheus_client
import prometheus_client.core
import pytest
from prometheus_client.core import GaugeMetricFamily, Metric
from workers import in_child, shown

import tallyboard
from tallyboard import REGISTRY, CollectorRegistry, Counter, Enum, Gauge, Histogram, Info

if TYPE_CHECKING:
    from conftest import Run

# Which has a name of its own since prometheus_client 0.22.
DUPLICATE: type[Exception] = getattr(prometheus_client.core, "DuplicateTimeseries", ValueError)


class Custom:
    """A custom collector of one gauge that counts how often it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(self.name, "Help.")]

    def collect(self) -> Iterable[Metric]:
        self.asked += 1
        yield GaugeMetricFamily(self.name, "Help.", value=self.asked)


def test_a_name_in_two_registries_is_one_series(name: str) -> None:
    first, second = CollectorRegistry(), CollectorRegistry()
    Counter(name, "Help.", registry=first).inc()
    Counter(name, "Help.", registry=second).inc(2)
    assert shown(first, name) == shown(second, name) == {f"{name}_total": 3}
    assert shown(REGISTRY, name) == {}


def test_a_registry_shows_its_own_metrics_with_what_all_processes_count(name: str) -> None:
    registry = CollectorRegistry()
    counter = Counter(name, "Help.", ["a"], registry=registry)

    def action() -> None:
        counter.labels("x").inc()
        Gauge(f"{name}_child", "Help.").set(1)

    in_child(action)
    counter.labels("y").inc(2)
    assert shown(registry, name) == {f"{name}_total.x": 1, f"{name}_total.y": 2}


def test_the_default_registry_shows_what_only_other_processes_have_declared(name: str) -> None:
    in_child(lambda: Counter(f"{name}_theirs", "Help.", registry=None).inc(2))
    Counter(f"{name}_default", "Help.").inc()
    Counter(f"{name}_other", "Help.", registry=CollectorRegistry())
    Counter(f"{name}_none", "Help.", registry=None)
    assert shown(REGISTRY, name) == {f"{name}_default_total": 1, f"{name}_theirs_total": 2}


def test_what_has_no_series_is_shown_by_its_name(name: str) -> None:
    registry = CollectorRegistry()
    Histogram(name, "Help.", ["a"], registry=registry, unit="seconds")
    (family,) = registry.collect()
    assert family == Metric(f"{name}_seconds", "Help.", "histogram", "seconds")


def test_a_name_is_taken_within_its_registry(name: str) -> None:
    registry = CollectorRegistry()
    Counter(name, "Help.", registry=registry)
    for contradiction in (
        lambda: Counter(name, "Help.", ["a"], registry=registry),
        lambda: Gauge(f"{name}_total", "Help.", registry=registry),
        lambda: registry.register(Custom(name)),
    ):
        with pytest.raises(DUPLICATE, match=name):
            contradiction()
    registry.register(Custom(f"{name}_custom"))
    with pytest.raises(DUPLICATE, match=f"{name}_custom"):
        Gauge(f"{name}_custom", "Help.", registry=registry)
    # What the registry has refused is not on the board.
    assert {s.name for s in tallyboard.series() if s.name.startswith(name)} == {f"{name}_total"}


def test_the_default_registry_says_who_has_a_name(name: str) -> None:
    Counter(name, "Help.")
    with pytest.raises(DUPLICATE, match="is declared already, by"):
        Gauge(name, "Help.")


@pytest.mark.usefixtures("unsaid")
def test_declarations_of_two_registries_that_differ_are_one_warning(name: str) -> None:
    first, second = CollectorRegistry(), CollectorRegistry()
    Counter(name, "Help.", ["a"], registry=first).labels("x").inc()
    with pytest.warns(RuntimeWarning, match="two declarations here that differ"):
        newest = Counter(name, "Help.", ["b"], registry=second)
    newest.labels("y").inc(2)
    assert shown(first, name) == shown(second, name) == {f"{name}_total.y": 2}
    with pytest.warns(RuntimeWarning, match="is not counted"):
        Gauge(f"{name}_total", "Help.", registry=None).set(1)


def test_a_declaration_that_is_repeated_is_registered_once(name: str) -> None:
    registry = CollectorRegistry()
    for _ in range(2):
        again = Counter(name, "Help.", registry=registry)
        again.inc()
    assert shown(registry, name) == {f"{name}_total": 2}
    assert len(list(registry.collect())) == 1
    registry.unregister(again)
    assert shown(registry, name) == {}
    with pytest.raises(KeyError):
        registry.unregister(again)


@pytest.mark.usefixtures("unsaid")
def test_what_is_unregistered_frees_its_name_and_stays_on_the_board(name: str) -> None:
    gauge = Gauge(name, "Help.")
    gauge.set(3)
    REGISTRY.unregister(gauge)
    assert shown(REGISTRY, name) == {}
    assert [s.value for s in tallyboard.series() if s.name == name] == [3]
    with pytest.warns(RuntimeWarning, match="two declarations here that differ"):
        Gauge(name, "Help.", ["a"]).labels("x").set(4)
    assert shown(REGISTRY, name) == {f"{name}.x": 4}


def test_a_metric_may_be_registered_by_hand(name: str) -> None:
    registry = CollectorRegistry()
    counter = Counter(name, "Help.", registry=None)
    counter.inc()
    registry.register(counter)
    assert registry.get_sample_value(f"{name}_total") == 1
    with pytest.raises(ValueError, match="Duplicated"):
        registry.register(counter)


def test_a_registry_of_prometheus_client_takes_metrics_of_the_board(name: str) -> None:
    registry = prometheus_client.CollectorRegistry()
    for _ in range(2):
        Counter(name, "Help.", ["a"], registry=registry).labels("x").inc()
    gauge = Gauge(f"{name}_g", "Help.", registry=registry)
    gauge.set_function(lambda: 7)
    assert shown(registry, name) == {f"{name}_total.x": 2, f"{name}_g": 7}


def test_what_only_looks_like_a_registry_is_asked_to_register(name: str) -> None:
    class Listens:
        registered: ClassVar[list[object]] = []

        def register(self, collector: object) -> None:
            self.registered.append(collector)

    counter = Counter(name, "Help.", registry=Listens())  # type: ignore[arg-type]
    assert Listens.registered == [counter]


def test_a_restricted_registry_asks_only_for_what_it_shows(name: str) -> None:
    in_child(lambda: Counter(f"{name}_theirs", "Help.").inc(2))
    custom, other = Custom(f"{name}_custom"), Custom(f"{name}_other")
    REGISTRY.register(custom)
    REGISTRY.register(other)
    Gauge(f"{name}_gauge", "Help.").set(5)
    names = [f"{name}_theirs_total", f"{name}_custom", f"{name}_gauge"]
    restricted = REGISTRY.restricted_registry(names)
    assert {s.name: s.value for family in restricted.collect() for s in family.samples} == {
        f"{name}_theirs_total": 2,
        f"{name}_custom": 1,
        f"{name}_gauge": 5,
    }
    assert (custom.asked, other.asked) == (1, 0)
    text = tallyboard.generate_latest(restricted).decode()
    assert f"{name}_gauge 5.0\n" in text
    REGISTRY.unregister(custom)
    REGISTRY.unregister(other)


def test_target_info_is_shown() -> None:
    registry = CollectorRegistry(target_info={"service": "x"})
    assert registry.get_sample_value("target_info", {"service": "x"}) == 1
    (family,) = registry.restricted_registry(["target_info"]).collect()
    assert [sample.name for sample in family.samples] == ["target_info"]
    assert list(registry.restricted_registry(["other"]).collect()) == []


def test_a_child_that_is_forked_while_another_thread_collects_is_not_stopped(name: str) -> None:
    registry = CollectorRegistry()
    counter = Counter(name, "Help.", registry=registry)

    def action() -> None:
        counter.inc()
        assert shown(registry, name) == {f"{name}_total": 1}

    with registry._lock:
        in_child(action)
    assert shown(registry, name) == {f"{name}_total": 1}


def test_a_metric_shows_itself(name: str) -> None:
    counter = Counter(name, "Help.", ["a", "b"], registry=None)
    counter.labels("x", "1").inc(2)
    counter.labels("y", "1").inc(3)
    (described,) = counter.describe()
    assert described == Metric(name, "Help.", "counter")
    (family,) = counter.collect()
    values = {(s.labels["a"], s.labels["b"]): s.value for s in family.samples[::2]}
    assert values == {("x", "1"): 2, ("y", "1"): 3}
    (own,) = counter.labels("y", "1").collect()
    assert (own.samples[0].name, own.samples[0].labels, own.samples[0].value) == (
        f"{name}_total",
        {},
        3,
    )


def test_a_function_is_asked_when_its_registry_is(name: str) -> None:
    registry = CollectorRegistry()
    numbers = [1.0]
    gauge = Gauge(name, "Help.", registry=registry)
    gauge.set(5)
    gauge.set_function(lambda: numbers[-1])
    for number in (2, 3):
        numbers.append(number)
        assert shown(registry, name) == {name: number}
        assert gauge.value() == number
    gauge.set_function(lambda: 4)
    gauge.set(9)
    gauge.inc()
    gauge.dec()
    assert (shown(registry, name), gauge.value()) == ({name: 4}, 4)
    # Another object of the same series shows it, too.
    assert Gauge(name, "Help.", registry=CollectorRegistry()).collect() == gauge.collect()


def test_functions_belong_to_their_children(name: str) -> None:
    registry = CollectorRegistry()
    gauge = Gauge(name, "Help.", ["a", "b"], registry=registry)
    gauge.labels("x", "1").set(1)
    gauge.labels("y", "1").set_function(lambda: 2)
    gauge.labels("z", "1").set_function(lambda: 3)
    expected = {f"{name}.x.1": 1.0, f"{name}.y.1": 2.0, f"{name}.z.1": 3.0}
    assert shown(registry, name) == expected
    gauge.remove("z", "1")
    del expected[f"{name}.z.1"]
    assert shown(registry, name) == expected
    gauge.remove_by_labels({"a": "x"})
    assert shown(registry, name) == {f"{name}.y.1": 2}
    gauge.clear()
    assert shown(registry, name) == {}
    with pytest.raises(ValueError, match="missing label values"):
        gauge.set_function(lambda: 1)


def test_what_a_function_raises_comes_out(name: str) -> None:
    registry = CollectorRegistry()

    def broken() -> float:
        raise KeyError(name)

    Gauge(name, "Help.", registry=registry).set_function(broken)
    with pytest.raises(KeyError, match=name):
        tallyboard.generate_latest(registry)


class Own(Gauge):
    """A gauge of a user's."""


@pytest.mark.parametrize("kind", [Gauge, Own])
def test_a_gauge_with_a_function_is_one_of_its_class(kind: type[Gauge], name: str) -> None:
    gauge = kind(name, "Help.", ["a"])
    child = gauge.labels("x")
    child.set_function(lambda: 1)
    assert isinstance(child, kind)
    assert repr(child) == repr(gauge)
    assert pickle.loads(pickle.dumps(child)) is child


def test_labels_are_removed_by_part_of_them_whichever_process_made_them(name: str) -> None:
    registry = CollectorRegistry()
    counter = Counter(name, "Help.", ["a", "b"], registry=registry)

    def action() -> None:
        for a, b in ("x", 1), ("x", 2), ("y", 1):
            counter.labels(a, b).inc()

    in_child(action)
    counter.labels("x", 3).inc()
    counter.remove_by_labels({"a": "x", "b": 2})  # type: ignore[dict-item]
    expected = {f"{name}_total.x.1": 1, f"{name}_total.x.3": 1, f"{name}_total.y.1": 1}
    assert shown(registry, name) == expected
    counter.remove_by_labels({})
    assert shown(registry, name) == expected
    counter.remove_by_labels({"a": "x"})
    assert shown(registry, name) == {f"{name}_total.y.1": 1}
    with pytest.raises(ValueError, match="Unknown label names"):
        counter.remove_by_labels({"c": "x"})
    with pytest.raises(TypeError, match="dict"):
        counter.remove_by_labels([("a", "x")])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="No label names"):
        Counter(f"{name}_plain", "Help.").remove_by_labels({})


def test_infos_enums_and_gauges_of_processes_are_removed_by_labels(name: str) -> None:
    info = Info(f"{name}_info", "Help.", ["a"])
    info.labels("x").info({"version": "1"})
    enum = Enum(f"{name}_enum", "Help.", ["a"], states=["on", "off"])
    enum.labels("x").state("off")
    gauge = Gauge(f"{name}_gauge", "Help.", ["a"], multiprocess_mode="all")
    gauge.labels("x").set(1)
    for metric in (info, enum, gauge):
        metric._children.clear()
        metric.remove_by_labels({"a": "x"})
    assert shown(REGISTRY, name) == {}


def test_a_counter_is_reset_for_all_processes(name: str) -> None:
    registry = CollectorRegistry()
    counter = Counter(name, "Help.", ["a"], registry=registry)
    child, other = counter.labels("x"), counter.labels("y")
    child.inc(5, exemplar={"trace": "t"})
    other.inc()
    before = registry.get_sample_value(f"{name}_created", {"a": "x"})
    in_child(child.reset)
    assert shown(registry, name) == {f"{name}_total.x": 0, f"{name}_total.y": 1}
    assert child.value() == 0
    after = registry.get_sample_value(f"{name}_created", {"a": "x"})
    assert before is not None
    assert after is not None
    assert after > before
    (family,) = registry.collect()
    assert not any(sample.exemplar for sample in family.samples)
    child.inc(2)
    plain = Counter(f"{name}_plain", "Help.", registry=registry)
    plain.inc(3)
    plain.reset()
    assert shown(registry, f"{name}_plain") == {f"{name}_plain_total": 0}
    assert child.value() == 2
    with pytest.raises(ValueError, match="missing label values"):
        counter.reset()


def test_a_child_is_made_with_its_label_values_as_prometheus_client_makes_it(name: str) -> None:
    counter = Counter(name, "Help.", ["a"])
    Counter(name, "Help.", ["a"], _labelvalues=("x",)).inc(2)
    assert counter.labels("x").value() == 2
    assert shown(REGISTRY, name) == {f"{name}_total.x": 2}


LATER = """
import sys
from tallyboard import Counter, Gauge
Counter("before", "Help.").inc()
Gauge("gone", "Help.")
assert "prometheus_client" not in sys.modules
import tallyboard
tallyboard.REGISTRY.unregister(Gauge("gone", "Help."))
Counter("after", "Help.").inc(2)
for family in tallyboard.REGISTRY.collect():
    print(family.name)
"""


@pytest.mark.usefixtures("board")
def test_metrics_are_in_the_default_registry_whenever_that_is_asked_for(run: Run) -> None:
    lines = run(LATER).splitlines()
    assert [line for line in lines if not line.startswith(("process_", "python_"))] == [
        "before",
        "after",
    ]
    assert {"process_cpu_seconds", "python_info", "python_gc_collections"} <= set(lines)
