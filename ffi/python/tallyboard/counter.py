"""Counters."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Iterable, Sequence

from . import board, lowlevel
from .bases import CounterCore
from .blocks import ExceptionCounter
from .declared import DEFAULT
from .definition import check_exemplar
from .metric import SLOTS, Metric
from .trouble import warn_once

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_GREATEST_ADD = 2**63


class Counter(Metric, CounterCore):
    """A number that only goes up: the sum of what all processes have added.

    On the board and in Prometheus its name ends in `_total`, whether or not `name` does.
    Without label names it is registered here and shows as 0; else at the first `labels(…)`.

    `registry` is where this process shows it, with what all processes have counted.

    `series_cap`, which is not prometheus_client's, is how many series the metric may have at most
    (0: what the board says). What goes beyond is counted in one whose label values are all
    'overflow'.

    Errors: `ValueError` for a bad name or label name, and for a declaration that contradicts an
    earlier one with its registry. A board that cannot be opened or is full is one `RuntimeWarning`.
    """

    __slots__ = SLOTS

    _type = "counter"
    _handle = lowlevel.CounterHandle
    _suffixes = ("_total", "_created")

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = DEFAULT,
        _labelvalues: Sequence[str] | None = None,
        *,
        series_cap: int = 0,
    ) -> None:
        super().__init__(
            name,
            documentation,
            labelnames,
            namespace,
            subsystem,
            unit,
            registry,
            _labelvalues,
            series_cap=series_cap,
        )

    def _inc_by(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        self._check_updatable()
        if amount < 0:
            raise ValueError("Counters can only be incremented by non-negative amounts.")
        if not exemplar:
            self._add_to_it(amount, None)
            return
        try:
            check_exemplar(exemplar)
        except ValueError:
            self._add_to_it(amount, None)
            raise
        self._add_to_it(amount, lowlevel.label_array(exemplar))

    def _add_to_it(self, amount: float, labels: Any) -> None:
        if self._registered is None:
            return
        library, handle = self._registered
        if isinstance(amount, int) and amount < _GREATEST_ADD:
            if labels is None:
                library.counter_add(handle, amount)
            else:
                library.counter_add_with_exemplar(handle, amount, labels, len(labels))
            return
        double = _double(amount)
        if labels is None:
            status = library.counter_add_double(handle, double)
        else:
            status = library.counter_add_double_with_exemplar(handle, double, labels, len(labels))
        if status != lowlevel.Status.OK:
            message = f"{self} was asked to add {double}, which was not counted"
            warn_once(("amount", self._definition.name), message)

    def reset(self) -> None:
        """Begins the series again from 0, for all processes: its time of creation is now.

        What any process has counted is gone, and its exemplar. To Prometheus it is a counter that
        was restarted. What is counted while this runs may be in the old series or the new. Cost:
        microseconds.

        Errors: `ValueError` where the metric has label names and no values.
        """
        self._check_updatable()
        board.remove(self._handle, self._definition, self._labelvalues)
        # The next update would do it too; but until then the series would not be shown.
        board.register(self._handle, self._definition, self._labelvalues)

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
        self._check_updatable()
        if self._registered is None:
            return 0.0
        library, handle = self._registered
        return library.counter_value(handle)


def _double(amount: float) -> float:
    try:
        return float(amount)
    except OverflowError:
        # An integer beyond all doubles. The library refuses infinity.
        return inf
