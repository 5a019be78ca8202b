"""Summaries."""

from __future__ import annotations

from ctypes import ArgumentError
from functools import partial
from typing import Callable, Iterable

from . import lowlevel
from .blocks import Timer
from .metric import Metric, refuse_amount


class Summary(Metric):
    """How many observations there were, over all processes, and their sum. No quantiles.

    Without label names it is registered here and shows as 0; else at the first `labels(…)`.
    `registry` is accepted and not used: the board is the registry, and it is one for all.

    `series_cap`, which is not prometheus_client's, is how many series the metric may have at most
    (0: what the board says). What goes beyond is counted in one whose label values are all
    'overflow'.

    Errors: `ValueError` for a bad name or label name (`quantile` is reserved), and for a
    declaration that contradicts an earlier one of this process. A board that cannot be opened or
    is full is one `RuntimeWarning`.
    """

    __slots__ = ("_observe",)

    _type = "summary"
    _handle = lowlevel.SummaryHandle
    _updates = ("_observe",)
    _reserved_labelnames = ("quantile",)
    _suffixes = ("_sum", "_count", "_created")

    _observe: Callable[[float], object]

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
            refuse_amount(amount)

    def time(self) -> Timer:
        """Observes the seconds that a block or a decorated function took."""
        return Timer(self, "observe")
