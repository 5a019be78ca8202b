"""Counters."""

from __future__ import annotations

from functools import partial
from math import inf
from typing import Any, Callable, Iterable

from . import lowlevel
from .blocks import ExceptionCounter
from .definition import check_exemplar
from .metric import Metric
from .trouble import warn_once

_GREATEST_ADD = 2**63


class Counter(Metric):
    """A number that only goes up: the sum of what all processes have added.

    On the board and in Prometheus its name ends in `_total`, whether or not `name` does.
    Without label names it is registered here and shows as 0; else at the first `labels(…)`.

    `registry` is accepted and not used: the board is the registry, and it is one for all.

    `series_cap`, which is not prometheus_client's, is how many series the metric may have at most
    (0: what the board says). What goes beyond is counted in one whose label values are all
    'overflow'.

    Errors: `ValueError` for a bad name or label name, and for a declaration that contradicts an
    earlier one of this process. A board that cannot be opened or is full is one `RuntimeWarning`.
    """

    __slots__ = ("_add", "_add_double", "_add_double_traced", "_add_traced", "_inc_one", "_read")

    _type = "counter"
    _handle = lowlevel.CounterHandle
    _updates = ("_inc_one", "_add", "_add_double", "_add_traced", "_add_double_traced", "_read")
    _suffixes = ("_total", "_created")

    _inc_one: Callable[[], object]
    _add: Callable[[int], object]
    _add_double: Callable[[float], int]
    _add_traced: Callable[[int, Any, int], object]
    _add_double_traced: Callable[[float, Any, int], int]
    _read: Callable[[], float]

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: object = None,
        *,
        series_cap: int = 0,
    ) -> None:
        super().__init__(
            name, documentation, labelnames, namespace, subsystem, unit, series_cap=series_cap
        )

    def _connect(self, library: lowlevel.Library, handle: lowlevel.CounterHandle) -> None:
        self._inc_one = partial(library.counter_inc, handle)
        self._add = partial(library.counter_add, handle)
        self._add_double = partial(library.counter_add_double, handle)
        self._add_traced = partial(library.counter_add_with_exemplar, handle)
        self._add_double_traced = partial(library.counter_add_double_with_exemplar, handle)
        self._read = partial(library.counter_value, handle)

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
        if amount == 1 and exemplar is None:
            self._inc_one()
        else:
            self._inc_by(amount, exemplar)

    def _inc_by(self, amount: float, exemplar: dict[str, str] | None) -> None:
        if amount < 0:
            self._check_updatable()
            raise ValueError("Counters can only be incremented by non-negative amounts.")
        add, add_double = self._add, self._add_double
        if exemplar:
            try:
                check_exemplar(exemplar)
            except ValueError:
                self._inc_by(amount, None)
                raise
            labels = lowlevel.label_array(exemplar)
            add = partial(_with_labels, self._add_traced, labels)
            add_double = partial(_with_labels, self._add_double_traced, labels)
        if isinstance(amount, int) and amount < _GREATEST_ADD:
            add(amount)
        elif add_double(double := _double(amount)):  # a status other than OK, which is 0
            message = f"{self} was asked to add {double}, which was not counted"
            warn_once(("amount", self._definition.name), message)

    def count_exceptions(
        self, exception: type[BaseException] | tuple[type[BaseException], ...] = Exception
    ) -> ExceptionCounter:
        """Counts the exceptions of these types that leave a block or a decorated function.

        Errors: `ValueError` where the metric has label names and no values.
        """
        self._check_updatable()
        return ExceptionCounter(self, exception)

    def value(self) -> float:
        """What all processes have counted into this series since the board was made.

        For tests and for looking: microseconds, not nanoseconds. 0 where updates go nowhere.
        """
        return float(self._read())


def _with_labels(add: Callable[[Any, Any, int], Any], labels: Any, amount: Any) -> Any:
    return add(amount, labels, len(labels))


def _double(amount: float) -> float:
    try:
        return float(amount)
    except OverflowError:
        # An integer beyond all doubles. The library refuses infinity.
        return inf
