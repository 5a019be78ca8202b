"""Registries: which families a scrape of this process shows.

They are prometheus_client's, and its functions take them. What is ours: all metrics of a registry
are read in one pass over the board, and with what all processes have counted in them; and a
child that is forked while another thread collects is not stopped by that thread's lock.

A registry shows what was declared with it in this process. The board has one family of a name, so
a name that was declared with two registries is the same series in both. The default registry
(`default_registry.py`) shows everything else on the board, too, as long as nobody here has
declared it with another one.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Collection, Iterable, Iterator
from weakref import WeakSet

import prometheus_client.registry as theirs
from prometheus_client.metrics_core import Metric as Family

from . import collector as board
from . import declared, functions
from .metric import Metric

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

    from .publication import Publication

_registries: WeakSet[CollectorRegistry] = WeakSet()


class CollectorRegistry(theirs.CollectorRegistry):
    """Some families of the board, and custom collectors. Parameters as prometheus_client's.

    Metrics are shown with what all processes have counted in them, custom collectors and
    `Gauge.set_function` with what they say in this process, or, where it publishes this registry,
    with what all processes that do have published.
    """

    _shows_everything = False

    def __init__(
        self,
        auto_describe: bool = False,
        target_info: dict[str, str] | None = None,
        support_collectors_without_names: bool = False,
    ) -> None:
        super().__init__(auto_describe, target_info)
        # Which prometheus_client has had a parameter for since 0.22.
        self._support_collectors_without_names = support_collectors_without_names
        self._collectors_without_names: list[Collector] = []
        self._publication: Publication | None = None
        _registries.add(self)

    def unregister(self, collector: Collector) -> None:
        """Takes a collector out of the registry. The series of a metric stay on the board.

        Errors: `KeyError` for what is not in it.
        """
        if isinstance(collector, Metric):
            # Of two that mean the same series, the first is registered for both.
            collector = declared.registered(self, collector) or collector
            super().unregister(collector)
            declared.forget(self, collector)
        else:
            super().unregister(collector)

    def collect(self) -> Iterable[Family]:
        """The families, in the order in which they were registered, and then those that only the
        board has.

        Cost: a pass over the board, some microseconds for each of its series that is shown, and
        what the collectors and functions of this process cost.

        Errors: what a collector or a function raises, and `lowlevel.BoardError` for a damaged
        board.
        """
        yield from self._families(None)

    def restricted_registry(self, names: Iterable[str]) -> theirs.RestrictedRegistry:
        """What has only the samples of these names, for `generate_latest`. Collectors that have
        none of the names are not asked."""
        return _Restricted(names, self)

    def _families(self, names: frozenset[str] | None) -> Iterator[Family]:
        with self._lock:
            target: Family | None = None
            if self._target_info:
                target = self._target_info_metric()  # type: ignore[no-untyped-call]
            collectors = self._collectors_of(names)
        if target is not None and (names is None or "target_info" in names):
            yield target
        metrics = [each for each in collectors if isinstance(each, Metric)]
        custom = [each for each in collectors if not isinstance(each, Metric)]
        # Some of the families would be taken for all that there are.
        said = _ask(custom) if names is not None else self._ask_and_publish(custom, metrics)
        published = frozenset() if self._publication is None else self._publication.names
        held = self._held(metrics, published)
        shown: set[str] = set()
        for each in collectors:
            if isinstance(each, Metric):
                families = [self._of_metric(each, held, published)]
            else:
                families = [_of_all(family, held, published) for family in said[each]]
            shown.update(family.name for family in families)
            yield from families
        for name, family in held.items():
            if self._shows_everything and family.name not in shown and not declared.is_known(name):
                yield family

    def _collectors_of(self, names: frozenset[str] | None) -> list[Collector]:
        if names is None:
            return list(self._collector_to_names)
        named = (self._names_to_collectors.get(name) for name in names)
        found = [each for each in named if each is not None]
        return list(dict.fromkeys([*found, *self._collectors_without_names]))

    def _ask_and_publish(
        self, custom: list[Collector], metrics: list[Metric]
    ) -> dict[Collector, list[Family]]:
        if self._publication is None:
            return _ask(custom)
        with self._publication.writing() as write:
            said = _ask(custom)
            write(said, map(functions.evaluated, metrics))
        return said

    def _held(self, metrics: list[Metric], published: Collection[str]) -> dict[str, Family]:
        if self._shows_everything:
            return board.read()
        return board.read({each._definition.name for each in metrics}.union(published))

    @staticmethod
    def _of_metric(metric: Metric, held: dict[str, Family], published: Collection[str]) -> Family:
        name = metric._definition.name
        family = held.pop(name, None) or board.empty(metric)
        return family if name in published else board.evaluated(name, family)


def _ask(custom: list[Collector]) -> dict[Collector, list[Family]]:
    return {each: list(each.collect()) for each in custom}


def _of_all(family: Family, held: dict[str, Family], published: Collection[str]) -> Family:
    """What all processes have published in the place of what this one says, where it publishes."""
    name = board.board_name(family)
    return held.pop(name, family) if name in published else family


class _Restricted(theirs.RestrictedRegistry):
    def __init__(self, names: Iterable[str], registry: CollectorRegistry) -> None:
        super().__init__(names, registry)
        self._names = frozenset(self._name_set)
        self._of = registry

    def collect(self) -> Iterable[Family]:
        for family in self._of._families(self._names):
            restricted = family._restricted_metric(self._names)
            if restricted is not None:
                yield restricted


def _renew_locks() -> None:
    for registry in list(_registries):
        registry._lock = Lock()


if hasattr(os, "register_at_fork"):  # which Windows has not
    os.register_at_fork(after_in_child=_renew_locks)
