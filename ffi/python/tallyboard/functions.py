"""What `Gauge.set_function` was given: functions of this process whose results are shown.

A function belongs to a series of the board, not to a metric object, of which there may be several
for one series. It is called when a registry of its own process is collected, and by `publish`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable, Iterator, Mapping, NamedTuple, Tuple

from . import board
from .definition import Definition

if TYPE_CHECKING:
    from .metric import Metric

Labels = Tuple[Tuple[str, str], ...]
"""Names and values, sorted."""

# By the family's name on the board.
_functions: dict[str, dict[Labels, Callable[[], float]]] = {}


class Evaluated(NamedTuple):
    """The functions of one family of gauges, as `publish` wants them."""

    definition: Definition
    functions: Mapping[tuple[str, ...], Callable[[], float]]
    """By the values of their labels, in the order of the definition."""
    children: int
    """How many there are in this process, with a function or without."""


def put(board_name: str, labels: Mapping[str, str], function: Callable[[], float]) -> None:
    """From now on, `function` says what the gauge of this name and these labels is."""
    _functions.setdefault(board_name, {})[sorted_labels(labels)] = function


def take(board_name: str, labels: Mapping[str, str] | None = None) -> None:
    """Forgets the function of a gauge; without labels, those of the whole family."""
    if labels is None:
        _functions.pop(board_name, None)
    else:
        _functions.get(board_name, {}).pop(sorted_labels(labels), None)


def of(board_name: str) -> dict[Labels, Callable[[], float]]:
    """The functions of a family by the labels of their series."""
    return dict(_functions.get(board_name, {}))


def evaluated(metric: Metric) -> Evaluated:
    """The functions of a metric of this package."""
    definition = metric._definition
    found = {}
    for labels, function in of(definition.name).items():
        values = dict(labels)
        if values.keys() != set(definition.labelnames):
            # Of another declaration of the name, with another registry.
            continue
        found[tuple(values[name] for name in definition.labelnames)] = function
    return Evaluated(definition, found, len(metric._children))


@contextmanager
def restored() -> Iterator[None]:
    """Forgets what the block has put, and nothing that was there before it."""
    before = {name: dict(functions) for name, functions in _functions.items()}
    try:
        yield
    finally:
        board.restore(_functions, before)


def sorted_labels(labels: Mapping[str, str]) -> Labels:
    """What tells a series from others of its family."""
    return tuple(sorted(labels.items()))
