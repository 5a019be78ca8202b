"""Infos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Mapping, Sequence

from . import lowlevel
from .bases import MetricCore
from .declared import DEFAULT
from .definition import check_pairs
from .metric import SLOTS, Metric
from .trouble import warn_once

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Info(Metric, MetricCore):
    """Names with values that describe something and seldom change: a version, a commit.

    Shown as `NAME_info`, with the pairs as labels. Unlike prometheus_client's it works over
    processes: the last that any of them said is shown.

    Without label names it is registered here and shows nothing but its name; else at the first
    `labels(…)`. `registry` is where this process shows it, with what all processes
    have counted.

    `series_cap`, which is not prometheus_client's, is how many series the metric may have at most
    (0: what the board says). What goes beyond is not shown, and warned of once.

    Errors: `ValueError` for a bad name or label name, for a unit, and for a declaration that
    contradicts an earlier one with its registry. A board that cannot be opened or is full is one
    `RuntimeWarning`.
    """

    __slots__ = SLOTS

    _type = "info"
    _handle = lowlevel.InfoHandle
    _suffixes = ("_info",)

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

    def info(self, val: Mapping[str, str]) -> None:
        """Says this, and no more what any process said before. Some microseconds; any thread.

        What the board has no room for is warned of once, and what was said before stays.

        Errors: `ValueError` for a name that is a label name of the metric, is empty or begins with
        `__`, for a value that is None, and where the metric has label names and no values.
        """
        self._check_updatable()
        check_pairs(val, self._definition.labelnames)
        if self._registered is None:
            return
        library, handle = self._registered
        try:
            library.info_set(handle, lowlevel.label_array(val), len(val))
        except lowlevel.BoardError as error:
            name = self._definition.name
            warn_once((error.status, name), f"{name} does not say {dict(val)}: {error}")
