"""The board that this process counts on: opened at first use, once, whatever comes of it.

No lock is held anywhere in here. A lock that another thread holds during a fork stays locked in
the child for ever, and Python programs fork with threads running (gunicorn, Celery, Spark).
Opening is idempotent instead: two threads that come first at the same time both open, one of the
two results is kept by a `dict.setdefault`, which is atomic, and the other is closed.
"""

from __future__ import annotations

import atexit
import ctypes
import os
from contextlib import contextmanager, suppress
from functools import partial
from itertools import repeat
from typing import Callable, Iterable, Iterator, NamedTuple, TypeVar

from . import lowlevel
from .definition import Definition, Native
from .interpreter import is_main
from .trouble import warn_once

H = TypeVar("H", bound=lowlevel.Handle)
K = TypeVar("K")
V = TypeVar("V")


class Board(NamedTuple):
    """An open board and the library that it was opened with."""

    library: lowlevel.Library
    handle: lowlevel.BoardHandle


# At most one entry, under True: the board, or None where updates go nowhere.
_opened: dict[bool, Board | None] = {}

# At most one entry, under True: there once this process has registered something.
_followed: dict[bool, object] = {}


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


def reopened() -> Board | None:
    """As `opened`; for one who reads, where that one was removed, the board that has its name now.

    Those who count need not ask: the library moves what they hold by itself.
    """
    board = opened()
    if board is None or not board.library.board_is_retired(board.handle):
        return board
    new = _open()
    if new is not None:
        _opened[True] = new
    return new


@contextmanager
def counting_privately() -> Iterator[None]:
    """Within the block, what is registered and read is of this process's private board.

    That is one board, however often this is called, and also the one of `TALLYBOARD=private`. What
    is registered already is not moved. Other threads are not kept out.
    """
    opened, followed = dict(_opened), dict(_followed)
    _opened[True] = _open(b"private")
    # Nobody looks at the list of processes of a board that nobody else can see.
    _followed[True] = object()
    try:
        yield
    finally:
        restore(_opened, opened)
        restore(_followed, followed)


def restore(state: dict[K, V], before: dict[K, V]) -> None:
    """Makes it what it was, in place: others hold this very dictionary."""
    state.clear()
    state.update(before)


def _open(location: bytes | None = None) -> Board | None:
    # The library would say so too, but off has to work where there is no library.
    if location is None and os.environ.get("TALLYBOARD") == "off":
        return None
    handle = lowlevel.BoardHandle()
    try:
        library = lowlevel.load()
        library.board_open(location, ctypes.byref(handle))
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
    handle = kind()
    if not _register(board, board.library.register[kind], definition, labelvalues, handle):
        return None
    if not _followed:
        _follow(board)
    return board.library, handle


def remove(
    kind: type[lowlevel.Handle], definition: Definition, labelvalues: tuple[str, ...]
) -> None:
    """Ends the series with these label values on the board, if there is one.

    Cost: some registrations'. What stands in the way is warned of once a metric.
    """
    try:
        texts = [_identity(value) for value in labelvalues]
    except ValueError:
        # What cannot be registered is not there.
        return
    values = (ctypes.c_char_p * len(texts))(*texts)
    _end(kind, definition, lambda family, handle: family.remove(handle, values, len(texts), None))


def clear(kind: type[lowlevel.Handle], definition: Definition) -> None:
    """Ends all series of a metric on the board. A pass over the board; else as `remove`."""
    _end(kind, definition, lambda family, handle: family.clear(handle, None))


def _end(
    kind: type[lowlevel.Handle],
    definition: Definition,
    end: Callable[[lowlevel.Family, lowlevel.Handle], None],
) -> None:
    board = opened()
    if board is None:
        return
    family = board.library.families[kind]
    handle = family.kind()
    if not _register(board, family.register, definition, None, handle):
        return
    try:
        end(family, handle)
    except lowlevel.BoardError as error:
        warn_once((error.status, definition.name), f"{definition.name} is not removed: {error}")


