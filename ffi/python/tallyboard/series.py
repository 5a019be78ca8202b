"""Reading the board, for a program's own tests. Prometheus is served by `tallyboard serve`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from . import lowlevel
from .board import reopened


@dataclass(frozen=True)
class Series:
    """One series as it was when it was read."""

    type: str
    """'counter', 'gauge', 'histogram', 'summary', 'info' or 'stateset'; 'unknown' for what a newer
    library made."""
    name: str
    labels: dict[str, str]
    value: float
    """A counter's or gauge's value; 1 of an info and of the state that holds; else 0."""
    count: int
    """A histogram's or summary's number of observations; else 0."""
    sum: float
    """What a histogram or summary observed, added up; else 0."""
    buckets: tuple[tuple[float, int], ...]
    """A histogram's (upper bound, observations up to it), cumulative, +Inf last; else empty."""


def series() -> list[Series]:
    """Every series of the default board, whichever process made it. Opens the board if need be.

    A gauge of the modes 'all' and 'liveall' is one for each process, with its `pid` among the
    labels. A gauge that has no value, as a minimum of nothing, is left out.

    Costs time in proportion to the board's series: for tests and for looking. Empty where there
    is no board (`TALLYBOARD=off`, or a board that could not be opened, which is warned of).

    Errors: `lowlevel.BoardError` for a damaged board.
    """
    board = reopened()
    if board is None:
        return []
    found: list[Series] = []
    failed: list[BaseException] = []

    def visit(sample: Any, _context: object) -> int:
        # An exception cannot pass through C: it is kept, the visit stopped, and raised below.
        try:
            found.append(_series(sample.contents))
        except BaseException as error:
            failed.append(error)
            return 1
        return 0

    board.library.board_visit(board.handle, lowlevel.Visitor(visit), None)
    if failed:
        raise failed[0]
    return found


def _series(sample: lowlevel.SampleStruct) -> Series:
    labels = (sample.labels[i] for i in range(sample.label_count))
    bounds = sample.bounds[: sample.bucket_count]
    buckets = zip(bounds, accumulate(sample.buckets[: sample.bucket_count]))
    # A newer library may have kinds that this package does not know.
    kind = lowlevel.KINDS.get(sample.kind, "unknown")
    return Series(
        type=kind,
        name=sample.name.decode(),
        labels={label.name.decode(): label.value.decode() for label in labels},
        value=sample.value,
        # Counters have it too, as the integer that `value` may have rounded.
        count=sample.count if kind in ("histogram", "summary") else 0,
        sum=sample.sum,
        buckets=tuple(buckets),
    )
