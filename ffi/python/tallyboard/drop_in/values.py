"""What a metric of prometheus_client keeps in `_value`, `_sum`, `_count` and `_buckets`.

prometheus_client counts by `inc` and `set` of such objects and shows what `get` says. Here they
lead to the board. A metric's own methods do not pass through them (see `metrics.py`): they are for
code that uses them directly, as `counter._value.set(n)`, for methods that were bound before the
drop-in was installed, and for subclasses that count in a way of their own. An exemplar that comes
by these ways is lost: here it is known only after its update.

A histogram on the board takes an observation as a whole, where prometheus_client adds to the sum
first and to one of the buckets then. So the sum remembers the amount for its thread, and the
bucket observes it. A summary observes when its sum is added to; its count is known by that.
"""

from __future__ import annotations

from threading import get_ident
from typing import Any, Generic, Sequence, TypeVar

from prometheus_client import values
from prometheus_client.samples import Exemplar
from prometheus_client.values import MutexValue

from .. import board
from ..counter import Counter
from ..definition import Definition
from ..gauge import Gauge
from ..histogram import Histogram
from ..metric import Metric
from ..series import Series, series_of
from ..summary import Summary
from ..trouble import warn_once
from .tally import Tally

M = TypeVar("M", bound=Metric)


class BoardValue(Generic[M]):
    """Base of the values that a metric has."""

    _multiprocess = False
    """Code that finds it true looks for the directory of prometheus_client's multiprocess mode."""

    def __init__(self, metric: M, tally: Tally | None) -> None:
        self._metric = metric
        self.tally = tally
        """What `get` says, where that is asked of this process; None where it is asked of all."""

    def inc(self, amount: float) -> None:
        """Adds to it, on the board. Errors: as the metric's.

        This one adds to the tally only: each value's own ends with it.
        """
        if self.tally is not None:
            self.tally.inc(amount)

    def set(self, value: float, timestamp: float | None = None) -> None:
        """Makes it `value`, on the board; `timestamp` is not used. This one: as `inc`."""
        if self.tally is not None:
            self.tally.set(value)

    def get(self) -> float:
        """The value: of all processes, or what this one has counted."""
        return self._on_board() if self.tally is None else self.tally.get()

    def _on_board(self) -> float:
        raise NotImplementedError

    def set_exemplar(self, exemplar: Exemplar) -> None:
        """Nothing: see the module."""

    def get_exemplar(self) -> Exemplar | None:
        """The last that any process gave."""
        return None


class CounterValue(BoardValue[Counter]):
    """A counter's."""

    def inc(self, amount: float) -> None:
        self._metric.inc(amount)
        super().inc(amount)

    def set(self, value: float, timestamp: float | None = None) -> None:
        """What is less than all processes have counted begins the series anew, for all."""
        there = self._metric.value()
        if value < there:
            restart(self._metric)
            there = 0.0
        self._metric.inc(value - there)
        super().set(value)

    def _on_board(self) -> float:
        return self._metric.value()

    def get_exemplar(self) -> Exemplar | None:
        return _exemplar(read(self._metric), 0)


class GaugeValue(BoardValue[Gauge]):
    """A gauge's."""

    def inc(self, amount: float) -> None:
        self._metric.inc(amount)
        super().inc(amount)

    def set(self, value: float, timestamp: float | None = None) -> None:
        self._metric.set(value)
        super().set(value)

    def _on_board(self) -> float:
        if self._metric._definition.mode.endswith(("sum", "min", "max")):
            shown = read(self._metric)
            return 0.0 if shown is None else shown.value
        # Shared, or one that each process has of its own.
        return self._metric.value()


class Part(BoardValue[M]):
    """Base of a summary's and a histogram's, which are observed as a whole."""

    def set(self, value: float, timestamp: float | None = None) -> None:
        """0 begins the series anew; of anything else there is one warning."""
        if value != 0:
            name = self._metric._definition.name
            told = f"{name} is not set to {value}: it can be observed, or set to 0"
            warn_once(("part", name), told)
            return
        restart(self._metric)
        super().set(0.0)


