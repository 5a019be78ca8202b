"""Summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Sequence

from . import lowlevel
from .bases import SummaryCore
from .blocks import Timer
from .declared import DEFAULT
from .metric import SLOTS, Metric, number

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Summary(Metric, SummaryCore):
    """How many observations there were, over all processes, and their sum. No quantiles.

    Without label names it is registered here and shows as 0; else at the first `labels(…)`.
    `registry` is where this process shows it, with what all processes have counted.

    `series_cap`, which is not prometheus_client's, is how many series the metric may have at most
    (0: what the board says). What goes beyond is counted in one whose label values are all
    'overflow'.

    Errors: `ValueError` for a bad name or label name (`quantile` is reserved), and for a
    declaration that contradicts an earlier one with its registry. A board that cannot be opened or
    is full is one `RuntimeWarning`.
    """

    __slots__ = SLOTS

    _type = "summary"
    _handle = lowlevel.SummaryHandle
    _reserved_labelnames = ("quantile",)
    _suffixes = ("_sum", "_count", "_created")

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

    def _observe_this(self, amount: float) -> None:
        self._check_updatable()
        double = number(amount)
        if self._registered is not None:
            library, handle = self._registered
            library.summary_observe(handle, double)

    def time(self) -> Timer:
        """Observes the seconds that a block or a decorated function took."""
        return Timer(self, "observe")
