"""`labels` of a metric of prometheus_client, without a Python frame where the child is there."""

from __future__ import annotations

from typing import Any, Callable

from ..bases import MetricCore


class Labels(MetricCore):
    """Finds children in the metric's own dictionary; whatever else comes goes to its class."""

    __slots__ = ("_children", "_plain")

    _type = "labelled"
    _children: dict[tuple[str, ...], Any]

    def __init__(self, metric: Any) -> None:
        self._children = metric._metrics
        self._plain: Callable[..., Any] = metric.labels
        self._be_family(tuple(metric._labelnames), self._children)

    def _child(self, key: tuple[str, ...]) -> Any:
        return self._plain(*key)

    def _key(
        self, labelvalues: tuple[object, ...], labelkwargs: dict[str, object]
    ) -> tuple[str, ...]:
        values: tuple[str, ...] = self._plain(*labelvalues, **labelkwargs)._labelvalues
        return values
