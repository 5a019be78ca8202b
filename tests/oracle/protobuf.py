"""The judge of Protocol buffers: Google's implementation, with the fields that Prometheus publishes.

Beyond names, labels and values it reads the exact times of creation, exemplars, and the buckets of native histograms.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from typing import Any

from google.protobuf import proto, unknown_fields
from google.protobuf.message import DecodeError

from oracle.blocks import Block, written_labels
from oracle.lines import (
    Labels,
    base_labels,
    counter_value,
    cumulative,
    gauge_value,
    shown_exemplar,
    total,
)
from oracle.mismatch import MismatchError, compare
from oracle.schema import TYPES, Family
from oracle.truth import Board, Body, Case, Exemplar, Series, Window, bits
from oracle.truth import Family as FamilyTruth

MOST_OWN = 10
"""Exemplars that a native histogram shows of its own, beside those of its classic buckets."""
PADDING = 15
"""The field of a family that no reader knows: what stands in the place of a series that has nothing to say."""
STALE = "7ff0000000000002"
"""The NaN by which Prometheus notes that a series has ended: nothing that is exposed may be it."""
Shown = dict[str, Any]


def _number(value: float) -> str:
    if struct.pack(">d", value).hex() == STALE:
        raise MismatchError("a value is the NaN that says to Prometheus that the series has ended")
    return bits(value)


def _nanos(timestamp: Any) -> int:
    return int(timestamp.seconds) * 10**9 + int(timestamp.nanos)


def _created(message: Any) -> int | None:
    return _nanos(message.created) if message.HasField("created") else None


def _shown_exemplar(exemplar: Any) -> Shown:
    return {"labels": _labels(exemplar), "value": _number(exemplar.value), "nanos": _nanos(exemplar.timestamp)}


def _exemplar(message: Any) -> Shown | None:
    return _shown_exemplar(message.exemplar) if message.HasField("exemplar") else None


def _labels(message: Any) -> Labels:
    labels = [(label.name, label.value) for label in message.label]
    if len(dict(labels)) != len(labels):
        raise MismatchError(f"a label is there twice: {labels}")
    return frozenset(labels)


def _buckets(spans: Any, deltas: Any) -> dict[int, int]:
    """The buckets that are not empty by their index."""
    rest = iter(deltas)
    found = {}
    index = count = 0
    for span in spans:
        index += span.offset
        for _ in range(span.length):
            count += next(rest)
            if count:
                found[index] = count
            index += 1
    if next(rest, None) is not None:
        raise MismatchError("a native histogram has more differences than buckets")
    return found


def _histogram(message: Any) -> Shown:
    shown: Shown = {
        "count": message.count,
        "sum": _number(message.sum),
        "created": _created(message),
        "classic": [(bits(bucket.bound), bucket.cumulative, _exemplar(bucket)) for bucket in message.bucket],
    }
    if message.HasField("schema"):
        spans = [*message.negative_span, *message.positive_span]
        shown |= {
            "schema": message.schema,
            "zero_threshold": message.zero_threshold,
            "zero_count": message.zero_count,
            "negative": _buckets(message.negative_span, message.negative_delta),
            "positive": _buckets(message.positive_span, message.positive_delta),
            # By a span, though it be empty, Prometheus knows that it is a native histogram.
            "has_span": bool(spans),
            "exemplars": [_shown_exemplar(exemplar) for exemplar in message.exemplar],
        }
    return shown


def _metric(message: Any) -> Shown:
    for kind in ("gauge", "counter", "summary", "histogram"):
        if not message.HasField(kind):
            continue
        value = getattr(message, kind)
        match kind:
            case "gauge":
                return {kind: _number(value.value)}
            case "counter":
                return {kind: _number(value.value), "created": _created(value), "exemplar": _exemplar(value)}
            case "summary":
                return {"count": value.count, "sum": _number(value.sum), "created": _created(value)}
        return _histogram(value)
    raise MismatchError("a metric without a value")


def exponential(window: Window, observed: list[float]) -> Shown:
    """What a native histogram with such a window has counted."""

    def bound(index: int) -> float:
        return 2.0 ** (index / 2.0**window.schema)

    def bucket(value: float) -> int:
        if not value <= bound(window.last):
            # NaN, too.
            return window.last
        index = math.ceil(math.log2(value) * 2.0**window.schema)
        # The logarithm is rounded.
        while bound(index) < value:
            index += 1
        while bound(index - 1) >= value:
            index -= 1
        return index

    threshold = bound(window.first - 1)
    zero = 0
    sides: dict[bool, dict[int, int]] = {False: {}, True: {}}
    for value in observed:
        if abs(value) <= threshold or (value < 0 and not window.signed):
            zero += 1
        else:
            side = sides[value < 0]
            index = bucket(abs(value))
            side[index] = side.get(index, 0) + 1
    return {
        "schema": window.schema,
        "zero_threshold": threshold,
        "zero_count": zero,
        "negative": sides[True],
        "positive": sides[False],
        "has_span": True,
    }


def _expected_exemplar(exemplar: Exemplar | None) -> Shown | None:
    shown = shown_exemplar(exemplar)
    if exemplar is None or shown is None:
        return None
    return {"labels": frozenset(shown.labels), "value": shown.value, "nanos": exemplar.unix_nanos}


def _expected_histogram(family: FamilyTruth, series: Series) -> Shown:
    observed = series.observed
    classic = []
    for place, (bound, count) in enumerate(
        zip((*family.bounds, math.inf), cumulative(family.bounds, observed), strict=True)
    ):
        exemplar = _expected_exemplar(series.exemplars.get(place))
        # The last one is the count, and is there for its exemplar only.
        if bound < math.inf or exemplar:
            classic.append((bits(bound), count, exemplar))
    shown: Shown = {
        "count": len(observed),
        "sum": bits(total(observed)),
        "created": series.created_unix_nanos,
        "classic": classic,
    }
    if family.native:
        shown |= exponential(family.native, observed)
        # By value, which the buckets are; none of no number; the newest, where there are more.
        own = [series.exemplars[place] for place in sorted(series.exemplars)]
        own = [exemplar for exemplar in own if not math.isnan(exemplar.value)]
        while len(own) > MOST_OWN:
            own.remove(min(own, key=lambda exemplar: exemplar.unix_nanos))
        shown["exemplars"] = [shown for shown in map(_expected_exemplar, own) if shown]
    return shown


def _expected(
    board: Board, family: FamilyTruth, series: Series, pid: int, scheme: str
) -> Iterator[tuple[dict[str, str], Shown]]:
    labels = base_labels(board, family, series, scheme)
    match family.kind:
        case "counter":
            exemplar = _expected_exemplar(series.exemplars.get(0))
            created = series.created_unix_nanos
            yield labels, {"counter": bits(counter_value(series)), "created": created, "exemplar": exemplar}
        case "gauge":
            value = gauge_value(family, series)
            if family.is_by_process and value is not None:
                yield {**labels, "pid": str(pid)}, {"gauge": bits(value)}
            elif value is not None:
                yield labels, {"gauge": bits(value)}
        case "summary":
            observed = series.observed
            yield (
                labels,
                {"count": len(observed), "sum": bits(total(observed)), "created": series.created_unix_nanos},
            )
        case "histogram":
            yield labels, _expected_histogram(family, series)
        case "info":
            yield labels, {"gauge": bits(1.0)}
        case "stateset":
            told_apart = written_labels(board, family, scheme)[-1]
            for place, state in enumerate(family.states):
                holds = place == series.counted["state"]
                yield {**labels, told_apart: state}, {"gauge": bits(float(holds))}


def _is_near(one: float, other: float) -> bool:
    """A bound that no number is: Prometheus's table of them is some units of the last place beside the real ones."""
    return math.isclose(one, other, rel_tol=1e-14)


