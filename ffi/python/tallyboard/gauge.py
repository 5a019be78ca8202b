"""Gauges."""

from __future__ import annotations

import time
from ctypes import ArgumentError
from functools import partial
from typing import Callable, Iterable, NoReturn

from . import lowlevel
from .blocks import InprogressTracker, Timer
from .definition import Definition
from .metric import Metric, refuse_amount

_MODES = frozenset(
    live + mode for live in ("", "live") for mode in ("all", "min", "max", "sum", "mostrecent")
)


class Gauge(Metric):
    """A number that goes up and down. All processes share one: the last write wins.

    `multiprocess_mode` is prometheus_client's. '' (the default) and 'mostrecent' both mean the
    one shared number; with 'mostrecent', `inc` and `dec` are refused as they are there, with ''
    every process may add to and take from it. The modes that keep a number for each process
    ('all', 'sum', 'min', 'max', and 'live…') are not there yet.

    Without label names it is registered here and shows as 0; else at the first `labels(…)`.
    `registry` is accepted and not used: the board is the registry, and it is one for all.

    Errors: `ValueError` for a bad name, label name or mode, and for a declaration that
    contradicts an earlier one of this process; `NotImplementedError` for the modes to come. A
    board that cannot be opened or is full is one `RuntimeWarning`.
    """

    __slots__ = ("_add", "_read", "_set")

    _type = "gauge"
    _handle = lowlevel.GaugeHandle
    _updates = ("_add", "_set", "_read")

    _add: Callable[[float], object]
    _set: Callable[[float], object]
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
        multiprocess_mode: str = "",
    ) -> None:
        if multiprocess_mode not in _MODES and multiprocess_mode != "":
            raise ValueError(f"Invalid multiprocess mode: {multiprocess_mode}")
        if multiprocess_mode not in ("", "mostrecent"):
            raise NotImplementedError(
                f"multiprocess mode {multiprocess_mode!r} is not there yet: "
                "use 'mostrecent', or leave it out for one number that all processes share"
            )
        super().__init__(
            name,
            documentation,
            labelnames,
            namespace,
            subsystem,
            unit,
            mode=multiprocess_mode,
        )

    def _connect(self, library: lowlevel.Library, handle: lowlevel.GaugeHandle) -> None:
        self._add = partial(library.gauge_add, handle)
        self._set = partial(library.gauge_set, handle)
        self._read = partial(library.gauge_value, handle)

    def _start(self, definition: Definition, labelvalues: tuple[str, ...]) -> None:
        super()._start(definition, labelvalues)
        if definition.mode == "mostrecent":
            self._add = _refuse_mostrecent

    def inc(self, amount: float = 1) -> None:
        """Adds `amount`. No syscall, no lock; safe in threads, signal handlers and after fork.

        Errors: `ValueError` where the metric has label names and no values; `RuntimeError` in
        the mode 'mostrecent'; `TypeError` for what is not a number.
        """
        try:
            self._add(amount)
        except ArgumentError:
            refuse_amount(amount)

    def dec(self, amount: float = 1) -> None:
        """Takes `amount` off. Cost and errors as `inc`."""
        self.inc(-amount)

    def set(self, value: float) -> None:
        """Sets the number, for all processes. No syscall, no lock.

        Errors: `ValueError` where the metric has label names and no values, and, like
        `TypeError`, for what `float()` cannot convert.
        """
        try:
            self._set(value)
        except ArgumentError:
            # Text is not a C double but may well be a number.
            self._set(float(value))

    def set_to_current_time(self) -> None:
        """Sets the number to now, in seconds since 1970. Errors as `set`."""
        self.set(time.time())

    def track_inprogress(self) -> InprogressTracker:
        """Adds one while a block or a decorated function runs.

        Errors: `ValueError` where the metric has label names and no values.
        """
        self._check_updatable()
        return InprogressTracker(self)

    def time(self) -> Timer:
        """Sets the gauge to the seconds that a block or a decorated function took."""
        return Timer(self, "set")

    def value(self) -> float:
        """The number on the board, whichever process wrote it. 0 where updates go nowhere."""
        return float(self._read())


def _refuse_mostrecent(_amount: float) -> NoReturn:
    raise RuntimeError("inc and dec must not be used with the mostrecent mode")
