from __future__ import annotations

from types import ModuleType
from typing import Any, Callable, Sequence

import pytest

from .reading import shown


def test_by_position_and_by_keyword_are_one(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", ["a", "b"], registry=registry)
    counter.labels("x", "y").inc()
    counter.labels(b="y", a="x").inc()
    assert shown(registry) == {f'{name}_total{{a="x",b="y"}}': 2}


def test_the_same_values_give_the_same_child(client: ModuleType, name: str) -> None:
    gauge = client.Gauge(name, "Help.", ["a"], registry=None)
    assert gauge.labels("x") is gauge.labels(a="x")
    assert gauge.labels("x") is not gauge.labels("y")


def test_a_child_may_be_kept(client: ModuleType, name: str, registry: Any) -> None:
    child = client.Counter(name, "Help.", ["a"], registry=registry).labels("x")
    for _ in range(3):
        child.inc()
    assert shown(registry) == {f'{name}_total{{a="x"}}': 3}


def test_a_child_is_shown_from_the_moment_it_is_made(
    client: ModuleType, name: str, registry: Any
) -> None:
    counter = client.Counter(name, "Help.", ["a"], registry=registry)
    assert shown(registry) == {}
    counter.labels("x")
    assert shown(registry) == {f'{name}_total{{a="x"}}': 0}


def test_values_become_text(client: ModuleType, name: str, registry: Any) -> None:
    gauge = client.Gauge(name, "Help.", ["a"], registry=registry)
    for value in (1, True, 1.0, None, b"x", ""):
        gauge.labels(value).set(1)
    texts = ["1", "True", "1.0", "None", "b'x'", ""]
    assert shown(registry) == {f'{name}{{a="{text}"}}': 1 for text in texts}
    gauge.labels("1").set(2)
    assert shown(registry)[f'{name}{{a="1"}}'] == 2


@pytest.mark.parametrize("text", ['q"', "b\\n", "l\nf", "ümlaut", "\U0001f4ca", " ", "e\u0301"])
def test_any_text(client: ModuleType, name: str, registry: Any, text: str) -> None:
    client.Gauge(name, "Help.", ["a"], registry=registry).labels(text).set(1)
    assert shown(registry) == {f'{name}{{a="{text}"}}': 1}


@pytest.mark.parametrize("labelnames", [["a", "b"], ("a", "b"), "ab", iter("ab"), {"a": 1, "b": 2}])
def test_forms_of_names(client: ModuleType, name: str, registry: Any, labelnames: Any) -> None:
    client.Counter(f"{name}_{id(labelnames)}", "Help.", labelnames, registry=registry).labels(
        a=1, b=2
    )
    (series,) = shown(registry)
    assert series.endswith('{a="1",b="2"}')


WRONG: dict[str, Callable[[Any], object]] = {
    "too few": lambda metric: metric.labels("x"),
    "too many": lambda metric: metric.labels("x", "y", "z"),
    "none": lambda metric: metric.labels(),
    "another name": lambda metric: metric.labels(a="x", c="y"),
    "a name is missing": lambda metric: metric.labels(a="x"),
    "a name too many": lambda metric: metric.labels(a="x", b="y", c="z"),
    "both ways": lambda metric: metric.labels("x", b="y"),
    "twice": lambda metric: metric.labels("x", "y").labels("x", "y"),
    "remove too few": lambda metric: metric.remove("x"),
    "remove too many": lambda metric: metric.remove("x", "y", "z"),
    "remove by another name": lambda metric: metric.remove_by_labels({"c": "x"}),
}


@pytest.mark.parametrize("use", WRONG.values(), ids=WRONG.keys())
def test_wrong_use(
    client: ModuleType, name: str, registry: Any, use: Callable[[Any], object]
) -> None:
    metric = client.Counter(name, "Help.", ["a", "b"], registry=registry)
    with pytest.raises(ValueError, match=r"[Ll]abel|args"):
        use(metric)


@pytest.mark.parametrize(
    "use",
    [
        lambda metric: metric.labels("x"),
        lambda metric: metric.labels(),
        lambda metric: metric.labels(a="x"),
        lambda metric: metric.remove(),
        lambda metric: metric.remove("x"),
        lambda metric: metric.remove_by_labels({"a": "x"}),
        lambda metric: metric.remove_by_labels({}),
    ],
)
def test_metric_without_labels(client: ModuleType, name: str, use: Callable[[Any], object]) -> None:
    with pytest.raises(ValueError, match=r"[Ll]abel"):
        use(client.Gauge(name, "Help.", registry=None))


@pytest.mark.parametrize("label", ["__a", "__name__", "a\udc80"])
def test_wrong_names(client: ModuleType, name: str, label: str) -> None:
    with pytest.raises(ValueError):
        client.Counter(name, "Help.", [label], registry=None)


KINDS: dict[str, Callable[[Any, str, Any], Any]] = {
    "Counter": lambda m, n, r: m.Counter(n, "Help.", ["a", "b"], registry=r),
    "Gauge": lambda m, n, r: m.Gauge(n, "Help.", ["a", "b"], registry=r),
    "Summary": lambda m, n, r: m.Summary(n, "Help.", ["a", "b"], registry=r),
    "Histogram": lambda m, n, r: m.Histogram(n, "Help.", ["a", "b"], buckets=[1], registry=r),
    "Info": lambda m, n, r: m.Info(n, "Help.", ["a", "b"], registry=r),
    "Enum": lambda m, n, r: m.Enum(n, "Help.", ["a", "b"], states=["s"], registry=r),
}
PAIRS = [("x", "1"), ("x", "2"), ("y", "1")]


def pairs_of(registry: Any) -> set[tuple[str, str]]:
    return {
        (sample.labels["a"], sample.labels["b"])
        for metric in registry.collect()
        for sample in metric.samples
    }


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize(
    ("remove", "left"),
    [
        (lambda metric: metric.remove("x", "1"), [("x", "2"), ("y", "1")]),
        (lambda metric: metric.remove("x", 1), [("x", "2"), ("y", "1")]),
        (lambda metric: metric.remove("z", "1"), PAIRS),
        (lambda metric: metric.remove_by_labels({"a": "x"}), [("y", "1")]),
        (lambda metric: metric.remove_by_labels({"b": 1}), [("x", "2")]),
        (lambda metric: metric.remove_by_labels({"b": "2", "a": "x"}), [("x", "1"), ("y", "1")]),
        (lambda metric: metric.remove_by_labels({"a": "z"}), PAIRS),
        (lambda metric: metric.remove_by_labels({}), PAIRS),
        (lambda metric: metric.clear(), []),
    ],
    ids=["one", "as text", "unknown", "by a", "by b", "by both", "by unknown", "by none", "clear"],
)
def test_removal(
    client: ModuleType,
    name: str,
    registry: Any,
    make: Callable[[Any, str, Any], Any],
    remove: Callable[[Any], None],
    left: Sequence[tuple[str, str]],
) -> None:
    metric = make(client, name, registry)
    for pair in PAIRS:
        metric.labels(*pair)
    remove(metric)
    assert pairs_of(registry) == set(left)


def test_removed_series_starts_again_at_zero(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", ["a"], registry=registry)
    counter.labels("x").inc(5)
    counter.labels("y").inc(7)
    counter.remove("x")
    assert shown(registry) == {f'{name}_total{{a="y"}}': 7}
    counter.labels("x").inc()
    assert shown(registry) == {f'{name}_total{{a="x"}}': 1, f'{name}_total{{a="y"}}': 7}
    counter.clear()
    assert shown(registry) == {}
    counter.labels("y").inc(2)
    assert shown(registry) == {f'{name}_total{{a="y"}}': 2}


def test_clear_without_labels_changes_nothing(client: ModuleType, name: str, registry: Any) -> None:
    counter = client.Counter(name, "Help.", registry=registry)
    counter.inc(2)
    counter.clear()
    assert shown(registry) == {f"{name}_total": 2}


@pytest.mark.parametrize("labels", [None, [("a", "x")], "a"])
def test_remove_by_what_is_no_dict(client: ModuleType, name: str, labels: object) -> None:
    with pytest.raises(TypeError, match="dict"):
        client.Gauge(name, "Help.", ["a"], registry=None).remove_by_labels(labels)
