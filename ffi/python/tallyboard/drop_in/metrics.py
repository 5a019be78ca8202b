"""Metrics of prometheus_client that count on the board.

Each has a metric of tallyboard's in `_tallyboard`: one with label names and no values a family,
everything else a series. What a program calls in a loop (`inc`, `dec`, `set`, `observe`, `labels`)
is that metric's own method, put on the object, so that there is no Python frame between the call
and the cell. The class's methods are replaced, too, for subclasses that call them by `super()`;
an object whose class overrides a method keeps that one.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from typing import Any, Callable, Sequence

from prometheus_client import metrics
from prometheus_client.metrics import MetricWrapperBase

from .. import counter, enum, gauge, histogram, info, summary
from ..definition import Definition, bucket_bounds, state_names
from ..metric import Metric
from ..trouble import warn_once
from .labels import Labels
from .replacement import Method, replace
from .tally import Tally
from .values import (
    CounterValue,
    GaugeValue,
    HistogramBucket,
    HistogramSum,
    SummaryCount,
    SummarySum,
    restart,
)

_KINDS: dict[type[Any], type[Metric]] = {
    metrics.Counter: counter.Counter,
    metrics.Gauge: gauge.Gauge,
    metrics.Summary: summary.Summary,
    metrics.Histogram: histogram.Histogram,
    metrics.Info: info.Info,
    metrics.Enum: enum.Enum,
}

_UPDATES: dict[type[Any], Sequence[str]] = {
    metrics.Counter: ("inc",),
    metrics.Gauge: ("inc", "dec", "set"),
    metrics.Summary: ("observe",),
    metrics.Histogram: ("observe",),
}

declared: set[str] = set()
"""The names on the board of what this process has declared through prometheus_client."""

_tallied = False


def replace_methods(tallied: bool) -> None:
    """Makes every metric of prometheus_client that is made from now on count on the board.

    `tallied`: with tallies, for `get` to say what this process has counted.
    """
    global _tallied
    _tallied = tallied
    base = MetricWrapperBase
    for owner, name, replacement in (
        (base, "__init__", _base_init),
        (base, "remove", _remove),
        (base, "remove_by_labels", _remove_by_labels),
        (base, "clear", _clear),
        (metrics.Counter, "_metric_init", _metric_init),
        (metrics.Counter, "inc", _counter_inc),
        (metrics.Gauge, "__init__", _gauge_init),
        (metrics.Gauge, "_metric_init", _metric_init),
        (metrics.Summary, "_metric_init", _metric_init),
        (metrics.Summary, "observe", _summary_observe),
        (metrics.Histogram, "_metric_init", _metric_init),
        (metrics.Histogram, "observe", _histogram_observe),
        (metrics.Info, "info", _info_info),
        (metrics.Enum, "__init__", _enum_init),
        (metrics.Enum, "state", _enum_state),
    ):
        # An older prometheus_client does not have them all.
        plain = owner.__dict__.get(name)
        if plain is not None:
            replace(owner, name, plain, replacement)


def on_board(metric: object) -> Any:
    """The tallyboard metric that a prometheus_client one counts in; None of another collector."""
    return getattr(metric, "__dict__", {}).get("_tallyboard")


def attach(metric: Any) -> None:
    """Gives a metric its counterpart on the board; a kind that a program has added has none."""
    theirs = next((each for each in _KINDS if isinstance(metric, each)), None)
    if theirs is None:
        return
    made = _KINDS[theirs]._make(_definition(metric), metric._labelvalues)
    metric._tallyboard = made
    declared.add(made._definition.name)
    if metric._is_parent():
        _inline(metric, ("labels",), Labels(metric), MetricWrapperBase)
    elif not _tallied and not _refuses_inc(metric):
        _inline(metric, _UPDATES.get(theirs, ()), made, theirs)


def _refuses_inc(metric: Any) -> bool:
    # Its `_is_most_recent` comes later.
    return getattr(metric, "_multiprocess_mode", "") in metrics.Gauge._MOST_RECENT_MODES


def _inline(metric: Any, names: Sequence[str], source: object, owner: type[Any]) -> None:
    for name in names:
        if getattr(type(metric), name) is getattr(owner, name):
            setattr(metric, name, getattr(source, name))


def _definition(metric: Any) -> Definition:
    name = metric._name
    bounds: tuple[float, ...] = ()
    states: tuple[str, ...] = ()
    mode = ""
    if isinstance(metric, metrics.Counter):
        name += "_total"
    elif isinstance(metric, metrics.Gauge):
        mode = _mode(metric)
    elif isinstance(metric, metrics.Histogram):
        bounds = bucket_bounds(metric._upper_bounds)
    elif isinstance(metric, metrics.Enum):
        states = _states(metric)
    labels = tuple(metric._labelnames)
    return Definition(
        name, metric._documentation, labels, metric._unit, bounds, mode, states=states
    )


def _mode(metric: Any) -> str:
    mode: str = metric._multiprocess_mode
    if not metric.__dict__.get("_tallyboard_has_mode", mode != "all"):
        mode = "all" if in_multiprocess_mode() else ""
    if mode in ("all", "liveall") and "pid" in metric._labelnames:
        # The label that these modes would add is there.
        return ""
    return "" if mode == "mostrecent" else mode


def in_multiprocess_mode() -> bool:
    """Whether prometheus_client by itself would use files."""
    return "PROMETHEUS_MULTIPROC_DIR" in os.environ or "prometheus_multiproc_dir" in os.environ


def _states(metric: Any) -> tuple[str, ...]:
    try:
        return state_names(metric._name, metric._states, metric._labelnames)
    except ValueError as error:
        warn_once(("states", metric._name), f"{metric._name} is not shown: {error}")
        return ()


def _tally() -> Tally | None:
    return Tally() if _tallied else None


def start(metric: Any) -> None:
    """Makes a metric count on the board, beginning with nothing."""
    attach(metric)
    if metric._is_parent():
        return
    for theirs, start_kind in _STARTS.items():
        if isinstance(metric, theirs):
            start_kind(metric)


def _start_counter(metric: Any) -> None:
    metric._value = CounterValue(metric._tallyboard, _tally())
    metric._created = time.time()


def _start_gauge(metric: Any) -> None:
    metric._value = GaugeValue(metric._tallyboard, _tally())


def _start_summary(metric: Any) -> None:
    metric._count = SummaryCount(metric._tallyboard, _tally())
    metric._sum = SummarySum(metric._tallyboard, _tally())
    metric._created = time.time()


def _start_histogram(metric: Any) -> None:
    of = metric._tallyboard
    metric._sum = total = HistogramSum(of, _tally())
    metric._buckets = [
        HistogramBucket(of, total, bound, _tally()) for bound in metric._upper_bounds
    ]
    metric._created = time.time()


_STARTS: dict[type[Any], Callable[[Any], None]] = {
    metrics.Counter: _start_counter,
    metrics.Gauge: _start_gauge,
    metrics.Summary: _start_summary,
    metrics.Histogram: _start_histogram,
}


def _base_init(plain: Method) -> Method:
    def __init__(self: Any, *arguments: Any, **keywords: Any) -> None:
        # Registers it, last of all: what its registry refuses does not come to the board.
        plain(self, *arguments, **keywords)
        # An enum has no states yet.
        if not isinstance(self, metrics.Enum):
            start(self)

    return __init__


def _metric_init(_plain: Method) -> Method:
    def _metric_init(self: Any) -> None:
        # prometheus_client's own would make values of its own, with a file each in its
        # multiprocess mode.
        if on_board(self) is None:
            self._tallyboard = None
        else:
            # Called by a program, to begin again.
            restart(self._tallyboard)
            start(self)

    return _metric_init


def _gauge_init(plain: Method) -> Method:
    def __init__(self: Any, *arguments: Any, **keywords: Any) -> None:
        # The ninth parameter. Its default would not tell whether it was given.
        given = "multiprocess_mode" in keywords or len(arguments) > 8
        self._tallyboard_has_mode = given
        plain(self, *arguments, **keywords)
        if not given:
            # What `labels` makes is as its parent.
            del self._kwargs["multiprocess_mode"]

    return __init__


def _enum_init(plain: Method) -> Method:
    def __init__(self: Any, *arguments: Any, **keywords: Any) -> None:
        plain(self, *arguments, **keywords)
        attach(self)

    return __init__


def _counter_inc(plain: Method) -> Method:
    def inc(self: Any, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        on_it = on_board(self)
        if on_it is None:
            plain(self, amount, exemplar)
            return
        # An exemplar is out of the ordinary to the accelerator, None as well.
        on_it.inc(amount, exemplar) if exemplar else on_it.inc(amount)
        if self._value.tally is not None:
            self._value.tally.inc(amount)

    return inc


def _summary_observe(plain: Method) -> Method:
    def observe(self: Any, amount: float) -> None:
        on_it = on_board(self)
        if on_it is None:
            plain(self, amount)
            return
        on_it.observe(amount)
        if self._sum.tally is not None:
            self._sum.tally.inc(amount)
            self._count.tally.inc(1)

    return observe


def _histogram_observe(plain: Method) -> Method:
    def observe(self: Any, amount: float, exemplar: dict[str, str] | None = None) -> None:
        on_it = on_board(self)
        if on_it is None:
            plain(self, amount, exemplar)
            return
        on_it.observe(amount, exemplar) if exemplar else on_it.observe(amount)
        if self._sum.tally is not None:
            self._sum.tally.inc(amount)
            self._buckets[bisect_left(self._upper_bounds, amount)].tally.inc(1)

    return observe


def _info_info(plain: Method) -> Method:
    def info(self: Any, val: dict[str, str]) -> None:
        plain(self, val)
        on_it = on_board(self)
        if on_it is None:
            return
        try:
            on_it.info(val)
        except ValueError as error:
            # Fit for prometheus_client, in whose hands it is no error, but not for a board.
            warn_once(("info", self._name), f"{self._name} does not say {val}: {error}")

    return info


def _enum_state(plain: Method) -> Method:
    def state(self: Any, state: str) -> None:
        plain(self, state)
        on_it = on_board(self)
        if on_it is not None and on_it._definition.states:
            on_it.state(state)

    return state


def _remove(plain: Method) -> Method:
    def remove(self: Any, *labelvalues: Any) -> None:
        on_it = on_board(self)
        if on_it is None:
            plain(self, *labelvalues)
            return
        on_it.remove(*labelvalues)
        # `labels` holds it while it puts a child in and looks it up again. The board needs no lock,
        # and may warn, which a program may count by a child of this very metric.
        with self._lock:
            self._metrics.pop(tuple(map(str, labelvalues)), None)

    return remove


def _remove_by_labels(plain: Method) -> Method:
    def remove_by_labels(self: Any, labels: dict[str, str]) -> None:
        on_it = on_board(self)
        if on_it is None:
            plain(self, labels)
            return
        on_it.remove_by_labels(labels)
        wanted = {name: str(value) for name, value in labels.items()}
        with self._lock:
            for key in list(self._metrics):
                if wanted and wanted.items() <= dict(zip(self._labelnames, key)).items():
                    self._metrics.pop(key, None)

    return remove_by_labels


def _clear(plain: Method) -> Method:
    def clear(self: Any) -> None:
        on_it = on_board(self)
        if on_it is None:
            plain(self)
            return
        on_it.clear()
        if self._is_parent():
            # In place: the dictionary is where `labels` looks.
            with self._lock:
                self._metrics.clear()

    return clear
