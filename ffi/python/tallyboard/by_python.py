"""What libtallyboard does, in Python, where there is none: on macOS and Windows.

A board in this process's memory, so that a program that is written on a laptop counts there and its
tests can look. Nobody else sees it, and a forked child goes on with a copy. It stands beneath the
same classes as the real one: each method is the C function of its name, with the same arguments.

It differs from a board in what a program's tests would hardly notice: there is no `series_cap`, a
name may be registered as metrics of two kinds, and an older definition of a name is shown beside a
newer one.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
import time
from bisect import bisect_left
from ctypes import ArgumentError
from typing import Any, Dict, Iterator, NamedTuple, Sequence

from . import lowlevel
from .lowlevel import ExemplarStruct, LabelStruct, SampleStruct, Status
from .trouble import warn_once

_KINDS = {name: kind for kind, name in lowlevel.KINDS.items()}
_ALL = {lowlevel.AGGREGATIONS[mode] for mode in ("all", "liveall")}
# A minimum of nothing is nothing, and so is the last of nothing; a sum of nothing is 0.
_SHOWN_WHEN_UNSET = {lowlevel.AGGREGATIONS[mode] for mode in ("", "sum", "livesum")}


class _Family(NamedTuple):
    """What the series of a metric have in common."""

    kind: str
    name: bytes
    unit: bytes
    labelnames: tuple[bytes, ...]
    aggregation: int
    bounds: tuple[float, ...]
    states: tuple[bytes, ...]


class _Values:
    """What one series has counted."""

    def __init__(self, family: _Family) -> None:
        self.created = time.time_ns()
        self.integer = 0
        self.double = 0.0
        self.gauge: float | None = None
        self.buckets = [0] * (len(family.bounds) + 1)
        self.count = 0
        self.sum = 0.0
        self.pairs: dict[bytes, bytes] = {}
        self.place = 0
        self.exemplars: dict[int, tuple[float, int, dict[bytes, bytes]]] = {}


class _Series(NamedTuple):
    """Which series it is, also when that has been ended."""

    family: _Family
    labelvalues: tuple[bytes, ...]


_Board = Dict[_Series, _Values]


class PrivateLibrary(lowlevel.Library):
    """A libtallyboard whose boards are of this process: the private one, and the default one.

    A handle has attributes of ours: `board` is what it was registered on, `series` what it updates,
    and `order` that of the family's label names among those of the declaration.
    """

    def __init__(self) -> None:
        self._helps: dict[_Family, bytes] = {}
        self._boards: dict[bool, _Board] = {False: {}, True: {}}
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)
        self.register = {}
        self.families = {}
        for kind, family_kind, name in lowlevel.METRIC_HANDLES:
            register = self._registering(name.replace("_", ""))
            self.register[kind] = register
            self.families[kind] = lowlevel.Family(
                family_kind, register, self._family_remove, self._family_clear
            )

    def _begin(self) -> None:
        # Made anew in a child, since a thread that the child has not got may have held it. One that
        # a signal handler may take while the thread that it interrupts has it.
        self._lock = threading.RLock()

    def board_open(self, location: bytes | None, out: Any) -> None:
        private = location == b"private" or os.environ.get("TALLYBOARD") == "private"
        out._obj.board = self._boards[private]
        if not private:
            message = "are counted in this process only, and no exporter shows them"
            warn_once("private", f"boards are not available on {sys.platform}: metrics {message}")

    def board_is_off(self, _board: object) -> int:
        return 0

    def board_path(self, _board: object, _out: Any, _length: int, _written: None) -> None:
        raise lowlevel.BoardError(Status.NOT_FOUND, "the board has no file")

    def board_uses_rseq(self, _board: object) -> int:
        return 0

    def board_is_retired(self, _board: object) -> int:
        return 0

    def board_enlist(self, _board: object) -> None:
        pass

    def board_leave(self, _board: object) -> None:
        pass

    def board_expire(self, board: Any, seconds: int, _out: None) -> None:
        # When a series changed is not kept. All have done so 0 seconds ago, or before.
        if seconds == 0:
            with self._lock:
                board.board.clear()

    def board_visit(self, board: Any, visitor: Any, context: None) -> None:
        with self._lock:
            shown = sorted(board.board.items(), key=lambda item: item[0].family.name)
            samples = [each for series, values in shown for each in self._samples(series, values)]
        for sample in samples:
            if visitor(ctypes.pointer(sample), context):
                return

    def _registering(self, kind: str) -> lowlevel.RegisterFunction:
        def register(board: Any, metric: Any, out: Any) -> None:
            # What `byref` was given: a struct and a handle.
            definition, handle = metric._obj, out._obj
            labels = definition.labels[: definition.label_count]
            # In whatever order they are declared, they mean the same series.
            order = sorted(range(len(labels)), key=lambda place: labels[place].name or b"")
            family = _Family(
                kind,
                definition.name,
                definition.unit,
                tuple(labels[place].name for place in order),
                definition.aggregation,
                _bounds(definition),
                tuple(definition.states[: definition.state_count]),
            )
            values = tuple(labels[place].value for place in order)
            self._helps[family] = definition.help
            handle.board, handle.series = board.board, _Series(family, values)
            handle.order = order
            if None not in values:
                self._of(handle)

        return register

    def _of(self, handle: Any) -> _Values:
        """What the handle updates, which is registered again if it was ended."""
        board: _Board = handle.board
        series: _Series = handle.series
        try:
            return board[series]
        except KeyError:
            with self._lock:
                return board.setdefault(series, _Values(series.family))

    def _family_remove(self, family: Any, values: Any, _count: int, _out: None) -> None:
        ordered = tuple(values[place] for place in family.order)
        with self._lock:
            family.board.pop(_Series(family.series.family, ordered), None)

    def _family_clear(self, family: Any, _out: None) -> None:
        with self._lock:
            for series in [each for each in family.board if each.family == family.series.family]:
                del family.board[series]

    def counter_inc(self, counter: Any) -> None:
        self.counter_add(counter, 1)

    def counter_add(self, counter: Any, amount: int) -> None:
        with self._lock:
            self._of(counter).integer += amount

    def counter_add_double(self, counter: Any, amount: float) -> int:
        # A NaN is not.
        if not 0 <= amount < math.inf:
            return Status.INVALID_ARGUMENT
        with self._lock:
            self._of(counter).double += amount
        return Status.OK

    def counter_value(self, counter: Any) -> float:
        values = self._of(counter)
        return values.integer + values.double

    def counter_add_with_exemplar(self, counter: Any, amount: int, labels: Any, count: int) -> None:
        self.counter_add(counter, amount)
        self._keep_exemplar(counter, 0, amount, labels, count)

    def counter_add_double_with_exemplar(
        self, counter: Any, amount: float, labels: Any, count: int
    ) -> int:
        status = self.counter_add_double(counter, amount)
        if status == Status.OK:
            self._keep_exemplar(counter, 0, amount, labels, count)
        return status

    def gauge_set(self, gauge: Any, value: float) -> None:
        self._of(gauge).gauge = _double(value)

    def gauge_add(self, gauge: Any, amount: float) -> None:
        number = _double(amount)
        with self._lock:
            values = self._of(gauge)
            values.gauge = (values.gauge or 0.0) + number

    def gauge_value(self, gauge: Any) -> float:
        return self._of(gauge).gauge or 0.0

    def histogram_observe(self, histogram: Any, value: float) -> None:
        number = _double(value)
        place = _place(histogram.series.family.bounds, number)
        with self._lock:
            values = self._of(histogram)
            values.buckets[place] += 1
            values.count += 1
            values.sum += number

    def histogram_observe_with_exemplar(
        self, histogram: Any, value: float, labels: Any, count: int
    ) -> None:
        self.histogram_observe(histogram, value)
        place = _place(histogram.series.family.bounds, value)
        self._keep_exemplar(histogram, place, value, labels, count)

    def summary_observe(self, summary: Any, value: float) -> None:
        number = _double(value)
        with self._lock:
            values = self._of(summary)
            values.count += 1
            values.sum += number

    def info_set(self, info: Any, labels: Any, count: int) -> None:
        self._of(info).pairs = _pairs(labels, count)

    def state_set_set_place(self, state_set: Any, place: int) -> int:
        self._of(state_set).place = place
        return Status.OK

    def _keep_exemplar(
        self, handle: Any, place: int, value: float, labels: Any, count: int
    ) -> None:
        self._of(handle).exemplars[place] = (value, time.time_ns(), _pairs(labels, count))

    def _samples(self, series: _Series, values: _Values) -> Iterator[SampleStruct]:
        family = series.family
        labels = dict(zip(family.labelnames, series.labelvalues))
        if family.kind == "gauge":
            if values.gauge is None and family.aggregation not in _SHOWN_WHEN_UNSET:
                return
            if family.aggregation in _ALL:
                labels[b"pid"] = str(os.getpid()).encode()
            yield self._sample(series, values, labels, values.gauge or 0.0)
        elif family.kind == "stateset":
            for place, state in enumerate(family.states):
                at = {**labels, family.name: state}
                yield self._sample(series, values, at, float(place == values.place))
        elif family.kind == "info":
            yield self._sample(series, values, {**labels, **values.pairs}, 1.0)
        else:
            yield self._sample(series, values, labels, values.integer + values.double)

    def _sample(
        self, series: _Series, values: _Values, labels: dict[bytes, bytes], value: float
    ) -> SampleStruct:
        family = series.family
        bounds = [*family.bounds, math.inf] if family.kind == "histogram" else []
        exemplars = [
            ExemplarStruct(place, seen, nanos, len(pairs), _labels(pairs))
            for place, (seen, nanos, pairs) in sorted(values.exemplars.items())
        ]
        # The fields keep the arrays that they are given.
        return SampleStruct(
            struct_size=ctypes.sizeof(SampleStruct),
            name=family.name,
            help=self._helps[family],
            unit=family.unit,
            kind=_KINDS[family.kind],
            is_integer=not values.double,
            label_count=len(labels),
            labels=_labels(labels),
            value=value,
            count=values.count,
            sum=values.sum,
            bucket_count=len(bounds),
            bounds=(ctypes.c_double * len(bounds))(*bounds),
            buckets=(ctypes.c_uint64 * len(values.buckets))(*values.buckets),
            created_unix_nanos=values.created,
            exemplar_count=len(exemplars),
            exemplars=(ExemplarStruct * len(exemplars))(*exemplars),
        )


def _bounds(metric: lowlevel.MetricStruct) -> tuple[float, ...]:
    if not metric.native:
        return tuple(metric.bounds[: metric.bound_count])
    # Counted in the classic buckets by which a library shows native ones to this package.
    native = metric.native.contents
    step = 2.0 ** -min(native.schema, 0)
    lowest = math.floor(math.log2(native.lowest) / step)
    highest = math.ceil(math.log2(native.highest) / step)
    bounds = [2.0 ** (power * step) for power in range(lowest, highest + 1)]
    if native.has_negative:
        bounds = [-bound for bound in reversed(bounds)] + bounds
    return tuple(bounds)


def _place(bounds: Sequence[float], value: float) -> int:
    # A NaN is above all of them.
    return len(bounds) if value != value else bisect_left(bounds, value)


def _double(value: float) -> float:
    try:
        return ctypes.c_double(value).value
    except TypeError as error:
        # As of a function that ctypes calls.
        raise ArgumentError(error) from None


def _pairs(labels: Any, count: int) -> dict[bytes, bytes]:
    return {label.name: label.value for label in labels[:count]}


def _labels(pairs: dict[bytes, bytes]) -> Any:
    return (LabelStruct * len(pairs))(*(LabelStruct(*pair) for pair in sorted(pairs.items())))


private_library = PrivateLibrary()
"""The one of this process."""
