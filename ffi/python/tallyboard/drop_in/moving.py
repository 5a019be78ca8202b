"""Metrics that were there before the drop-in, with what they have counted.

They are changed in place: whoever holds one, or a child that `labels` returned, counts on the
board with it. What another thread counts while its metric is being moved may be lost. When a
series began is not kept: on the board it begins here. Observations are made anew, one by one: their
counts are exact, and the sum is, but for its rounding.
"""

from __future__ import annotations

import gc
from collections import deque
from itertools import repeat
from math import isfinite
from typing import Any, Iterator, Sequence

from prometheus_client import metrics
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import REGISTRY

from ..trouble import warn_once
from .metrics import attach, on_board, start


def move_all() -> None:
    """Moves every metric of this process over.

    Cost: a pass over all objects, and some ten nanoseconds for each observation that there was.
    """
    # Those of a frozen generation are not among them, and may still be in the default registry.
    for each in (*gc.get_objects(), *_registered()):
        # Not isinstance, which asks the object: a proxy might answer with an exception.
        if issubclass(type(each), MetricWrapperBase) and on_board(each) is None:
            try:
                _move(each)
            except Exception as error:
                # Of a subclass, or half made by another thread. The others are moved.
                warn_once(("move", id(each)), f"{each!r} is not moved to the board: {error!r}")


def _registered() -> Iterator[Any]:
    for each in list(REGISTRY._collector_to_names):
        yield each
        if isinstance(each, MetricWrapperBase) and each._is_parent():
            yield from list(each._metrics.values())


def _move(metric: Any) -> None:
    if metric._is_parent():
        attach(metric)
    elif isinstance(metric, metrics.Info):
        attach(metric)
        if metric._value:
            metric.info(metric._value)
    elif isinstance(metric, metrics.Enum):
        attach(metric)
        if metric._value:
            metric.state(metric._states[metric._value])
    elif isinstance(metric, metrics.Counter):
        value = metric._value
        start(metric)
        _move_counter(metric, value)
    elif isinstance(metric, metrics.Gauge):
        value = metric._value
        start(metric)
        if value.get():
            metric._value.set(value.get())
    elif isinstance(metric, metrics.Summary):
        count, total = metric._count, metric._sum
        start(metric)
        if count.get():
            _observe(metric, 0.0, int(count.get()) - 1)
            metric.observe(total.get())
    elif isinstance(metric, metrics.Histogram):
        buckets, total = metric._buckets, metric._sum
        start(metric)
        _move_histogram(metric, buckets, total.get())


def _move_counter(counter: Any, value: Any) -> None:
    number, exemplar = value.get(), value.get_exemplar()
    if exemplar is not None and 0 <= exemplar.value <= number:
        counter.inc(_whole(exemplar.value), exemplar.labels)
        number -= exemplar.value
    counter.inc(_whole(number))


def _whole(number: float) -> float:
    """As an integer where it is one: those the board adds exactly."""
    return int(number) if number == int(number) else number


def _move_histogram(histogram: Any, buckets: Sequence[Any], total: float) -> None:
    counts = [int(bucket.get()) for bucket in buckets]
    for place, bucket in enumerate(buckets):
        exemplar = bucket.get_exemplar()
        if exemplar is not None and counts[place]:
            histogram.observe(exemplar.value, exemplar.labels)
            counts[place] -= 1
            total -= exemplar.value
    for amount, count in zip(_amounts(histogram._upper_bounds, counts, total), counts):
        _observe(histogram, amount, count)


def _observe(metric: Any, amount: float, times: int) -> None:
    deque(map(metric.observe, repeat(amount, times)), maxlen=0)


def _amounts(bounds: Sequence[float], counts: Sequence[int], total: float) -> list[float]:
    """For each bucket an amount that falls into it, such that so many of each add up to `total`.

    All are the same part of the way from their bucket's lower bound to its upper one. A total that
    is no number is not kept.
    """
    if not isfinite(total):
        total = 0.0
    finite = bounds[:-1]
    # What is without a bound is taken to be as wide as the total can need.
    wide = 1.0 + abs(total) + sum(abs(bound) * count for bound, count in zip(finite, counts))
    wide += abs(finite[-1]) * counts[-1]
    lows = [finite[0] - wide, *finite]
    highs = [*finite, finite[-1] + wide]
    low = sum(bound * count for bound, count in zip(lows, counts))
    high = sum(bound * count for bound, count in zip(highs, counts))
    way = (total - low) / (high - low) if high > low else 1.0
    # A lower bound belongs to the bucket below.
    way = min(max(way, 1e-6), 1.0)
    return [below + way * (above - below) for below, above in zip(lows, highs)]
