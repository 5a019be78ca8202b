"""Declaring: what a second declaration means, and where prometheus_client is not followed."""

from __future__ import annotations

import copy
import inspect
import math
import pickle

import prometheus_client
import pytest

import tallyboard
from tallyboard import Counter, Gauge, Histogram, Native, Summary


def test_a_second_declaration_counts_into_the_same_series(name: str) -> None:
    first = Counter(name, "Help.", ["a", "b"])
    second = Counter(f"{name}_total", "A better help.", ["b", "a"])
    first.labels(a="x", b="y").inc()
    second.labels(a="x", b="y").inc(2)
    assert first.labels("x", "y").value() == second.labels("y", "x").value() == 3


def test_a_second_declaration_may_not_contradict_the_first(name: str) -> None:
    Histogram(name, "Help.")
    for contradiction in (
        lambda: Histogram(name, "Help.", buckets=[1, 2]),
        lambda: Histogram(name, "Help.", ["a"]),
        lambda: Gauge(name, "Help."),
        lambda: Gauge(f"{name}_count", "Help."),
    ):
        with pytest.raises(ValueError, match=f"{name}.* is declared already"):
            contradiction()
    assert Histogram(name, "Help.", buckets=(*Histogram.DEFAULT_BUCKETS[:-1],))


def test_label_names_that_no_scrape_could_show_are_refused(name: str) -> None:
    # prometheus_client takes both, and writes text that Prometheus does not read.
    with pytest.raises(ValueError, match="Duplicate label name"):
        Counter(name, "Help.", ["a", "a"])
    with pytest.raises(ValueError, match="NUL"):
        Counter(name, "Help.", ["a\0"])
    with pytest.raises(ValueError, match="NUL"):
        Counter(f"{name}\0", "Help.")


def test_names_may_be_any_text_as_in_prometheus_3(name: str) -> None:
    gauge = Gauge(f"{name}.größe/s", "Help.", ["größe"])
    gauge.labels(größe="x").inc()
    (series,) = (each for each in tallyboard.series() if each.name.startswith(f"{name}."))
    assert series.labels == {"größe": "x"}


def test_a_native_histogram_is_shown_with_classic_buckets(name: str) -> None:
    histogram = Histogram(name, "Help.", native=True)
    for value in (0.0001, 1, 1.5, 100, math.nan):
        histogram.observe(value)
    (series,) = (each for each in tallyboard.series() if each.name == name)
    assert series.buckets is not None
    bounds = [bound for bound, _ in series.buckets]
    assert bounds == [2.0**power for power in range(-10, 7)] + [math.inf]
    at = dict(series.buckets)
    assert (at[2.0**-10], at[1.0], at[2.0], at[64.0], at[math.inf]) == (1, 2, 3, 3, 5)


def test_prometheus_client_has_no_native_histograms_whose_names_could_be_followed() -> None:
    """Once this fails, our `native` is to take what theirs is called, too."""
    theirs = inspect.signature(prometheus_client.Histogram).parameters
    assert not [name for name in theirs if "native" in name or "schema" in name or "factor" in name]


def test_a_native_histogram_is_what_its_declaration_says(name: str) -> None:
    declared = Histogram(name, "Help.", ["a"], native=Native(schema=0, lowest=1, highest=8))
    assert declared._definition.native == (0, 1.0, 8.0, False)
    again = pickle.loads(pickle.dumps(declared))
    assert again._definition == declared._definition
    again.labels("x").observe(3)
    (series,) = (each for each in tallyboard.series() if each.name == name)
    assert series.buckets == ((0.5, 0), (1.0, 0), (2.0, 0), (4.0, 1), (8.0, 1), (math.inf, 1))
    for contradiction in (None, True, Native(0, 1, 8, negative=True)):
        with pytest.raises(ValueError, match=f"{name}.* is declared already"):
            Histogram(name, "Help.", ["a"], native=contradiction)
    assert Histogram(name, "Help.", ["a"], native=Native(0, 1, 8))


def test_native_buckets_that_there_cannot_be_are_refused(name: str) -> None:
    for native, words in (
        (Native(schema=9), "native.schema is 9"),
        (Native(lowest=0), "begin above 0"),
        (Native(lowest=2, highest=1), "begin above 0"),
        (Native(highest=math.inf), "begin above 0"),
        (Native(lowest=math.nan), "begin above 0"),
    ):
        with pytest.raises(ValueError, match=words):
            Histogram(name, "Help.", native=native)
    with pytest.raises(TypeError, match="True or a Native"):
        Histogram(name, "Help.", native=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Histogram(name, "Help.", native=Native(schema=1.5))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="buckets of another kind"):
        Histogram(name, "Help.", buckets=[1, 2], native=True)
    with pytest.warns(RuntimeWarning, match=f"{name} is not counted: .*a schema of at most 3"):
        Histogram(name, "Help.", native=Native(schema=8)).observe(1)