class SummaryCount(Part[Summary]):
    """A summary's count."""

    def _on_board(self) -> float:
        shown = read(self._metric)
        return 0.0 if shown is None else float(shown.count)


class SummarySum(SummaryCount):
    """A summary's sum."""

    def inc(self, amount: float) -> None:
        self._metric.observe(amount)
        super().inc(amount)

    def _on_board(self) -> float:
        shown = read(self._metric)
        return 0.0 if shown is None else shown.sum


class HistogramSum(Part[Histogram]):
    """A histogram's sum."""

    def __init__(self, histogram: Histogram, tally: Tally | None) -> None:
        super().__init__(histogram, tally)
        self._pending: dict[int, float] = {}
        """By thread: the amount whose bucket is not known yet."""

    def inc(self, amount: float) -> None:
        self._pending[get_ident()] = amount

    def observe(self, bound: float) -> None:
        """Observes what was added last, in the bucket of this bound."""
        amount = self._pending.pop(get_ident(), bound)
        self._metric.observe(amount)
        super().inc(amount)

    def _on_board(self) -> float:
        shown = read(self._metric)
        return 0.0 if shown is None else shown.sum


class HistogramBucket(Part[Histogram]):
    """The count of one of a histogram's buckets, not cumulative."""

    def __init__(
        self, histogram: Histogram, total: HistogramSum, bound: float, tally: Tally | None
    ) -> None:
        super().__init__(histogram, tally)
        self._total = total
        self._bound = bound

    def inc(self, amount: float) -> None:
        self._total.observe(self._bound)
        super().inc(amount)

    def _on_board(self) -> float:
        shown = read(self._metric)
        below = 0
        for bound, count in shown.buckets if shown else ():
            if bound == self._bound:
                return float(count - below)
            below = count
        return 0.0

    def get_exemplar(self) -> Exemplar | None:
        shown = read(self._metric)
        bounds = [bound for bound, _ in shown.buckets] if shown else []
        return _exemplar(shown, bounds.index(self._bound)) if self._bound in bounds else None


class ValueClass:
    """prometheus_client's `values.ValueClass`, for code that makes a value of its own by it.

    A counter's and a gauge's are on the board. The parts of a histogram or a summary, without the
    metric that they are parts of, stay in the process.
    """

    _multiprocess = False

    def __new__(  # type: ignore[misc]
        cls,
        typ: str,
        metric_name: str,
        name: str,
        labelnames: Sequence[str],
        labelvalues: Sequence[str],
        help_text: str,
        multiprocess_mode: str = "",
        **_: Any,
    ) -> BoardValue[Any] | MutexValue:
        labels, texts = tuple(labelnames), tuple(labelvalues)
        if typ == "counter":
            return CounterValue(Counter._make(Definition(name, help_text, labels, ""), texts), None)
        if typ == "gauge":
            mode = "" if multiprocess_mode == "mostrecent" else multiprocess_mode
            definition = Definition(name, help_text, labels, "", mode=mode)
            return GaugeValue(Gauge._make(definition, texts), None)
        return MutexValue(typ, metric_name, name, labels, texts, help_text)


def replace_class() -> None:
    """Makes it the one that prometheus_client looks up."""
    values.ValueClass = ValueClass


def read(metric: Metric) -> Series | None:
    """What the board shows of a series; None where it has none. Cost: a pass over the board."""
    definition = metric._definition
    labels = dict(zip(definition.labelnames, metric._labelvalues))
    for shown in series_of({definition.name}):
        if shown.labels == labels:
            return shown
    return None


def restart(metric: Metric) -> None:
    """Ends a series, and begins it again from 0."""
    board.remove(metric._handle, metric._definition, metric._labelvalues)
    board.register(metric._handle, metric._definition, metric._labelvalues)


def _exemplar(shown: Series | None, bucket: int) -> Exemplar | None:
    for exemplar in shown.exemplars if shown else ():
        if exemplar.bucket == bucket:
            return Exemplar(exemplar.labels, exemplar.value, exemplar.created)
    return None
