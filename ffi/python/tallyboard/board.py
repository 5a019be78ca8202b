"""The board that this process counts on: opened at first use, once, whatever comes of it.

No lock is held anywhere in here. A lock that another thread holds during a fork stays locked in
the child for ever, and Python programs fork with threads running (gunicorn, Celery, Spark).
Opening is idempotent instead: two threads that come first at the same time both open, one of the
two results is kept by a `dict.setdefault`, which is atomic, and the other is closed.
"""

from __future__ import annotations

import ctypes
import os
from typing import NamedTuple, TypeVar

from . import lowlevel
from .definition import Definition
from .trouble import warn_once

H = TypeVar("H", bound=lowlevel.Handle)


class Board(NamedTuple):
    """An open board and the library that it was opened with."""

    library: lowlevel.Library
    handle: lowlevel.BoardHandle


# At most one entry, under True: the board, or None where updates go nowhere.
_opened: dict[bool, Board | None] = {}


def opened() -> Board | None:
    """The default board, opened at the first call. None: off, or it could not be opened.

    Cost: a dictionary look-up; the first call loads the library and opens or makes the board,
    which is some hundred microseconds. A failure is warned of once and not tried again, so what
    the process does does not depend on when it is asked.
    """
    try:
        return _opened[True]
    except KeyError:
        return _opened.setdefault(True, _open())


def _open() -> Board | None:
    # The library would say so too, but off has to work where there is no library.
    if os.environ.get("TALLYBOARD") == "off":
        return None
    handle = lowlevel.BoardHandle()
    try:
        library = lowlevel.load()
        library.board_open(None, ctypes.byref(handle))
    except (lowlevel.LibraryUnusable, lowlevel.BoardError) as error:
        warn_once("open", f"metrics of this process are not counted: {error}")
        return None
    return None if library.board_is_off(handle) else Board(library, handle)


def register(
    kind: type[H], definition: Definition, labelvalues: tuple[str, ...]
) -> tuple[lowlevel.Library, H] | None:
    """Finds or makes the series and returns the handle that updates it; None: go nowhere.

    Cost: about as much as a dictionary look-up in C when some process has registered the series
    before, a few microseconds more when none has. Never waits for another process.

    Whatever is refused (the board is full, another process has registered the name as
    another kind, a text is too long) is warned of once a metric, and the board counts it; the
    exporter shows that number.
    """
    board = opened()
    if board is None:
        return None
    try:
        metric = _struct(definition, labelvalues)
    except ValueError as error:
        warn_once(("text", definition.name), f"{definition.name} is not counted: {error}")
        return None
    handle = kind()
    try:
        board.library.register[kind](board.handle, ctypes.byref(metric), ctypes.byref(handle))
    except lowlevel.BoardError as error:
        # A full board refuses everything that is new, whatever its name.
        full = error.status == lowlevel.Status.FULL
        cause = error.status if full else (error.status, definition.name)
        warn_once(cause, f"{definition.name} is not counted: {error}")
        return None
    return board.library, handle


def _struct(definition: Definition, labelvalues: tuple[str, ...]) -> lowlevel.MetricStruct:
    labels = (lowlevel.LabelStruct * len(labelvalues))(
        *(
            lowlevel.LabelStruct(_identity(name), _identity(value))
            for name, value in zip(definition.labelnames, labelvalues)
        )
    )
    bounds = (ctypes.c_double * len(definition.bounds))(*definition.bounds)
    return lowlevel.MetricStruct(
        struct_size=ctypes.sizeof(lowlevel.MetricStruct),
        name=_identity(definition.name),
        # Help is only for showing, so what C cannot take is replaced.
        help=definition.documentation.replace("\0", "\ufffd").encode("utf-8", "replace"),
        unit=_identity(definition.unit),
        labels=labels,
        label_count=len(labels),
        bounds=bounds if bounds else None,  # only histograms may have any
        bound_count=len(bounds),
    )


def _identity(text: str) -> bytes:
    """Text that tells one series from another: it is refused, never changed.

    Errors: `ValueError` (`UnicodeEncodeError` is one) for a NUL, which would end the text in C,
    and for a lone surrogate, as `os.fsdecode` makes of a file name that is not UTF-8.
    """
    if "\0" in text:
        raise ValueError(f"{text!r} contains a NUL character")
    return text.encode("utf-8")
