"""prometheus_client.core, with the metrics and registries of this package in it: what custom
collectors are written with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import core as theirs

from .counter import Counter as Counter
from .default_registry import REGISTRY as REGISTRY
from .enum import Enum as Enum
from .gauge import Gauge as Gauge
from .histogram import Histogram as Histogram
from .info import Info as Info
from .registry import CollectorRegistry as CollectorRegistry
from .summary import Summary as Summary

if TYPE_CHECKING:
    from prometheus_client.core import BucketSpan as BucketSpan
    from prometheus_client.core import CounterMetricFamily as CounterMetricFamily
    from prometheus_client.core import DuplicateTimeseries as DuplicateTimeseries
    from prometheus_client.core import Exemplar as Exemplar
    from prometheus_client.core import GaugeHistogramMetricFamily as GaugeHistogramMetricFamily
    from prometheus_client.core import GaugeMetricFamily as GaugeMetricFamily
    from prometheus_client.core import HistogramMetricFamily as HistogramMetricFamily
    from prometheus_client.core import InfoMetricFamily as InfoMetricFamily
    from prometheus_client.core import Metric as Metric
    from prometheus_client.core import NativeHistogram as NativeHistogram
    from prometheus_client.core import Sample as Sample
    from prometheus_client.core import StateSetMetricFamily as StateSetMetricFamily
    from prometheus_client.core import SummaryMetricFamily as SummaryMetricFamily
    from prometheus_client.core import Timestamp as Timestamp
    from prometheus_client.core import UnknownMetricFamily as UnknownMetricFamily
    from prometheus_client.core import UntypedMetricFamily as UntypedMetricFamily
else:
    __all__ = list(theirs.__all__)

    def __getattr__(name: str) -> Any:
        # Whatever this version of prometheus_client has.
        return getattr(theirs, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