def _families(content: bytes) -> Iterator[Any]:
    stream = io.BytesIO(content)
    try:
        while (message := proto.parse_length_prefixed(Family, stream)) is not None:
            yield message
    except (DecodeError, ValueError) as error:
        raise MismatchError(f"no message of a family: {error!r}") from error


def _no_unknown(message: Any) -> None:
    """Everything in a message has a meaning, but for the padding."""
    for field in unknown_fields.UnknownFieldSet(message):
        if message.DESCRIPTOR.name != "Family" or field.field_number != PADDING:
            raise MismatchError(f"{message.DESCRIPTOR.name} has the unknown field {field.field_number}")
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in [value] if hasattr(value, "ListFields") else value:
                _no_unknown(inner)


def judge(case: Case, body: Body, blocks: dict[str, Block]) -> int:
    """The number of metrics that were read back; raises `MismatchError` unless they are what was counted."""
    meta = {}
    metrics: dict[tuple[str, Labels], Shown] = {}
    for family in _families(body.content):
        _no_unknown(family)
        if family.name in meta:
            raise MismatchError(f"the family {family.name!r} is there twice")
        # One whose series have nothing to say is there without any.
        if family.metric:
            meta[family.name] = (TYPES.get(family.type), family.help, family.unit)
        for metric in family.metric:
            key = (family.name, _labels(metric))
            if key in metrics:
                raise MismatchError(f"{key!r} is there twice")
            metrics[key] = _metric(metric)

    expected_meta = {}
    expected: dict[tuple[str, Labels], Shown] = {}
    for name, block in blocks.items():
        for board, family in block.parts:
            for series in family.series:
                for labels, shown in _expected(board, family, series, case.pid, body.escaping):
                    expected_meta[name] = (block.shown_kind, block.help, block.unit)
                    key = (name, frozenset(labels.items()))
                    found = metrics.get(key, {}).get("zero_threshold")
                    if found is not None and _is_near(found, shown.get("zero_threshold", math.nan)):
                        shown["zero_threshold"] = found
                    expected[key] = shown
    compare("type, help and unit of the family", meta, expected_meta)
    compare("the metric", metrics, expected)
    return len(expected)
