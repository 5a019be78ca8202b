"""A board of its own for each test, empty at first, and everything as it was afterwards.

A process has one private board, and keeps whatever it has ever mapped. So it is not a new board
that each test gets, but that one with all its series ended. The metric objects, which modules made
when they were imported and have handed on since, are connected to it, and at the end to what they
counted on before.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, NamedTuple
from weakref import WeakKeyDictionary

from . import board, declared, functions, lowlevel, metric, publication
from .metric import Metric

# What objects update the private board by.
_updating: WeakKeyDictionary[Metric, Any] = WeakKeyDictionary()


class _Before(NamedTuple):
    """What an object had when the block began. It holds the object: that is not to go meanwhile."""

    metric: Metric
    registered: Any
    children: dict[tuple[str, ...], Any]


@contextmanager
def fresh_board() -> Iterator[None]:
    """Within the block this process counts on an empty private board, and reads that one.

    All metrics count there from zero, also those that were declared long before and children that
    `labels` has returned; those without label names show as 0, as in a process that has just
    begun. What is forked within the block counts there, too; the `value` of a child that was there
    before shows it once the child has counted here, that of `labels` again at once. At the end
    everything counts where it did before, and the names that the block has declared may be declared
    anew.

    Under `TALLYBOARD=private` there is only that one board: it is emptied, and what was counted
    before the block is gone.

    Cost: some ten microseconds for each metric object, and four passes over the board. Not for two
    threads at once; what other threads count meanwhile goes to the one board or to the other.
    """
    before = [_Before(each, each._registered, dict(each._children)) for each in _living()]
    by_definition = dict(metric._by_definition)
    try:
        with declared.restored(), functions.restored(), board.counting_privately():
            _empty()
            for each, _, children in before:
                _show_as_new(each)
                if children:
                    each._children.clear()
            try:
                with publication.restored():
                    yield
            finally:
                _empty()
    finally:
        board.restore(metric._by_definition, by_definition)
        _bring_back(before)


def _bring_back(before: list[_Before]) -> None:
    for each, registered, children in before:
        if _is_series(each):
            each._count_on(registered)
        else:
            board.restore(each._children, children)
    known = {id(each.metric) for each in before}
    for each in _living():
        if id(each) not in known:
            _connect(each)


def _is_series(each: Metric) -> bool:
    return bool(each._labelvalues) or not each._definition.labelnames


def _living() -> list[Metric]:
    # Not `values()`, which another thread that makes a metric would break off.
    found = (reference() for reference in metric._living.valuerefs())
    return [each for each in found if each is not None]


def _connect(each: Metric) -> None:
    if _is_series(each):
        each._count_on(board.register(each._handle, each._definition, each._labelvalues))


def _show_as_new(each: Metric) -> None:
    """Connects it, and shows it only if it has no label names: a child's next update brings it."""
    if not _is_series(each):
        return
    registered = board.register(each._handle, each._definition, each._labelvalues)
    if registered is None:
        each._count_on(None)
        return
    # An object of the accelerator keeps every handle that it has been given. So each is given one,
    # which finds the series as any does whose own has ended, when it is updated.
    updating = _updating.setdefault(each, registered)
    each._connect(*updating)
    each._registered = updating if each._labelvalues else registered
    if each._labelvalues:
        board.remove(each._handle, each._definition, each._labelvalues)


def _empty() -> None:
    """Ends every series on the board, whichever process made it and whatever has become of that."""
    opened = board.opened()
    if opened is None:
        return
    library, handle = opened
    # What it sees for the first time it only notes: the second time nothing has changed.
    for _ in range(2):
        library.board_expire(handle, 0, None)
    # An info is not meant to change, and so stays.
    for kind, definition in {(each._handle, each._definition) for each in _living()}:
        if kind is lowlevel.InfoHandle:
            board.clear(kind, definition)
