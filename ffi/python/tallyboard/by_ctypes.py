"""What is called in a loop, through ctypes: the way that works everywhere.

A metric object is one of three things, and its update methods need not ask which, because the
callables in its slots are chosen once, when it is made:

* a *series*: each is a C function with the series' handle in front (`functools.partial`);
* a *family* that has label names and no values yet: each raises `ValueError`;
* *nowhere* (`TALLYBOARD=off`, or the board refused it): each does nothing, without calling C.
"""

from __future__ import annotations

from ctypes import ArgumentError
from functools import partial
from typing import Any, Callable, ClassVar, NoReturn, TypeVar

from . import lowlevel

C = TypeVar("C", bound="MetricCore")

_GREATEST_ADD = 2**63


class MetricCore:
    """The base of every metric: finding the child of some label values."""

    __slots__ = ()

    _type: ClassVar[str]
    _updates: ClassVar[tuple[str, ...]] = ()
    """The slots that `_connect` fills."""
    _children: dict[tuple[str, ...], Any]

    def _be_family(self, labelnames: tuple[str, ...], children: dict[tuple[str, ...], Any]) -> None:
        self._set_updates(partial(_refuse, self._type))

    def _connect(self, library: lowlevel.Library, handle: Any) -> None:
        pass

    def _go_nowhere(self) -> None:
        self._set_updates(_nothing)

    def _set_updates(self, update: Callable[..., None]) -> None:
        for slot in self._updates:
            setattr(self, slot, update)

    def labels(self: C, *labelvalues: object, **labelkwargs: object) -> C:
        """The series with these label values, by position or by name; `str()` is applied to each.

        Cost: a dictionary look-up where this object has been asked for them before. The first
        time, the series is registered and so shows as 0. An object is kept for each set of
        values until `remove` or `clear`, whether or not the board had room for it.

        Errors: `ValueError` where the values do not fit the label names, where there are no
        label names, and on what `labels()` has returned.
        """
        key = self._key(labelvalues, labelkwargs) if labelkwargs else tuple(map(str, labelvalues))
        child: C | None = self._children.get(key)
        return self._child(key) if child is None else child

    def _key(
        self, labelvalues: tuple[object, ...], labelkwargs: dict[str, object]
    ) -> tuple[str, ...]:
        raise NotImplementedError

    def _child(self: C, key: tuple[str, ...]) -> C:
        raise NotImplementedError


class CounterCore(MetricCore):
    """The base of `Counter`."""

    __slots__ = ("_add", "_inc_one")

    _updates = ("_inc_one", "_add")

    _inc_one: Callable[[], object]
    _add: Callable[[int], object]

    def _connect(self, library: lowlevel.Library, handle: lowlevel.CounterHandle) -> None:
        self._inc_one = partial(library.counter_inc, handle)
        self._add = partial(library.counter_add, handle)

    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        """Adds `amount`. No syscall, no lock; safe in threads, signal handlers and after fork.

        An `int` is counted as an integer: such a counter is exact up to 2**64. NaN and infinities
        are not counted and warned of once, and so are integers that no float can hold.

        `exemplar` says where this one came from, such as `{"trace_id": …}`; the last one of all
        processes is shown. It costs some microseconds. The board counts those that it has no room
        for; the amount is counted in any case.

        Errors: `ValueError` where `amount` is negative, where the metric has label names and no
        values, and for an exemplar that OpenMetrics does not allow.
        """
        if exemplar is not None:
            self._inc_by(amount, exemplar)
        elif amount == 1:
            self._inc_one()
        elif type(amount) is int and 0 <= amount < _GREATEST_ADD:
            self._add(amount)
        else:
            self._inc_by(amount)

    def _inc_by(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        raise NotImplementedError


class GaugeCore(MetricCore):
    """The base of `Gauge`."""

    __slots__ = ("_add", "_set")

    _updates = ("_add", "_set")

    _add: Callable[[float], object]
    _set: Callable[[float], object]

    def _connect(self, library: lowlevel.Library, handle: lowlevel.GaugeHandle) -> None:
        self._add = partial(library.gauge_add, handle)
        self._set = partial(library.gauge_set, handle)

    def inc(self, amount: float = 1) -> None:
        """Adds `amount`, to this process's own number where the mode keeps them apart.

        No syscall (but at a process's first update in such a mode), no lock; safe in threads,
        signal handlers and after fork.

        Errors: `ValueError` where the metric has label names and no values; `TypeError` for what
        is not a number.
        """
        try:
            self._add(amount)
        except ArgumentError:
            self._inc_by(amount)

    def dec(self, amount: float = 1) -> None:
        """Takes `amount` off. Cost and errors as `inc`."""
        try:
            self._add(-amount)
        except (ArgumentError, TypeError):
            self._dec_by(amount)

    def set(self, value: float) -> None:
        """Sets the number: that of all processes, or this one's own. Cost as `inc`.

        Errors: `ValueError` where the metric has label names and no values, and, like
        `TypeError`, for what `float()` cannot convert.
        """
        try:
            self._set(value)
        except ArgumentError:
            self._set_to(value)

    def _inc_by(self, amount: float = 1) -> None:
        raise NotImplementedError

    def _dec_by(self, amount: float = 1) -> None:
        raise NotImplementedError

    def _set_to(self, value: float) -> None:
        raise NotImplementedError


class HistogramCore(MetricCore):
    """The base of `Histogram`."""

    __slots__ = ("_observe",)

    _updates = ("_observe",)

    _observe: Callable[[float], object]

    def _connect(self, library: lowlevel.Library, handle: lowlevel.HistogramHandle) -> None:
        self._observe = partial(library.histogram_observe, handle)

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """Counts one observation, whatever its unit is. No syscall, no lock; any thread.

        `exemplar` says where this one came from, such as `{"trace_id": …}`; the last one of each
        bucket is shown. It costs some microseconds. The board counts those that it has no room
        for; the observation is counted in any case.

        Errors: `ValueError` where the metric has label names and no values, and for an exemplar
        that OpenMetrics does not allow; `TypeError` for what is not a number.
        """
        if exemplar is not None:
            self._observe_this(amount, exemplar)
            return
        try:
            self._observe(amount)
        except ArgumentError:
            self._observe_this(amount)

    def _observe_this(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        raise NotImplementedError


class SummaryCore(MetricCore):
    """The base of `Summary`."""

    __slots__ = ("_observe",)

    _updates = ("_observe",)

    _observe: Callable[[float], object]

    def _connect(self, library: lowlevel.Library, handle: lowlevel.SummaryHandle) -> None:
        self._observe = partial(library.summary_observe, handle)

    def observe(self, amount: float) -> None:
        """Counts one observation, whatever its unit is. No syscall, no lock; any thread.

        Errors: `ValueError` where the metric has label names and no values; `TypeError` for what
        is not a number.
        """
        try:
            self._observe(amount)
        except ArgumentError:
            self._observe_this(amount)

    def _observe_this(self, amount: float) -> None:
        raise NotImplementedError


def _refuse(kind: str, *_: object) -> NoReturn:
    raise ValueError(f"{kind} metric is missing label values")


def _nothing(*_: object) -> None:
    pass
