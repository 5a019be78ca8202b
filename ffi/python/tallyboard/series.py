"""Reading the board: what `collector.py` shows, and what a program's own tests look at."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Container, NamedTuple

from . import lowlevel
from .board import reopened


class Exemplar(NamedTuple):
    """One update, and where it came from."""

    bucket: int
    """Which of a histogram's buckets it is in; 0 of a counter's."""
    value: float
    """What was added or observed."""
    created: float
    """When, in seconds since 1970."""
    labels: dict[str, str]


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
    help: str = ""
    """Of its family, as are `type`, `name` and `unit`."""
    unit: str = ""
    created: float = 0.0
    """When the series began, in seconds since 1970."""
    exemplars: tuple[Exemplar, ...] = ()
    """The last of a counter, and of each bucket of a histogram."""


def series() -> list[Series]:
    """Every series of the default board, whichever process made it. Opens the board if need be.

    A gauge of the modes 'all' and 'liveall' is one for each process, with its `pid` among the
    labels. A gauge that has no value, as a minimum of nothing, is left out.

    Costs time in proportion to the board's series: for tests and for looking. Empty where there
    is no board (`TALLYBOARD=off`, or a board that could not be opened, which is warned of).

    Errors: `lowlevel.BoardError` for a damaged board.
    """
    return series_of(None)


def series_of(names: Container[str] | None) -> list[Series]:
    """As `series`, of the families that have these names on the board; None is all of them."""
    board = reopened()
    if board is None:
        return []
    found: list[Series] = []
    failed: list[BaseException] = []

    def visit(sample: Any, _context: object) -> int:
        # An exception cannot pass through C: it is kept, the visit stopped, and raised below.
        try:
            one: lowlevel.SampleStruct = sample.contents
            if names is None or one.name.decode() in names:
                found.append(_series(one))
        except BaseException as error:
            failed.append(error)
            return 1
        return 0

    board.library.board_visit(board.handle, lowlevel.Visitor(visit), None)
    if failed:
        raise failed[0]
    return found


def _series(sample: lowlevel.SampleStruct) -> Series:
    bounds = sample.bounds[: sample.bucket_count]
    buckets = zip(bounds, accumulate(sample.buckets[: sample.bucket_count]))
    # A newer library may have kinds that this package does not know.
    kind = lowlevel.KINDS.get(sample.kind, "unknown")
    return Series(
        type=kind,
        name=sample.name.decode(),
        labels=_labels(sample),
        value=sample.value,
        # Counters have it too, as the integer that `value` may have rounded.
        count=sample.count if kind in ("histogram", "summary") else 0,
        sum=sample.sum,
        buckets=tuple(buckets),
        help=sample.help.decode(),
        unit=sample.unit.decode(),
        created=sample.created_unix_nanos / 1e9,
        exemplars=tuple(map(_exemplar, sample.exemplars[: sample.exemplar_count])),
    )


def _exemplar(exemplar: lowlevel.ExemplarStruct) -> Exemplar:
    return Exemplar(exemplar.bucket, exemplar.value, exemplar.unix_nanos / 1e9, _labels(exemplar))


def _labels(of: lowlevel.SampleStruct | lowlevel.ExemplarStruct) -> dict[str, str]:
    labels = of.labels[: of.label_count]
    return {label.name.decode(): label.value.decode() for label in labels}
