"""What the lines of a text body must say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from oracle.blocks import Block, taken_labels, written_labels
from oracle.names import label_names
from oracle.truth import Board, Case, Exemplar, Family, Series, bits, number

MOST_EXEMPLAR_CHARS = 128
Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class ShownExemplar:
    labels: tuple[tuple[str, str], ...]
    value: str
    """Its bits."""
    unix_millis: int


@dataclass(frozen=True)
class Line:
    """One sample."""

    name: str
    labels: Labels
    value: str
    """Its bits."""
    exemplar: ShownExemplar | None = None


def canonical(bound: float) -> str:
    """As the specification of OpenMetrics writes bounds: as Go's `%g` does, with `.0` where there is no point."""
    if bound == float("inf"):
        return "+Inf"
    if bound == 0:
        return "0.0"
    sign, digits, _ = Decimal(repr(bound)).normalize().as_tuple()
    exponent = Decimal(repr(bound)).adjusted()
    shown = "".join(map(str, digits))
    minus = "-" if sign else ""
    if not -4 <= exponent < 6:
        mantissa = shown[0] + ("." + shown[1:] if len(shown) > 1 else "")
        return f"{minus}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"
    plain = f"{Decimal(repr(abs(bound))):f}"
    return minus + (plain if "." in plain else plain + ".0")


def counter_value(series: Series) -> float:
    """Whole numbers and others are added up apart, and shown as one."""
    counted = series.counted["counter"]
    whole, rest = int(counted["whole"]), number(counted["float"])
    return float(whole) + rest if rest else float(whole)


def gauge_value(family: Family, series: Series) -> float | None:
    """What is shown of one process's gauge."""
    value = series.counted["gauge"]["set"]
    if value is not None:
        return number(value)
    # What nobody has set is 0 where processes share it or are added up, and nothing elsewhere.
    return 0.0 if family.aggregation in ("last", "sum", "livesum") else None


def total(observed: list[float]) -> float:
    """Their sum, which begins with 0."""
    result = 0.0
    for value in observed:
        result += value
    return result


def cumulative(bounds: tuple[float, ...], observed: list[float]) -> list[int]:
    """Observations up to each bound, and all of them."""
    return [sum(value <= bound for value in observed) for bound in bounds] + [len(observed)]


def shown_exemplar(exemplar: Exemplar | None) -> ShownExemplar | None:
    """Names are legacy ones whatever was agreed upon; if that makes them too long, none is shown."""
    if exemplar is None:
        return None
    names = label_names([name for name, _ in exemplar.labels], (), "underscores")
    labels = tuple(zip(names, (value for _, value in exemplar.labels), strict=True))
    if sum(len(name) + len(value) for name, value in labels) > MOST_EXEMPLAR_CHARS:
        return None
    return ShownExemplar(labels, bits(exemplar.value), exemplar.unix_nanos // 1_000_000)


def _info_labels(board: Board, family: Family, series: Series, scheme: str) -> dict[str, str]:
    pairs = [pair for pair in series.counted["info"] if pair[0] not in family.labels]
    names = [*family.labels, *(name for name, _ in pairs)]
    values = [*series.labels, *(value for _, value in pairs)]
    return dict(zip(label_names(names, taken_labels(board, family), scheme), values, strict=True))


def base_labels(board: Board, family: Family, series: Series, scheme: str) -> dict[str, str]:
    """All labels of a series but those that tell its samples apart."""
    if family.kind == "info":
        labels = _info_labels(board, family, series, scheme)
    else:
        names = written_labels(board, family, scheme)
        # A state set has a name more.
        labels = dict(zip(names, series.labels, strict=family.kind != "stateset"))
    if board.label is not None:
        assert "board" not in labels
        labels["board"] = board.label
    return labels


def lines(block: Block, case: Case, body_format: str, scheme: str, created: bool) -> Iterator[Line]:
    """All samples of a family."""
    for board, family in block.parts:
        for series in family.series:
            yield from _lines_of(block, board, family, series, case.pid, body_format, scheme, created)


def _lines_of(
    block: Block,
    board: Board,
    family: Family,
    series: Series,
    pid: int,
    body_format: str,
    scheme: str,
    created: bool,
) -> Iterator[Line]:
    base = base_labels(board, family, series, scheme)
    is_openmetrics = body_format == "openmetrics"

    def line(suffix: str, value: float, exemplar: Exemplar | None = None, **more: str) -> Line:
        shown = shown_exemplar(exemplar) if is_openmetrics else None
        if shown and any("\0" in value for _, value in shown.labels):
            # Prometheus would refuse all of the body.
            shown = None
        return Line(block.name + suffix, frozenset({**base, **more}.items()), bits(value), shown)

    match family.kind:
        case "counter":
            suffix = "_total" if is_openmetrics else ""
            yield line(suffix, counter_value(series), series.exemplars.get(0))
        case "gauge":
            value = gauge_value(family, series)
            if family.is_by_process and series.counted["gauge"]["set"] is not None and value is not None:
                yield line("", value, pid=str(pid))
            elif not family.is_by_process and value is not None:
                yield line("", value)
        case "histogram":
            counts = cumulative(family.bounds, series.observed)
            for place, (bound, count) in enumerate(zip((*family.bounds, float("inf")), counts, strict=True)):
                yield line("_bucket", count, series.exemplars.get(place), le=canonical(bound))
            # OpenMetrics takes a sum for a counter, and allows a count only beside a sum.
            shows_sum = total(series.observed) >= 0 and (not family.bounds or family.bounds[0] >= 0)
            if shows_sum or not is_openmetrics:
                yield line("_sum", total(series.observed))
                yield line("_count", len(series.observed))
        case "summary":
            if total(series.observed) >= 0 or not is_openmetrics:
                yield line("_sum", total(series.observed))
            yield line("_count", len(series.observed))
        case "info":
            yield line("_info" if is_openmetrics else "", 1)
        case "stateset":
            told_apart = written_labels(board, family, scheme)[-1]
            for place, state in enumerate(family.states):
                yield line("", float(place == series.counted["state"]), **{told_apart: state})
    if created and family.kind in ("counter", "histogram", "summary"):
        # Exactly divided, then rounded once.
        yield line("_created", series.created_unix_nanos / 10**9)
