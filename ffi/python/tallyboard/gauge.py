"""Gauges."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, Iterable, Literal, Sequence

from . import functions, lowlevel
from .bases import GaugeCore
from .blocks import InprogressTracker, Timer
from .declared import DEFAULT
from .metric import SLOTS, Metric, number
from .trouble import warn_once

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Mode = Literal[
    "",
    "last",
    "mostrecent",
    "sum",
    "min",
    "max",
    "all",
    "livesum",
    "livemin",
    "livemax",
    "liveall",
    "livemostrecent",
]
"""How the numbers of several processes become one: see `Gauge`."""

# Those that are one value which all processes share.
_SHARED = ("", "last", "mostrecent")


class Gauge(Metric, GaugeCore):
    """A number that goes up and down.

    `multiprocess_mode` says how the numbers of several processes become one. The words and their
    meanings are prometheus_client's:

    * '' (the default), 'mostrecent' and 'last': one number that all processes share. The last
      `set` wins, `inc` and `dec` add up.
    * 'sum', 'min' and 'max': over all processes. What a process contributed stays when it dies.
    * 'all': one series for each process, told apart by the label `pid`. Those of the dead stay
      for five minutes, or as long as the board says.
    * 'livesum', 'livemin', 'livemax', 'liveall', 'livemostrecent': the same over the processes
      that live, however the others ended. There is nothing to call when a worker dies.

    `inc` and `dec` work in every mode. A process that never updated the gauge contributes
    nothing: a minimum of nothing is not shown, a sum of nothing is 0. A forked child has a number
    of its own, from 0.

    Without label names it is registered here; else at the first `labels(…)`.
    `registry` is where this process shows it, with what all processes have counted.

    `series_cap`, which is not prometheus_client's, is how many series the metric may have at most
    (0: what the board says). What goes beyond is not counted, and warned of once.

    Errors: `ValueError` for a bad name, label name or mode, for a label `pid` where the mode has
    its own, and for a declaration that contradicts an earlier one with its registry. A board that
    cannot be opened or is full is one `RuntimeWarning`.
    """

    __slots__ = SLOTS

    _type = "gauge"
    _handle = lowlevel.GaugeHandle

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
        multiprocess_mode: Mode = "",
        *,
        series_cap: int = 0,
    ) -> None:
        mode: str = "" if multiprocess_mode in _SHARED else multiprocess_mode
        if mode not in lowlevel.AGGREGATIONS:
            raise ValueError(f"Invalid multiprocess mode: {multiprocess_mode}")
        labels = tuple(labelnames)
        if mode in ("all", "liveall") and "pid" in labels:
            raise ValueError(f"Reserved label name: pid, in the mode {mode}")
        super().__init__(
            name,
            documentation,
            labels,
            namespace,
            subsystem,
            unit,
            registry,
            _labelvalues,
            mode=mode,
            series_cap=series_cap,
        )

    def _inc_by(self, amount: float = 1) -> None:
        self._check_updatable()
        double = number(amount)
        if self._registered is not None:
            library, handle = self._registered
            library.gauge_add(handle, double)

    def _dec_by(self, amount: float = 1) -> None:
        # What can be taken off may not be a number yet: whatever has a minus.
        self._inc_by(-amount)

    def _set_to(self, value: float) -> None:
        self._check_updatable()
        if self._registered is not None:
            library, handle = self._registered
            # Text is not a C double but may well be a number.
            library.gauge_set(handle, float(value))

    def set_to_current_time(self) -> None:
        """Sets the number to now, in seconds since 1970. Errors as `set`."""
        self.set(time.time())

    def track_inprogress(self) -> InprogressTracker:
        """Adds one while a block or a decorated function runs.

        In the mode 'livesum' this is right also when processes are killed within it. In one that
        is not `live…` such a process leaves its one for ever, which is warned of once a metric.
        What a coroutine function returns is tracked until it has been awaited.

        Errors: `ValueError` where the metric has label names and no values.
        """
        self._check_updatable()
        name, mode = self._definition.name, self._definition.mode
        if not mode.startswith("live"):
            message = (
                f"{name} tracks what is in progress, and a process that is killed within that "
                "leaves its part on it: give it multiprocess_mode='livesum'"
            )
            warn_once(("inprogress", name), message)
        return InprogressTracker(self)

    def time(self) -> Timer:
        """Sets the gauge to the seconds that a block or a decorated function took."""
        return Timer(self, "set")

    def set_function(self, f: Callable[[], float]) -> None:
        """From now on the number is what `f()` returns, whenever a registry of this process is
        collected. `f` may be called from several threads.

        Other processes, and `tallyboard serve`, see it where this process calls
        `tallyboard.publish()`. The other methods of this object do nothing any more.

        Errors: `ValueError` where the metric has label names and no values. What `f` raises comes
        out where it is collected, as with prometheus_client.
        """
        self._check_updatable()
        definition = self._definition
        functions.put(definition.name, dict(zip(definition.labelnames, self._labelvalues)), f)
        # Not by a question in the update methods, which every update of any gauge would pay for.
        self.__class__ = _evaluated(type(self))

    def _remove(self, key: tuple[str, ...]) -> None:
        functions.take(self._definition.name, dict(zip(self._definition.labelnames, key)))
        super()._remove(key)

    def clear(self) -> None:
        if self._definition.labelnames:
            functions.take(self._definition.name)
        super().clear()

    clear.__doc__ = Metric.clear.__doc__

    def value(self) -> float:
        """The number on the board, whichever process wrote it; where the mode keeps them apart,
        this process's own. What its function says, where it has one. 0 where updates go nowhere."""
        self._check_updatable()
        if self._registered is None:
            return 0.0
        library, handle = self._registered
        return library.gauge_value(handle)


# By the class of a gauge: what it becomes when it gets a function.
_EVALUATED: dict[type[Gauge], type[Gauge]] = {}


def _evaluated(kind: type[Gauge]) -> type[Gauge]:
    """A class like `kind` whose updates do nothing: the number is what a function says."""
    if kind in _EVALUATED.values():
        return kind
    return _EVALUATED.setdefault(kind, _make_evaluated(kind))


def _make_evaluated(kind: type[Gauge]) -> type[Gauge]:
    def nothing(*_arguments: object, **_keywords: object) -> None:
        pass

    def value(self: Gauge) -> float:
        definition = self._definition
        labels = functions.sorted_labels(dict(zip(definition.labelnames, self._labelvalues)))
        function = functions.of(definition.name).get(labels)
        return 0.0 if function is None else float(function())

    def reduce(self: Gauge) -> Any:
        # A function is this process's own: elsewhere it is a gauge like others.
        _restore, (_kind, definition, labelvalues) = kind.__reduce__(self)
        return _restore, (kind, definition, labelvalues)

    members = {"inc": nothing, "dec": nothing, "set": nothing, "value": value, "__slots__": ()}
    about = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind,), {**members, **about, "__reduce__": reduce})
