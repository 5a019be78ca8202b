"""Writing to the board what functions and custom collectors say, so that all processes show it.

`Gauge.set_function` and custom collectors are evaluated where their own process's registry is
collected; nobody else can call them. A process that publishes does it at an interval, too, and
writes what they say to the board, where `tallyboard serve` and the registries of other processes
find it.

How what several processes say becomes one number:

* A gauge with functions takes the `live…` form of its mode: 'livemostrecent' where it has none. It
  is then one for all of the family, so what a child without a function was set to is not shown
  any more; declare such a gauge with a `live…` mode.
* A gauge of a custom collector, and what has no type, is summed over the processes that live;
  `modes` names another mode. `python_info` and the like, of which a sum means nothing, have one
  below.
* A counter of a custom collector becomes a counter of the board, which grows by what each process's
  has grown by. One that falls has begun again from 0. So it is the sum over all processes, living
  or dead, and never falls: as long as each process counts something of its own. Where all of
  them tell the same number, as one of the machine, name it None in `modes` and publish it from one
  process.
* Summaries, histograms, infos and state sets of custom collectors are not published.

A process that dies takes its part of the gauges with it, and so does one that does not say a series
any more, which ends with the last that does. (Of 'livemostrecent' and 'liveall' it ends with any of
them, and is back as another process writes again.) What a counter has grown by since the last time
is lost with a process that ends; `now()` of what `publish` returns writes once more. Publish before
the first fork: a child that inherits the publication knows how much of its counters is inherited,
too, and is the parent's.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Callable, Iterable, Iterator, Mapping, NamedTuple, Tuple
from weakref import WeakSet

from . import board, functions, lowlevel
from .counter import Counter
from .definition import Definition
from .functions import Evaluated
from .gauge import Gauge
from .metric import Metric
from .trouble import warn_once
from .withdrawal import withdraw

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family
    from prometheus_client.registry import Collector, CollectorRegistry

    Write = Callable[[Mapping[Collector, Iterable[Family]], Iterable[Evaluated]], None]

_Key = Tuple[Definition, Tuple[str, ...]]
"""A series: what it is, and its label values."""

_LIVE = {"": "livemostrecent"}

# What prometheus_client's own collectors say that no sum makes sense of.
_MODES: Mapping[str, str | None] = {
    "process_max_fds": "livemax",
    "process_start_time_seconds": "livemin",
    "python_info": "livemax",
}

_publications: WeakSet[Publication] = WeakSet()


def publish(
    interval: float = 10.0,
    registry: CollectorRegistry | None = None,
    modes: Mapping[str, str | None] | None = None,
) -> Publication:
    """Writes what functions and custom collectors say to the board, now and every `interval`
    seconds.

    A thread does it, in this process and in those that are forked from it, from their birth on. A
    second call for the same registry takes the place of the first, also of one that was stopped,
    and goes on from what that has written. `registry` is `tallyboard.REGISTRY` where none is given.
    `modes` says by a family's name how the processes' gauges become one; None leaves a family out.
    The text above says what is published as what.

    With the drop-in it may be one of prometheus_client's, as `prometheus_client.REGISTRY`.

    From then on the registry shows what all processes have published, in the place of what this one
    says. CPython 3.12 and newer warn (`DeprecationWarning`) of every fork in a process that has
    threads, and this is one. It holds no lock that a child waits for; of what collectors hold
    nothing is known here.

    Errors: `ValueError` for an interval that is not above 0 and for a mode that is not `live…`.
    What a function or collector raises is warned of once, and the others are published.
    """
    if not 0 < interval < float("inf"):
        raise ValueError(f"The interval is {interval}: it should be seconds, above 0")
    chosen = {**_MODES, **(modes or {})}
    for name, mode in chosen.items():
        if mode is not None and not (mode.startswith("live") and mode in lowlevel.AGGREGATIONS):
            raise ValueError(
                f"The mode of {name} is {mode!r}: it should be None or begin with 'live', since "
                "the process that says it may die"
            )
    if registry is None:
        from .default_registry import REGISTRY

        registry = REGISTRY
    before = of(registry)
    if before is None:
        before = _ended(registry)
    else:
        before.stop()
    publication = Publication(interval, registry, chosen, before)
    # What a registry of prometheus_client's own has no attribute for.
    vars(registry)["_publication"] = publication
    publication.start()
    return publication


def of(registry: CollectorRegistry) -> Publication | None:
    """What this process publishes of a registry."""
    publication: Publication | None = getattr(registry, "_publication", None)
    return publication


def _ended(registry: CollectorRegistry) -> Publication | None:
    """What was stopped last of it: the counters of the registry go on from what is written then."""
    ended: Publication | None = getattr(registry, "_ended_publication", None)
    return ended


@contextmanager
def restored() -> Iterator[None]:
    """Within the block no publication has ended yet, as on an empty board none has written; at the
    end those have that had before it."""
    before = [each for each in list(_publications) if _ended(each._registry) is each]
    for each in before:
        del vars(each._registry)["_ended_publication"]
    try:
        yield
    finally:
        for each in list(_publications):
            vars(each._registry).pop("_ended_publication", None)
        for each in before:
            vars(each._registry)["_ended_publication"] = each


class _Said(NamedTuple):
    key: _Key
    value: float
    is_counter: bool


class Publication:
    """What one process publishes of one registry: made by `publish()`."""

    names: frozenset[str]
    """The families that this process has on the board by this, as the board calls them."""
    _gauges: dict[_Key, Gauge]
    _lock: threading.Lock

    def __init__(
        self,
        interval: float,
        registry: CollectorRegistry,
        modes: Mapping[str, str | None],
        before: Publication | None,
    ) -> None:
        self.names = frozenset()
        self._interval = interval
        self._registry = registry
        self._modes = modes
        self._counters: dict[_Key, Counter] = {}
        # What each counter said when it was last written.
        self._last: dict[_Key, float] = {}
        self._stopped = threading.Event()
        self._begin_anew()
        if before is not None:
            # What that one has written is not written again. Its thread may be writing, still.
            self._counters, self._last = before._counters, before._last
            self._gauges, self._lock = before._gauges, before._lock
        _publications.add(self)

    def _begin_anew(self) -> None:
        # Of this process alone: another thread may have held the locks as it was forked.
        self._lock = threading.Lock()
        was_stopped, self._stopped = self._stopped.is_set(), threading.Event()
        if was_stopped:
            self._stopped.set()
        # What the parent says, and a child does not, is not the child's to end.
        self._gauges = {}

    def start(self) -> None:
        """Starts the thread that writes."""
        thread = threading.Thread(target=self._run, args=(self._stopped,), daemon=True)
        thread.name = "tallyboard.publish"
        thread.start()

    def stop(self) -> None:
        """Ends the publication: what is written to the board by then stays as long as this process
        lives."""
        self._stopped.set()
        if of(self._registry) is self:
            vars(self._registry)["_publication"] = None
            vars(self._registry)["_ended_publication"] = self

    def now(self) -> None:
        """Writes once more, without waiting for the time to come. Cost: what all functions and
        collectors cost, after what another thread that writes may still have to do."""
        with self._lock:
            said: dict[Collector, list[Family]] = {}
            gauges: list[Evaluated] = []
            with self._registry._lock:
                collectors = list(self._registry._collector_to_names)
            for each in collectors:
                gauge = _evaluated(each)
                if gauge is not None:
                    gauges.append(gauge)
                    continue
                try:
                    said[each] = list(each.collect())
                except Exception as error:
                    warn_once(("publish", type(each)), f"{each!r} is not published: {error!r}")
            self._write(said, gauges)

    @contextmanager
    def writing(self) -> Iterator[Write]:
        """Within the block, writes what the block itself has collected of the whole registry; where
        another thread writes, nothing, without waiting for it.

        What is collected outside of it might be older than what has been written since, and a
        counter would seem to have fallen.
        """
        # Another one is there when a collector has forked.
        lock = self._lock
        if not lock.acquire(blocking=False):
            yield lambda said, gauges: None
            return
        try:
            yield self._write
        finally:
            lock.release()

    def _write(
        self, by_collector: Mapping[Collector, Iterable[Family]], gauges: Iterable[Evaluated]
    ) -> None:
        if board.opened() is None:
            self.names = frozenset()
            return
        said = list(self._of_functions(gauges))
        for collector, families in by_collector.items():
            if not _is_of_all_processes(collector):
                said.extend(self._of_families(families))
        for each in said:
            if each.is_counter:
                self._grow(each)
            else:
                self._set(each)
        self._end_gauges_but({each.key for each in said})
        self.names = frozenset(each.key[0].name for each in said)

    def _run(self, stopped: threading.Event) -> None:
        while True:
            try:
                self.now()
            except Exception as error:
                # Such as a sample whose value is no number: one that is mended later is published.
                warn_once(("publish", self._registry), f"nothing is published: {error!r}")
            if stopped.wait(self._interval):
                return

    def _set(self, said: _Said) -> None:
        gauge = self._gauges.get(said.key)
        if gauge is None:
            gauge = self._gauges[said.key] = Gauge._make(*said.key)
        gauge.set(said.value)

    def _grow(self, said: _Said) -> None:
        counter = self._counters.get(said.key)
        if counter is None:
            counter = self._counters[said.key] = Counter._make(*said.key)
        if not isfinite(said.value):
            # After it, all that was counted before would seem to have grown.
            name = said.key[0].name
            warn_once(("amount", name), f"{name} is said to be {said.value}, which is not counted")
            return
        last = self._last.get(said.key, 0.0)
        # Noted first: a child that is forked in between must not count it again.
        self._last[said.key] = said.value
        growth = said.value - last if said.value >= last else said.value
        if growth > 0:
            counter.inc(int(growth) if growth.is_integer() else growth)

    def _end_gauges_but(self, said: set[_Key]) -> None:
        ended = [key for key in self._gauges if key not in said]
        if ended:
            withdraw([self._gauges.pop(key) for key in ended])

    def _of_functions(self, gauges: Iterable[Evaluated]) -> Iterator[_Said]:
        for definition, found, children in gauges:
            if not found:
                continue
            if not definition.mode.startswith("live"):
                mode = _LIVE.get(definition.mode, "live" + definition.mode)
                if len(found) < children:
                    message = (
                        f"{definition.name} has children with and without a function, and only "
                        f"those with one are shown: declare it with multiprocess_mode={mode!r}"
                    )
                    warn_once(("publish", definition.name), message)
                definition = definition._replace(mode=mode)
            for labelvalues, function in found.items():
                try:
                    value = float(function())
                except Exception as error:
                    message = f"{definition.name}{labelvalues} is not published: {error!r}"
                    warn_once(("publish", definition.name, labelvalues), message)
                    continue
                yield _Said((definition, labelvalues), value, is_counter=False)

    def _of_families(self, families: Iterable[Family]) -> Iterator[_Said]:
        for family in families:
            is_counter = family.type == "counter"
            mode = self._modes.get(family.name, "livesum")
            if mode is None or family.type not in ("counter", "gauge", "unknown"):
                continue
            name = family.name + "_total" * is_counter
            definition: Definition | None = None
            for sample in family.samples:
                if sample.name != name:
                    continue
                labelnames = tuple(sorted(sample.labels))
                if definition is None:
                    definition = Definition(
                        name,
                        family.documentation,
                        labelnames,
                        family.unit,
                        mode="" if is_counter else mode,
                    )
                if labelnames != definition.labelnames:
                    message = (
                        f"{name}{sample.labels} is not published: a family has the same labels in "
                        f"all its series, and another one of it has {definition.labelnames}"
                    )
                    warn_once(("publish", name), message)
                    continue
                values = tuple(str(sample.labels[each]) for each in labelnames)
                yield _Said((definition, values), float(sample.value), is_counter)


def _evaluated(collector: Collector) -> Evaluated | None:
    """The functions of what counts on the board by itself; None for a custom collector."""
    if isinstance(collector, Metric):
        return functions.evaluated(collector)
    # There, once the drop-in is installed.
    drop_in = sys.modules.get("tallyboard.drop_in.registries")
    found: Evaluated | None = None if drop_in is None else drop_in.evaluated(collector)
    return found


def _is_of_all_processes(collector: Collector) -> bool:
    """Whether what it shows is what all processes have counted already: each would count it once
    more."""
    modules = ("tallyboard.collector", "prometheus_client.multiprocess")
    names = ("BoardCollector", "MultiProcessCollector")
    return any(
        each.__module__ in modules and each.__name__ in names for each in type(collector).__mro__
    )


def _publish_in_child() -> None:
    for publication in list(_publications):
        # Also one that has ended: another may go on from it.
        publication._begin_anew()
        if not publication._stopped.is_set():
            publication.start()


if hasattr(os, "register_at_fork"):  # which Windows has not
    os.register_at_fork(after_in_child=_publish_in_child)
