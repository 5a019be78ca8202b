"""The same program on tallyboard and on prometheus_client, which is the model: same values, same
exceptions. Where they differ on purpose, the test is in `test_declare.py` and says why."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, Callable, Dict, FrozenSet, Tuple

import prometheus_client
import pytest

import tallyboard

Samples = Dict[Tuple[str, FrozenSet[Tuple[str, str]]], float]
Program = Callable[[Any, str, Any], Any]


def theirs(registry: prometheus_client.CollectorRegistry) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }


def ours(prefix: str) -> Samples:
    samples: Samples = {}
    for each in tallyboard.series():
        if not each.name.startswith(prefix):
            continue
        labels = frozenset(each.labels.items())
        if each.type in ("counter", "gauge"):
            samples[each.name, labels] = each.value
            continue
        if each.type in ("info", "stateset"):
            samples[each.name + "_info" * (each.type == "info"), labels] = each.value
            continue
        samples[f"{each.name}_count", labels] = each.count
        samples[f"{each.name}_sum", labels] = each.sum
        for bound, count in each.buckets:
            le = "+Inf" if math.isinf(bound) else repr(bound)
            samples[f"{each.name}_bucket", labels | {("le", le)}] = count
    return samples


VALUES: dict[str, Program] = {
    "counter": lambda m, n, r: m.Counter(n, "Help.", registry=r).inc(),
    "counter declared only": lambda m, n, r: m.Counter(n, "Help.", registry=r),
    "counter named _total": lambda m, n, r: m.Counter(f"{n}_total", "Help.", registry=r).inc(3),
    "counter with a unit": lambda m, n, r: m.Counter(
        n, "Help.", namespace=f"{n}_a", subsystem="b", unit="bytes", registry=r
    ).inc(2),
    "counter whose name has its unit": lambda m, n, r: m.Counter(
        f"{n}_bytes_total", "Help.", unit="bytes", registry=r
    ).inc(2),
    "counter by 0": lambda m, n, r: m.Counter(n, "Help.", registry=r).inc(0),
    "counter by float": lambda m, n, r: [
        counter.inc(amount)
        for counter in [m.Counter(n, "Help.", registry=r)]
        for amount in (0.5, 1.0, 3, 0.25)
    ],
    "counter by bool": lambda m, n, r: m.Counter(n, "Help.", registry=r).inc(True),
    "counter by a great number": lambda m, n, r: m.Counter(n, "Help.", registry=r).inc(2**70),
    "counter with an exemplar": lambda m, n, r: m.Counter(n, "Help.", registry=r).inc(
        exemplar={"trace_id": "x"}
    ),
    "counter by position": lambda m, n, r: [
        m.Counter(n, "Help.", ["a", "b"], registry=r).labels("x", 1).inc(),
    ],
    "counter by keyword": lambda m, n, r: [
        m.Counter(n, "Help.", ["a", "b"], registry=r).labels(b=None, a=2.5).inc(),
    ],
    "label values that are equal but not the same text": lambda m, n, r: [
        child.inc()
        for metric in [m.Gauge(n, "Help.", ["a"], registry=r)]
        for child in (metric.labels(1), metric.labels(True), metric.labels(1.0), metric.labels("1"))
    ],
    "label values of any text": lambda m, n, r: [
        metric.labels(text).inc()
        for metric in [m.Gauge(n, "Help.", ["a"], registry=r)]
        for text in ("", " ", 'q"', "b\\n", "l\nf", "ümlaut", "\U0001f4ca", "e\u0301", "\u00e9")
    ],
    "labels made but not used": lambda m, n, r: m.Counter(n, "H", ["a"], registry=r).labels("x"),
    "label names as one string": lambda m, n, r: (
        m.Gauge(n, "H", "ab", registry=r).labels(1, 2).inc()
    ),
    "gauge": lambda m, n, r: [
        gauge.inc() or gauge.inc(2.5) or gauge.dec() or gauge.dec(0.25)
        for gauge in [m.Gauge(n, "Help.", registry=r)]
    ],
    "gauge by keyword": lambda m, n, r: [
        gauge.inc(amount=2) or gauge.dec(amount=0.5) or gauge.inc(**{})
        for gauge in [m.Gauge(n, "Help.", registry=r)]
    ],
    "gauge set by keyword": lambda m, n, r: m.Gauge(n, "Help.", registry=r).set(value=2),
    "counter by keyword amount": lambda m, n, r: m.Counter(n, "Help.", registry=r).inc(amount=2),
    "summary by keyword": lambda m, n, r: m.Summary(n, "Help.", registry=r).observe(amount=2),
    "histogram by keyword": lambda m, n, r: m.Histogram(n, "Help.", registry=r).observe(amount=2),
    "fractions are numbers": lambda m, n, r: [
        m.Gauge(f"{n}_g", "Help.", registry=r).inc(Fraction(1, 2)),
        m.Gauge(f"{n}_d", "Help.", registry=r).dec(Fraction(1, 2)),
        m.Summary(f"{n}_s", "Help.", registry=r).observe(Fraction(1, 2)),
        m.Histogram(f"{n}_h", "Help.", registry=r).observe(Fraction(1, 2)),
        m.Histogram(f"{n}_e", "H", registry=r).observe(Fraction(1, 2), exemplar={"a": "b"}),
    ],
    "no names of labels": lambda m, n, r: (
        m.Counter(n, "Help.", ["a"], registry=r).labels("x", **{}).inc(**{})
    ),
    "gauge set": lambda m, n, r: [
        gauge.set(value)
        for gauge in [m.Gauge(n, "Help.", registry=r)]
        for value in (1, -2.5, math.inf, "3", True)
    ],
    "gauge mostrecent": lambda m, n, r: m.Gauge(
        n, "Help.", registry=r, multiprocess_mode="mostrecent"
    ).set(4),
    "remove": lambda m, n, r: [
        metric.labels(1, "x").inc()
        or metric.labels(2, "x").inc()
        or metric.remove(1, "x")
        or metric.remove("none", "x")
        for metric in [m.Counter(n, "Help.", ["a", "b"], registry=r)]
    ],
    "removed, then used": lambda m, n, r: [
        metric.labels("x").inc(3) or metric.remove("x") or metric.labels("x").inc()
        for metric in [m.Counter(n, "Help.", ["a"], registry=r)]
    ],
    "removed, then asked for": lambda m, n, r: [
        metric.labels("x").observe(3) or metric.remove("x") or metric.labels("x")
        for metric in [m.Histogram(n, "Help.", ["a"], registry=r)]
    ],
    "clear": lambda m, n, r: [
        metric.labels("x").set(3)
        or metric.labels("y").set(4)
        or metric.clear()
        or metric.labels("y").inc()
        for metric in [m.Gauge(n, "Help.", ["a"], registry=r)]
    ],
    "clear without labels": lambda m, n, r: [
        metric.inc(3) or metric.clear() for metric in [m.Counter(n, "Help.", registry=r)]
    ],
    "histogram": lambda m, n, r: [
        histogram.observe(value)
        for histogram in [m.Histogram(n, "Help.", registry=r)]
        for value in (0, 0.005, 0.0051, 1, 10.0, 11, math.inf)
    ],
    "histogram declared only": lambda m, n, r: m.Histogram(n, "Help.", registry=r),
    "histogram with buckets": lambda m, n, r: [
        m.Histogram(n, "Help.", ["a"], buckets=(1, "2.5", 4), registry=r).labels("x").observe(2),
    ],
    "histogram with +Inf": lambda m, n, r: m.Histogram(
        n, "Help.", buckets=[1, math.inf], registry=r
    ).observe(2, exemplar={"trace_id": "x"}),
    "summary": lambda m, n, r: [
        summary.observe(value)
        for summary in [m.Summary(n, "Help.", registry=r)]
        for value in (1, -2, 0.5)
    ],
    "info": lambda m, n, r: [
        info.info({"a": "1", "b": "x"}) or info.info({"b": "", "c": "\U0001f4ca"})
        for info in [m.Info(n, "Help.", registry=r)]
    ],
    "info declared only": lambda m, n, r: m.Info(n, "Help.", registry=r),
    "info with labels": lambda m, n, r: [
        info.labels("x").info({"b": "1"}) or info.labels("y")
        for info in [m.Info(n, "Help.", ["a"], registry=r)]
    ],
    "info that says nothing any more": lambda m, n, r: [
        info.info({"a": "1"}) or info.info({}) for info in [m.Info(n, "Help.", registry=r)]
    ],
    "enum": lambda m, n, r: [
        enum.state("c") or enum.state("b")
        for enum in [m.Enum(n, "Help.", states=["a", "b", "c"], registry=r)]
    ],
    "enum declared only": lambda m, n, r: m.Enum(n, "Help.", states=("a", "b"), registry=r),
    "enum with labels": lambda m, n, r: [
        enum.labels("x").state("b") or enum.labels("y")
        for enum in [m.Enum(n, "Help.", ["k"], states=["a", "b"], registry=r)]
    ],
}


@pytest.mark.parametrize("program", VALUES.values(), ids=VALUES.keys())
def test_values(program: Program, name: str) -> None:
    model = prometheus_client.CollectorRegistry()
    program(prometheus_client, name, model)
    registry = tallyboard.CollectorRegistry()
    program(tallyboard, name, registry)
    assert ours(name) == theirs(registry) == theirs(model) != {}


EXCEPTIONS: dict[str, Program] = {
    "no name": lambda m, n, r: m.Counter("", "Help."),
    "nothing left of the name": lambda m, n, r: m.Counter("_total", "Help."),
    "a name that is not Unicode": lambda m, n, r: m.Counter("a\udc80", "Help."),
    "reserved label": lambda m, n, r: m.Counter(n, "Help.", ["__a"]),
    "le": lambda m, n, r: m.Histogram(n, "Help.", ["le"]),
    "quantile": lambda m, n, r: m.Summary(n, "Help.", ["quantile"]),
    "le on a counter is allowed": lambda m, n, r: m.Counter(n, "Help.", ["le"], registry=None),
    "label that is not Unicode": lambda m, n, r: m.Counter(n, "Help.", ["a\udc80"]),
    "negative": lambda m, n, r: m.Counter(n, "Help.", registry=None).inc(-1),
    "negative infinity": lambda m, n, r: m.Counter(n, "Help.", registry=None).inc(-math.inf),
    "text": lambda m, n, r: m.Counter(n, "Help.", registry=None).inc("1"),
    "nothing": lambda m, n, r: m.Counter(n, "Help.", registry=None).inc(None),
    "exemplar label": lambda m, n, r: m.Counter(n, "H", registry=None).inc(1, {"__a": "b"}),
    "exemplar length": lambda m, n, r: m.Counter(n, "H", registry=None).inc(2, {"a": "b" * 128}),
    "histogram exemplar": lambda m, n, r: m.Histogram(n, "H", registry=None).observe(1, {"__": ""}),
    "counter without values": lambda m, n, r: m.Counter(n, "Help.", ["a"]).inc(),
    "counter without values, by 2": lambda m, n, r: m.Counter(n, "Help.", ["a"]).inc(2),
    "count_exceptions without values": lambda m, n, r: m.Counter(n, "H", ["a"]).count_exceptions(),
    "gauge without values": lambda m, n, r: m.Gauge(n, "Help.", ["a"]).set(1),
    "gauge inc without values": lambda m, n, r: m.Gauge(n, "Help.", ["a"]).inc(),
    "gauge dec without values": lambda m, n, r: m.Gauge(n, "Help.", ["a"]).dec(),
    "gauge now without values": lambda m, n, r: m.Gauge(n, "H", ["a"]).set_to_current_time(),
    "track_inprogress without values": lambda m, n, r: m.Gauge(n, "H", ["a"]).track_inprogress(),
    "gauge time without values": lambda m, n, r: m.Gauge(n, "H", ["a"]).time(),
    "histogram without values": lambda m, n, r: m.Histogram(n, "Help.", ["a"]).observe(1),
    "histogram time without values": lambda m, n, r: m.Histogram(n, "H", ["a"]).time().__enter__(),
    "no states": lambda m, n, r: m.Enum(n, "Help."),
    "no state in the states": lambda m, n, r: m.Enum(n, "Help.", states=[]),
    "enum in its own labels": lambda m, n, r: m.Enum(n, "Help.", [n], states=["a"]),
    "enum with a unit": lambda m, n, r: m.Enum(n, "Help.", unit="seconds", states=["a"]),
    "enum in no state": lambda m, n, r: m.Enum(n, "H", registry=None, states=["a"]).state("b"),
    "enum without values": lambda m, n, r: m.Enum(n, "H", ["a"], states=["x"]).state("x"),
    "info with a unit": lambda m, n, r: m.Info(n, "Help.", unit="seconds"),
    "info overlaps": lambda m, n, r: m.Info(n, "H", ["a"]).labels("x").info({"a": "y"}),
    "info of nothing": lambda m, n, r: m.Info(n, "Help.", registry=None).info({"a": None}),
    "summary without values": lambda m, n, r: m.Summary(n, "Help.", ["a"]).observe(1),
    "gauge text": lambda m, n, r: m.Gauge(n, "Help.", registry=None).set("x"),
    "gauge nothing": lambda m, n, r: m.Gauge(n, "Help.", registry=None).set(None),
    "gauge inc text": lambda m, n, r: m.Gauge(n, "Help.", registry=None).inc("1"),
    "gauge dec text": lambda m, n, r: m.Gauge(n, "Help.", registry=None).dec("1"),
    "histogram text": lambda m, n, r: m.Histogram(n, "Help.", registry=None).observe("1"),
    "summary nothing": lambda m, n, r: m.Summary(n, "Help.", registry=None).observe(None),
    "labels of no labels": lambda m, n, r: m.Counter(n, "Help.", registry=None).labels("x"),
    "labels() of no labels": lambda m, n, r: m.Counter(n, "Help.", registry=None).labels(),
    "keyword of no labels": lambda m, n, r: m.Counter(n, "Help.", registry=None).labels(a="x"),
    "labels twice": lambda m, n, r: m.Counter(n, "H", ["a"]).labels("x").labels("x"),
    "labels twice by keyword": lambda m, n, r: m.Counter(n, "H", ["a"]).labels("x").labels(a="x"),
    "too few": lambda m, n, r: m.Counter(n, "Help.", ["a", "b"]).labels("x"),
    "too many": lambda m, n, r: m.Counter(n, "Help.", ["a", "b"]).labels("x", "y", "z"),
    "none at all": lambda m, n, r: m.Counter(n, "Help.", ["a", "b"]).labels(),
    "other names": lambda m, n, r: m.Counter(n, "Help.", ["a", "b"]).labels(a="x", c="y"),
    "too few names": lambda m, n, r: m.Counter(n, "Help.", ["a", "b"]).labels(a="x"),
    "too many names": lambda m, n, r: m.Counter(n, "Help.", ["a"]).labels(a="x", b="y"),
    "both ways": lambda m, n, r: m.Counter(n, "Help.", ["a", "b"]).labels("x", b="y"),
    "buckets down": lambda m, n, r: m.Histogram(n, "Help.", buckets=[2, 1]),
    "no buckets": lambda m, n, r: m.Histogram(n, "Help.", buckets=[]),
    "only +Inf": lambda m, n, r: m.Histogram(n, "Help.", buckets=[math.inf]),
    "buckets of text": lambda m, n, r: m.Histogram(n, "Help.", buckets=["x"]),
    "mode": lambda m, n, r: m.Gauge(n, "Help.", multiprocess_mode="most"),
    "remove without labels": lambda m, n, r: m.Gauge(n, "Help.", registry=None).remove(),
    "remove values without labels": lambda m, n, r: m.Gauge(n, "H", registry=None).remove("x"),
    "remove too few": lambda m, n, r: m.Counter(n, "Help.", ["a", "b"]).remove("x"),
    "remove too many": lambda m, n, r: m.Counter(n, "Help.", ["a"]).remove("x", "y"),
    "remove what is not there": lambda m, n, r: m.Counter(n, "H", ["a"], registry=r).remove("x"),
    "remove by keyword": lambda m, n, r: m.Counter(n, "H", ["a"], registry=r).remove(a="x"),
    "clear without labels": lambda m, n, r: m.Gauge(n, "Help.", registry=None).clear(),
    "clear nothing": lambda m, n, r: m.Summary(n, "Help.", ["a"], registry=r).clear(),
    "another type": lambda m, n, r: [m.Gauge(n, "H", registry=r), m.Summary(n, "H", registry=r)],
    "other labels": lambda m, n, r: [m.Gauge(n, "H", registry=r), m.Gauge(n, "H", "a", registry=r)],
    "name of a sum": lambda m, n, r: [
        m.Summary(n, "H", registry=r),
        m.Gauge(f"{n}_sum", "H", registry=r),
    ],
    "counter and gauge": lambda m, n, r: [
        m.Counter(n, "H", registry=r),
        m.Gauge(n, "H", registry=r),
    ],
}


def outcome(program: Program, module: Any, name: str) -> type[BaseException] | None:
    registry = prometheus_client.CollectorRegistry()
    try:
        program(module, name, registry)
    except Exception as error:
        # UnicodeEncodeError, DuplicateTimeseries: all are told by catching ValueError.
        return next(t for t in (ValueError, TypeError, RuntimeError) if isinstance(error, t))
    return None


@pytest.mark.parametrize("program", EXCEPTIONS.values(), ids=EXCEPTIONS.keys())
def test_exceptions(program: Program, name: str) -> None:
    theirs = outcome(program, prometheus_client, name)
    assert outcome(program, tallyboard, name) == theirs
