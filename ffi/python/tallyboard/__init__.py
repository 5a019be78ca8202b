"""Metrics that every process of a machine counts into one shared board.

The classes have prometheus_client's names and signatures::

    from tallyboard import Counter

    served = Counter("http_requests_total", "Requests served.", ["method"])
    served.labels("GET").inc()

Nothing has to be set up. The first metric that is declared opens the default board (see
``TALLYBOARD`` in the README); every process that declares the same metric adds to the same
series, forked or not, and `tallyboard serve` shows the sum. A metric pickles by its definition,
so it can be declared in a Spark driver script and used in a function that runs elsewhere.

Counting is never an error. Where there is no board to count on, one `RuntimeWarning` says why
and updates go nowhere. `ValueError` is kept for mistakes in the program: a bad name, a wrong
number of labels, a counter that is asked to go down.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .blocks import ExceptionCounter, InprogressTracker, Timer
from .counter import Counter
from .definition import Native
from .enum import Enum
from .gauge import Gauge
from .histogram import Histogram
from .info import Info
from .series import Series, series
from .summary import Summary

if TYPE_CHECKING:
    from prometheus_client import Metric

    from . import collector as collector
    from . import core as core
    from . import exposition as exposition
    from . import registry as registry
    from .default_registry import (
        GC_COLLECTOR,
        PLATFORM_COLLECTOR,
        PROCESS_COLLECTOR,
        REGISTRY,
        GCCollector,
        PlatformCollector,
        ProcessCollector,
    )
    from .exposition import (
        CONTENT_TYPE_LATEST,
        CONTENT_TYPE_PLAIN_0_0_4,
        CONTENT_TYPE_PLAIN_1_0_0,
        MetricsHandler,
        delete_from_gateway,
        generate_latest,
        instance_ip_grouping_key,
        make_asgi_app,
        make_wsgi_app,
        push_to_gateway,
        pushadd_to_gateway,
        start_http_server,
        start_wsgi_server,
        write_to_textfile,
    )
    from .publication import Publication, publish
    from .registry import CollectorRegistry

    # prometheus_client's own have no types.
    def disable_created_metrics() -> None: ...
    def enable_created_metrics() -> None: ...


__version__ = "0.1.0"

__all__ = [
    "CONTENT_TYPE_LATEST",
    "CONTENT_TYPE_PLAIN_0_0_4",
    "CONTENT_TYPE_PLAIN_1_0_0",
    "GC_COLLECTOR",
    "PLATFORM_COLLECTOR",
    "PROCESS_COLLECTOR",
    "REGISTRY",
    "CollectorRegistry",
    "Counter",
    "Enum",
    "ExceptionCounter",
    "GCCollector",
    "Gauge",
    "Histogram",
    "Info",
    "InprogressTracker",
    "Metric",
    "MetricsHandler",
    "Native",
    "PlatformCollector",
    "ProcessCollector",
    "Publication",
    "Series",
    "Summary",
    "Timer",
    "delete_from_gateway",
    "disable_created_metrics",
    "enable_created_metrics",
    "generate_latest",
    "instance_ip_grouping_key",
    "make_asgi_app",
    "make_wsgi_app",
    "publish",
    "push_to_gateway",
    "pushadd_to_gateway",
    "series",
    "start_http_server",
    "start_wsgi_server",
    "write_to_textfile",
]

# What shows the board is prometheus_client's, and imported when it is asked for: counting is not to
# wait for an HTTP server.
_LATER = {
    "CollectorRegistry": "tallyboard.registry",
    "GCCollector": "tallyboard.default_registry",
    "GC_COLLECTOR": "tallyboard.default_registry",
    "PLATFORM_COLLECTOR": "tallyboard.default_registry",
    "PROCESS_COLLECTOR": "tallyboard.default_registry",
    "PlatformCollector": "tallyboard.default_registry",
    "ProcessCollector": "tallyboard.default_registry",
    "Publication": "tallyboard.publication",
    "REGISTRY": "tallyboard.default_registry",
    "Metric": "prometheus_client",
    "disable_created_metrics": "prometheus_client",
    "enable_created_metrics": "prometheus_client",
    "CONTENT_TYPE_LATEST": "tallyboard.exposition",
    "CONTENT_TYPE_PLAIN_0_0_4": "tallyboard.exposition",
    "CONTENT_TYPE_PLAIN_1_0_0": "tallyboard.exposition",
    "MetricsHandler": "tallyboard.exposition",
    "delete_from_gateway": "tallyboard.exposition",
    "generate_latest": "tallyboard.exposition",
    "instance_ip_grouping_key": "tallyboard.exposition",
    "make_asgi_app": "tallyboard.exposition",
    "make_wsgi_app": "tallyboard.exposition",
    "publish": "tallyboard.publication",
    "push_to_gateway": "tallyboard.exposition",
    "pushadd_to_gateway": "tallyboard.exposition",
    "start_http_server": "tallyboard.exposition",
    "start_wsgi_server": "tallyboard.exposition",
    "write_to_textfile": "tallyboard.exposition",
}
_MODULES_LATER = ("collector", "core", "exposition", "registry")


def __getattr__(name: str) -> Any:
    if name in _MODULES_LATER:
        return import_module(f"tallyboard.{name}")
    if name not in _LATER:
        raise AttributeError(f"module 'tallyboard' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_MODULES_LATER})
