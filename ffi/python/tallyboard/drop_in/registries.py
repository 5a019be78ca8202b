"""Registries of prometheus_client that show what the board holds, of all processes.

A registry shows the families that were declared with it, with what every process has counted in
them, and evaluates its other collectors in this process. The default registry also shows what is
on the board and nobody in this process has declared, so that it does not matter which process is
scraped. A `MultiProcessCollector` shows the whole board. A family comes once from a registry: also
where a metric and a `MultiProcessCollector` are in it.

What `set_function` has been given is called when its registry is collected, and set on the board,
so that others see what it said last.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Callable, Iterable, Iterator

from prometheus_client import metrics, multiprocess
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import REGISTRY, CollectorRegistry, RestrictedRegistry

from .. import collector
from ..functions import Evaluated
from ..publication import of as of_registry
from .metrics import declared, on_board
from .replacement import Method, replace


def replace_methods() -> None:
    """Makes every registry, and every metric by itself, show the board."""
    base = metrics.MetricWrapperBase
    of_directory = multiprocess.MultiProcessCollector
    for owner, name, replacement in (
        (base, "collect", _metric_collect),
        (CollectorRegistry, "collect", _registry_collect),
        (RestrictedRegistry, "collect", _restricted_collect),
        (of_directory, "__init__", _multiprocess_init),
        (of_directory, "collect", _multiprocess_collect),
        (multiprocess, "mark_process_dead", _mark_process_dead),
    ):
        replace(owner, name, getattr(owner, name), replacement)
    of_directory.describe = _describe_nothing  # type: ignore[attr-defined]


def _metric_collect(plain: Method) -> Method:
    def collect(self: Any) -> Iterable[Metric]:
        of = on_board(self)
        if of is None:
            # One that another thread is making has no values yet.
            making = "_tallyboard" in self.__dict__
            by_itself: Iterable[Metric] = [self._get_metric()] if making else plain(self)
            return by_itself
        name = of._definition.name
        values = _evaluate(self)
        family = _family(self, values, collector.read({name}).get(name))
        return [collector.own(family, self._labelnames, self._labelvalues)]

    return collect


def _registry_collect(_plain: Method) -> Method:
    def collect(self: Any) -> Iterator[Metric]:
        with self._lock:
            collectors = list(self._collector_to_names)
            target = self._target_info_metric() if self._target_info else None
        if target is not None:
            yield target
        names = {each: of._definition.name for each in collectors if (of := on_board(each))}
        publication = of_registry(self)
        with nullcontext() if publication is None else publication.writing() as write:
            custom = {each: list(each.collect()) for each in collectors if each not in names}
            if write is not None:
                write(custom, [each for each in map(evaluated, names) if each is not None])
        published = frozenset() if publication is None else publication.names
        # What is published is evaluated already.
        values = {each: {} if names[each] in published else _evaluate(each) for each in names}
        if self is REGISTRY:
            families = collector.read()
        else:
            wanted = published.union(names.values())
            families = collector.read(wanted) if wanted else {}
        shown = {each._name for each in names}
        for each in collectors:
            if each in names:
                yield _family(each, values[each], families.get(names[each]))
                continue
            of_all = isinstance(each, multiprocess.MultiProcessCollector)
            for family in custom[each]:
                name = collector.board_name(family)
                if not (of_all and family.name in shown):
                    shown.add(family.name)
                    yield families.get(name, family) if name in published else family
        if self is REGISTRY:
            for name, family in families.items():
                if name not in declared and family.name not in shown:
                    yield family

    return collect


def _restricted_collect(plain: Method) -> Method:
    def collect(self: Any) -> Iterator[Metric]:
        yield from plain(self)
        if self._registry is not REGISTRY:
            return
        for name, family in collector.read().items():
            found = family._restricted_metric(self._name_set)
            known = {name, family.name} & REGISTRY._names_to_collectors.keys()
            if found and not known and name not in declared:
                yield found

    return collect


def evaluated(metric: Any) -> Evaluated | None:
    """The functions of a metric that counts on the board; None for what does not."""
    of: Any = on_board(metric)
    if of is None:
        return None
    children = _children(metric) if isinstance(metric, metrics.Gauge) else []
    functions = {
        child._labelvalues: _function_of(child)
        for child in children
        if "_child_samples" in child.__dict__
    }
    return Evaluated(of._definition, functions, len(children))


def _function_of(child: Any) -> Callable[[], float]:
    def function() -> float:
        (sample,) = child._child_samples()
        return float(sample.value)

    return function


def _children(gauge: Any) -> list[Any]:
    return list(gauge._metrics.values()) if gauge._is_parent() else [gauge]


def _evaluate(metric: Any) -> dict[tuple[str, ...], float]:
    """Calls what `set_function` was given and sets it on the board; its values, by label values."""
    if not isinstance(metric, metrics.Gauge):
        return {}
    values = {}
    for child in _children(metric):
        # `set_function` puts a method of that name on the object.
        function = child.__dict__.get("_child_samples")
        gauge: Any = on_board(child)
        if function is not None and gauge is not None:
            (sample,) = function()
            gauge.set(sample.value)
            values[child._labelvalues] = sample.value
    return values


def _family(metric: Any, values: dict[tuple[str, ...], float], family: Metric | None) -> Metric:
    if family is None:
        # Nothing has been counted in it yet, or the board has refused it.
        family = metric._get_metric()
    of: Any = on_board(metric)
    if values and not of._definition.mode:
        # All processes share the number, and another may have set it since.
        own = [dict(zip(metric._labelnames, labelvalues)) for labelvalues in values]
        family.samples = [each for each in family.samples if each.labels not in own]
        for labels, value in zip(own, values.values()):
            family.add_sample(metric._name, labels, value)
    return family


def _multiprocess_init(_plain: Method) -> Method:
    def __init__(self: Any, registry: CollectorRegistry | None, path: str | None = None) -> None:
        # There need not be a directory.
        self._path = path
        if registry:
            registry.register(self)

    return __init__


def _multiprocess_collect(_plain: Method) -> Method:
    def collect(self: Any) -> Iterable[Metric]:
        return collector.read().values()

    return collect


def _describe_nothing(self: object) -> Iterable[Metric]:
    # The default registry would collect it to learn its names, and find those of its metrics.
    return []


def _mark_process_dead(_plain: Method) -> Method:
    def mark_process_dead(pid: int, path: str | None = None) -> None:
        # The board knows without being told.
        pass

    return mark_process_dead
