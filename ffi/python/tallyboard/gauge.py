"""Gauges."""

from __future__ import annotations

import time
from typing import Iterable

from . import lowlevel
from .blocks import InprogressTracker, Timer
from .core import GaugeCore
from .metric import SLOTS, Metric, refuse_amount

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
    `registry` is accepted and not used: the board is the registry, and it is one for all.

    `series_cap`, which is not prometheus_client's, is how many series the metric may have at most
    (0: what the board says). What goes beyond is not counted, and warned of once.

    Errors: `ValueError` for a bad name, label name or mode, for a label `pid` where the mode has
    its own, and for a declaration that contradicts an earlier one of this process. A board that
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
        registry: object = None,
        multiprocess_mode: str = "",
        *,
        series_cap: int = 0,
    ) -> None:
        mode = "" if multiprocess_mode in _SHARED else multiprocess_mode
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
            mode=mode,
            series_cap=series_cap,
        )

    def _inc_by(self, amount: float = 1) -> None:
        self._check_updatable()
        refuse_amount(amount)

    def _dec_by(self, amount: float = 1) -> None:
        # What can be taken off may not be a number yet: whatever has a minus.
        self.inc(-amount)

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

        In the mode 'livesum' this is right also when processes are killed within it.

        Errors: `ValueError` where the metric has label names and no values.
        """
        self._check_updatable()
        return InprogressTracker(self)

    def time(self) -> Timer:
        """Sets the gauge to the seconds that a block or a decorated function took."""
        return Timer(self, "set")

    def value(self) -> float:
        """The number on the board, whichever process wrote it; where the mode keeps them apart,
        this process's own. 0 where updates go nowhere."""
        self._check_updatable()
        if self._registered is None:
            return 0.0
        library, handle = self._registered
        return library.gauge_value(handle)
