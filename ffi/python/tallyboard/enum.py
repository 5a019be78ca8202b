"""Enums: which of some states holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Sequence

from . import lowlevel
from .bases import MetricCore
from .declared import DEFAULT
from .definition import full_name, state_names
from .metric import SLOTS, Metric

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Enum(Metric, MetricCore):
    """Which of some states holds, such as the phase of a job; at first the first of `states`.

    Shown as a series for each state, told apart by a label that has the metric's name. Unlike
    prometheus_client's it works over processes: they share it, and the last one wins.

    Without label names it is registered here; else at the first `labels(…)`. `registry` is
    where this process shows it, with what all processes have counted.

    `series_cap`, which is not prometheus_client's, is how many series the metric may have at most
    (0: what the board says). What goes beyond is not shown, and warned of once.

    Errors: `ValueError` for a bad name or label name, for a unit, where there are no states or two
    are the same, where the metric's name is one of its label names, and for a declaration that
    contradicts an earlier one with its registry. A board that cannot be opened or is full is one
    `RuntimeWarning`.
    """

    __slots__ = SLOTS

    _type = "stateset"
    _handle = lowlevel.StateSetHandle

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
        states: Sequence[str] | None = None,
        *,
        series_cap: int = 0,
    ) -> None:
        labels = tuple(labelnames)
        on_board = full_name(self._type, name, namespace, subsystem, unit)
        super().__init__(
            name,
            documentation,
            labels,
            namespace,
            subsystem,
            unit,
            registry,
            _labelvalues,
            series_cap=series_cap,
            states=state_names(on_board, states, labels),
        )

    def state(self, state: str) -> None:
        """Sets the state that holds, for all processes. Cost as `Gauge.set`.

        Errors: `ValueError` for what is none of the states, and where the metric has label names
        and no values.
        """
        self._check_updatable()
        states = self._definition.states
        try:
            place = states.index(state)
        except ValueError:
            raise ValueError(f"{self} has no state {state!r}; it has {states}") from None
        if self._registered is not None:
            library, handle = self._registered
            library.state_set_set_place(handle, place)
