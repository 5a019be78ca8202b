"""What a metric is, apart from its values: the names, the checks on them, and their order."""

from __future__ import annotations

import os
import re
import sys
from operator import index
from typing import Iterable, Mapping, NamedTuple, Sequence

_RESERVED_LABEL_NAME = re.compile(r"__.*")
# All that Prometheus took before its version 3.
_OLD_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_OLD_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Native(NamedTuple):
    """The exponential buckets of a native histogram: `Histogram(…, native=Native(…))`.

    Each bound is 2 to the power of 2**-schema times the one before. The buckets are fixed: what is
    nearer to 0 than `lowest` is counted in the bucket of zero, what is above `highest` in the
    highest. There is room for 188, or 94 on each side; a series takes (buckets + 4) / 3 slots of
    the board, the default 44.
    """

    schema: int = 3
    """From -4 to 8: 0 doubles, 3 is 9 % from one bound to the next, 8 is 0.3 %."""
    lowest: float = 0.001
    """Above 0: what is to have buckets of its own begins here."""
    highest: float = 64.0
    """It ends here."""
    negative: bool = False
    """Whether there are as many buckets again for negative values, the same range mirrored."""


class Definition(NamedTuple):
    """Everything that another process needs to make the same metric: this is what is pickled."""

    name: str
    """As on the board: a counter's ends in `_total`."""
    documentation: str
    labelnames: tuple[str, ...]
    unit: str
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets, ascending, without +Inf."""
    mode: str = ""
    """A gauge's aggregation over processes, in prometheus_client's words; '' for one value that
    they share."""
    series_cap: int = 0
    """Series that the metric may have at most, as far as a process that has this is concerned."""
    native: Native | None = None
    """A native histogram's buckets; it has no bounds then."""
    states: tuple[str, ...] = ()
    """An enum's states, in their order."""

    def same_series(self, other: Definition) -> bool:
        """Whether both mean the same series. Help and cap may change, and a board sorts labels."""
        return self._identity() == other._identity()

    def _identity(self) -> tuple[object, ...]:
        labels = tuple(sorted(self.labelnames))
        return (self.name, labels, self.unit, self.bounds, self.mode, self.native, self.states)


def full_name(kind: str, name: str, namespace: str, subsystem: str, unit: str) -> str:
    """prometheus_client's name of a metric: `namespace_subsystem_name_unit`, without `_total`.

    Errors: `ValueError` where the name is empty or cannot be written as UTF-8, for a unit of what
    has none, and for what prometheus_client's switch for the old names excludes.
    """
    if not name:
        raise ValueError("Metric name should not be empty")
    full = "_".join(part for part in (namespace, subsystem, name) if part)
    if kind == "counter" and full.endswith("_total"):
        full = full[: -len("_total")]
    if unit and kind in ("info", "stateset"):
        raise ValueError(f"Metric name is of a type that cannot have a unit: {full}")
    if unit and not full.endswith("_" + unit):
        full += "_" + unit
    if not full:
        raise ValueError("Metric name should not be empty")
    _check_text(full, "metric name")
    if not _OLD_METRIC_NAME.fullmatch(full) and _only_old_names():
        raise ValueError(f"Invalid metric name: {full!r} is more than letters, digits, _ and :")
    return full


def label_names(names: Iterable[str], reserved: Sequence[str]) -> tuple[str, ...]:
    """The label names as a tuple.

    Errors: `ValueError` for what prometheus_client refuses (`__` in front, `le` on a histogram,
    `quantile` on a summary, not UTF-8), and for a name that comes twice, of which it would make
    text that no Prometheus accepts.
    """
    checked = tuple(names)
    for name in checked:
        _check_text(name, "label name")
        if _RESERVED_LABEL_NAME.match(name) or name in reserved:
            raise ValueError(f"Reserved label name: {name}")
        if not _OLD_LABEL_NAME.fullmatch(name) and _only_old_names():
            raise ValueError(f"Invalid label name: {name!r} is more than letters, digits and _")
    if len(set(checked)) != len(checked):
        raise ValueError(f"Duplicate label name in {checked}")
    return checked