def test_buckets_that_are_given_twice_are_one(name: str) -> None:
    histogram = Histogram(name, "Help.", buckets=[1, 1.0, "1", 2, math.inf, math.inf])
    histogram.observe(1)
    (series,) = (each for each in tallyboard.series() if each.name == name)
    assert series.buckets == ((1.0, 1), (2.0, 1), (math.inf, 1))


def test_buckets_are_not_sorted_when_one_is_not_a_number(name: str) -> None:
    with pytest.raises(ValueError, match="sorted"):
        Histogram(name, "Help.", buckets=[1, math.nan])


def test_modes_that_share_one_number_are_one(name: str) -> None:
    for mode in ("", "last", "mostrecent"):
        # prometheus_client refuses `inc` in the mode 'mostrecent'.
        Gauge(name, "Help.", multiprocess_mode=mode).inc(2)
    assert Gauge(name, "Help.").value() == 6
    with pytest.raises(ValueError, match="is declared already"):
        Gauge(name, "Help.", multiprocess_mode="sum")


def test_a_label_that_the_mode_has_itself_is_refused(name: str) -> None:
    for mode in ("all", "liveall"):
        with pytest.raises(ValueError, match="Reserved label name: pid"):
            Gauge(name, "Help.", ["pid"], multiprocess_mode=mode)
    assert Gauge(name, "Help.", ["pid"], multiprocess_mode="livesum")


def test_a_cap_counts_what_goes_beyond_in_one_series(name: str) -> None:
    counter = Counter(name, "Help.", ["a"], series_cap=2)
    for value in "abcdee":
        counter.labels(value).inc()
    values = {s.labels["a"]: s.value for s in tallyboard.series() if s.name == f"{name}_total"}
    assert values == {"a": 1, "b": 1, "overflow": 4}
    assert pickle.loads(pickle.dumps(counter)) is counter
    for kind in (Histogram, Summary):
        metric = kind(f"{name}_{kind.__name__}", "Help.", ["a"], series_cap=1)
        for value in "abc":
            metric.labels(value).observe(1)
        found = [s for s in tallyboard.series() if s.name == f"{name}_{kind.__name__}"]
        assert sorted((s.labels["a"], s.count) for s in found) == [("a", 1), ("overflow", 2)]


@pytest.mark.usefixtures("unsaid")
def test_a_gauge_beyond_its_cap_is_one_warning(name: str) -> None:
    gauge = Gauge(name, "Help.", ["a"], series_cap=1)
    gauge.labels("a").set(1)
    with pytest.warns(RuntimeWarning, match="as many series as it may have"):
        gauge.labels("b").set(1)
    gauge.labels("c").set(1)
    assert [s.labels["a"] for s in tallyboard.series() if s.name == name] == ["a"]


def test_caps_that_are_none_are_refused(name: str) -> None:
    for cap in (-1, 2**32):
        with pytest.raises(ValueError, match="series_cap"):
            Counter(name, "Help.", series_cap=cap)
    with pytest.raises(TypeError):
        Counter(name, "Help.", series_cap=1.5)  # type: ignore[arg-type]


def test_gauge_without_a_mode_is_one_number_for_all(name: str) -> None:
    gauge = Gauge(name, "Help.")
    gauge.set(5)
    gauge.inc()
    gauge.dec(2)
    assert gauge.value() == 4


def test_default_buckets_are_those_of_prometheus_client() -> None:
    assert Histogram.DEFAULT_BUCKETS == prometheus_client.Histogram.DEFAULT_BUCKETS


def test_text(name: str) -> None:
    assert str(Counter(name, "Help.")) == f"counter:{name}"
    assert repr(Gauge(f"{name}_g", "Help.")) == f"tallyboard.gauge.Gauge({name}_g)"


def test_a_subclass_has_children_of_its_class(name: str) -> None:
    class Requests(Counter):
        def __init__(self) -> None:
            super().__init__(name, "Help.", ["a"])

        def twice(self) -> None:
            self.inc(2)

    requests = Requests()
    requests.labels("x").twice()
    assert requests.labels("x").value() == 2


def test_children_are_kept(name: str) -> None:
    gauge = Gauge(name, "Help.", ["a"])
    assert gauge.labels("x") is gauge.labels(a="x")


def test_values_may_come_with_a_dictionary_of_no_names(name: str) -> None:
    counter = Counter(name, "Help.", ["a"])
    names: dict[str, str] = {}
    assert counter.labels(*("x",), **names) is counter.labels("x")


def test_copies_are_the_same_metric(name: str) -> None:
    gauge = Gauge(name, "Help.", ["a"])
    assert copy.copy(gauge) is gauge
    assert copy.deepcopy({"g": gauge.labels("x")})["g"] is gauge.labels("x")


def test_counters_are_exact_where_floats_are_not(name: str) -> None:
    counter = Counter(name, "Help.")
    counter.inc(2**53)
    counter.inc()
    counter.inc()
    assert counter.value() == 2**53 + 2
