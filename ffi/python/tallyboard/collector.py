"""What the board holds, of all processes, in prometheus_client's terms.

Everything in Python that shows the board goes through here: a registry, the scrapes and pushes of
prometheus_client's own functions, and the drop-in. Native histograms are shown by their classic
buckets, since prometheus_client's text format would write them as if they were numbers.
"""

from __future__ import annotations

from typing import Container, Iterable, Iterator

from prometheus_client import metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar, Sample
from prometheus_client.utils import floatToGoString

from . import functions
from .metric import Metric as BoardMetric
from .series import Exemplar as BoardExemplar
from .series import Series, series_of
from .trouble import warn_once


class BoardCollector:
    """All that the board holds, for any registry of prometheus_client's.

    `registry.register(BoardCollector())` adds every family of every process to what a registry
    shows. A registry that has metrics of the same names of its own shows them twice.
    """

    def describe(self) -> Iterable[Metric]:
        """Nothing: which names there are changes while it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The families of the board, sorted by their names there. Cost and errors as `read`."""
        yield from read().values()


def read(names: Container[str] | None = None) -> dict[str, Metric]:
    """The families of the board that have series, by their names there, sorted.

    A counter's name on the board ends in `_total`, which that of its `Metric` does not. `names` are
    such as the board's; None is all. Empty where there is no board.

    Cost: a pass over the board, and some microseconds for each series that is shown.

    Errors: `lowlevel.BoardError` for a damaged board. A name that this prometheus_client does not
    allow is left out, and warned of once.
    """
    families: dict[str, Metric | None] = {}
    for each in series_of(names):
        if each.name not in families:
            families[each.name] = _family(each)
        family = families[each.name]
        if family is not None:
            family.samples.extend(_samples(each, family.name))
    return {name: family for name, family in families.items() if family is not None}


def empty(metric: BoardMetric) -> Metric:
    """The family of a metric without its samples. Errors: `ValueError` for a name that this
    prometheus_client does not allow."""
    definition = metric._definition
    name = metric_name(metric._type, definition.name)
    return Metric(name, definition.documentation, metric._type, definition.unit)


def family(metric: BoardMetric) -> Metric:
    """The family of one metric, with what the board holds and what this process's functions say.

    Of a child, only its own series, without its labels, as prometheus_client's `collect()` gives
    it. Cost and errors as `read`, and what a function raises.
    """
    definition = metric._definition
    board_name = definition.name
    found = evaluated(board_name, read({board_name}).get(board_name) or empty(metric))
    return own(found, definition.labelnames, metric._labelvalues)


def own(family: Metric, labelnames: Iterable[str], labelvalues: Iterable[str]) -> Metric:
    """Of a child, only its own series, without its labels; where there are no values, all."""
    labels = dict(zip(labelnames, labelvalues))
    if labels:
        family.samples = [
            sample._replace(labels={k: v for k, v in sample.labels.items() if k not in labels})
            for sample in family.samples
            if labels.items() <= sample.labels.items()
        ]
    return family


def evaluated(board_name: str, family: Metric) -> Metric:
    """`family` with what the functions of this process say in the place of what the board holds.

    Errors: what a function raises.
    """
    for labels, function in functions.of(board_name).items():
        said = Sample(family.name, dict(labels), float(function()))
        others = (sample for sample in family.samples if sample.labels != said.labels)
        family.samples = [*others, said]
    return family


def metric_name(kind: str, board_name: str) -> str:
    """What prometheus_client calls the family that the board calls this."""
    suffix = {"counter": "_total", "info": "_info"}.get(kind, "")
    return board_name[: -len(suffix)] if suffix and board_name.endswith(suffix) else board_name


def board_name(family: Metric) -> str:
    """What the board calls a family that a custom collector has made, where it is published."""
    return family.name + "_total" * (family.type == "counter")


def _family(series: Series) -> Metric | None:
    if series.type == "unknown":
        return None
    name = metric_name(series.type, series.name)
    try:
        family = Metric(name, series.help, series.type)
    except ValueError as error:
        warn_once(("shown", series.name), f"{series.name} is not shown: {error}")
        return None
    # Given to `Metric`, one that the name does not end in would be appended to it.
    if name.endswith("_" + series.unit):
        family.unit = series.unit
    return family


def _samples(series: Series, name: str) -> Iterator[Sample]:
    labels = series.labels
    if series.type == "counter":
        (exemplar,) = map(_exemplar, series.exemplars) if series.exemplars else (None,)
        yield Sample(name + "_total", labels, series.value, None, exemplar)
    elif series.type == "histogram":
        exemplars = {each.bucket: _exemplar(each) for each in series.exemplars}
        for place, (bound, count) in enumerate(series.buckets):
            at = {**labels, "le": floatToGoString(bound)}
            yield Sample(name + "_bucket", at, float(count), None, exemplars.get(place))
        yield Sample(name + "_count", labels, float(series.count))
        # As prometheus_client: a sum that can fall is none that Prometheus could take for one.
        if series.buckets[0][0] >= 0:
            yield Sample(name + "_sum", labels, series.sum)
    elif series.type == "summary":
        yield Sample(name + "_count", labels, float(series.count))
        yield Sample(name + "_sum", labels, series.sum)
    else:
        yield Sample(name + "_info" * (series.type == "info"), labels, series.value)
    if series.type in ("counter", "histogram", "summary") and metrics._use_created:
        yield Sample(name + "_created", labels, series.created)


def _exemplar(exemplar: BoardExemplar) -> Exemplar:
    return Exemplar(exemplar.labels, exemplar.value, exemplar.created)