def bucket_bounds(buckets: Iterable[float | str]) -> tuple[float, ...]:
    """Upper bounds as numbers, without the +Inf that every histogram has.

    A bound that is given twice is one bucket. Errors: `ValueError` where they are not ascending
    or where there is none besides +Inf.
    """
    bounds = [float(bound) for bound in buckets]
    # A NaN is equal to nothing, itself neither, and sorts anywhere.
    if bounds != sorted(bounds) or any(bound != bound for bound in bounds):
        raise ValueError("Buckets not in sorted order")
    finite = tuple(dict.fromkeys(bound for bound in bounds if bound != float("inf")))
    if not finite:
        raise ValueError("Must have at least two buckets")
    return finite


def native_buckets(native: Native | bool | None) -> Native | None:
    """With numbers as C takes them; True is the default. Whether there is room, the library says.

    Errors: `TypeError` for what is no `Native` or has something else than numbers, `ValueError` for
    a schema or a range that there cannot be.
    """
    if native is None or native is False:
        return None
    if native is True:
        return Native()
    if not isinstance(native, Native):
        raise TypeError(f"native is {native!r}: it should be True or a Native")
    schema = index(native.schema)
    if not -4 <= schema <= 8:
        raise ValueError(f"native.schema is {schema}: it should be -4 to 8")
    lowest, highest = float(native.lowest), float(native.highest)
    if not 0 < lowest <= highest < float("inf"):
        raise ValueError(
            f"native is for {lowest} to {highest}: it should begin above 0, and end there or above"
        )
    return Native(schema, lowest, highest, bool(native.negative))


def series_cap(series: int) -> int:
    """Errors: `TypeError` for what is not an integer, `ValueError` for one that is no cap."""
    checked = index(series)
    if not 0 <= checked < 2**32:
        raise ValueError(f"series_cap is {series}: it should be 0 (none) to 4,294,967,295")
    return checked


def state_names(
    metric: str, states: Iterable[str] | None, labels: Sequence[str]
) -> tuple[str, ...]:
    """An enum's states as a tuple.

    Errors: `ValueError` where there are none, where one is empty or comes twice, of which
    Prometheus could not tell which holds, and where the metric's name, the label that tells them
    apart, is one of `labels`.
    """
    if metric in labels:
        raise ValueError(f"Overlapping labels for Enum metric: {metric}")
    checked = tuple(states or ())
    if not checked:
        raise ValueError(f"No states provided for Enum metric: {metric}")
    for state in checked:
        _check_text(state, "state")
    if "" in checked or len(set(checked)) != len(checked):
        raise ValueError(f"States of {metric} should differ and not be empty: {checked}")
    return checked


def check_pairs(pairs: Mapping[str, str], labels: Sequence[str]) -> None:
    """Errors: `ValueError` for what an info cannot say."""
    if set(labels).intersection(pairs):
        raise ValueError(f"Overlapping labels for Info metric, metric: {labels} child: {pairs}")
    if any(value is None for value in pairs.values()):
        raise ValueError("Label value cannot be None")
    label_names(pairs, ())
    for name, value in pairs.items():
        if not name:
            raise ValueError("The name of an info's value should not be empty")
        _check_text(value, f"value of {name}")


def check_exemplar(exemplar: dict[str, str]) -> None:
    """Errors: `ValueError` for label names, text or a length that OpenMetrics does not allow."""
    label_names(exemplar, ())
    for value in exemplar.values():
        _check_text(value, "exemplar")
    length = sum(len(name) + len(value) for name, value in exemplar.items())
    if length > 128:
        raise ValueError(f"Exemplar labels have {length} characters, exceeding the limit of 128")


def _check_text(text: str, what: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"Invalid {what}: {text!r} is not valid Unicode") from None
    if "\0" in text:
        raise ValueError(f"Invalid {what}: {text!r} contains a NUL character")


def _only_old_names() -> bool:
    """Whether prometheus_client is to refuse names of any Unicode; it need not be imported."""
    validation = sys.modules.get("prometheus_client.validation")
    chosen = getattr(validation, "get_legacy_validation", None)
    if chosen is not None:
        return bool(chosen())
    asked = os.environ.get("PROMETHEUS_LEGACY_NAME_VALIDATION", "")
    return asked.lower() in ("true", "1", "t")