def _register(
    board: Board,
    function: lowlevel.RegisterFunction,
    definition: Definition,
    labelvalues: tuple[str, ...] | None,
    handle: lowlevel.Handle,
) -> bool:
    """Fills `handle`; what is refused is warned of, and False."""
    try:
        metric = _struct(definition, labelvalues)
    except ValueError as error:
        warn_once(("text", definition.name), f"{definition.name} is not counted: {error}")
        return False
    try:
        function(board.handle, ctypes.byref(metric), ctypes.byref(handle))
    except lowlevel.BoardError as error:
        # A full board refuses everything that is new, whatever its name.
        full = error.status == lowlevel.Status.FULL
        cause = error.status if full else (error.status, definition.name)
        warn_once(cause, f"{definition.name} is not counted: {error}")
        return False
    return True


def _follow(board: Board) -> None:
    """Keeps the board's list of processes true of this one and of its children.

    A child that only counts on what it has inherited has no need of a place in the list, and gets
    one as it is forked, which is some syscalls; never at an update. Who ends by the usual way gives
    its place back. Everyone else is found to be dead by whoever looks.
    """
    first = object()
    if _followed.setdefault(True, first) is first:
        library, handle = board
        # Not there on Windows, which does not fork.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=partial(_try, library.board_enlist, handle))
        # The process does not end with another of its interpreters.
        if is_main():
            atexit.register(_try, library.board_leave, handle)


def _try(function: Callable[[lowlevel.BoardHandle], None], handle: lowlevel.BoardHandle) -> None:
    # Nothing depends on it, and a program that forks or ends is not to be told.
    with suppress(Exception):
        function(handle)


def _struct(definition: Definition, labelvalues: tuple[str, ...] | None) -> lowlevel.MetricStruct:
    """A series; a family where there are no values."""
    values: Iterable[bytes | None] = repeat(None)
    if labelvalues is not None:
        values = map(_identity, labelvalues)
    labels = [
        lowlevel.LabelStruct(_identity(name), value)
        for name, value in zip(definition.labelnames, values)
    ]
    bounds = (ctypes.c_double * len(definition.bounds))(*definition.bounds)
    native = definition.native
    texts = [_identity(state) for state in definition.states]
    states = (ctypes.c_char_p * len(texts))(*texts)
    return lowlevel.MetricStruct(
        struct_size=ctypes.sizeof(lowlevel.MetricStruct),
        name=_identity(definition.name),
        # Help is only for showing, so what C cannot take is replaced.
        help=definition.documentation.replace("\0", "\ufffd").encode("utf-8", "replace"),
        unit=_identity(definition.unit),
        labels=(lowlevel.LabelStruct * len(labels))(*labels),
        label_count=len(labels),
        bounds=bounds if bounds else None,  # only histograms may have any
        bound_count=len(bounds),
        aggregation=lowlevel.AGGREGATIONS[definition.mode],
        series_cap=definition.series_cap,
        native=ctypes.pointer(_native(native)) if native else None,
        states=states if states else None,  # only state sets may have any
        state_count=len(states),
    )


def _native(native: Native) -> lowlevel.NativeStruct:
    return lowlevel.NativeStruct(
        struct_size=ctypes.sizeof(lowlevel.NativeStruct),
        schema=native.schema,
        has_negative=native.negative,
        lowest=native.lowest,
        highest=native.highest,
    )


def _identity(text: str) -> bytes:
    """Text that tells one series from another: it is refused, never changed.

    Errors: `ValueError` (`UnicodeEncodeError` is one) for a NUL, which would end the text in C,
    and for a lone surrogate, as `os.fsdecode` makes of a file name that is not UTF-8.
    """
    if "\0" in text:
        raise ValueError(f"{text!r} contains a NUL character")
    return text.encode("utf-8")
