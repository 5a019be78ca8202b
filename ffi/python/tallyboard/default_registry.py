"""The default registry, and what it has from the start: prometheus_client's own collectors of the
process, the platform and the garbage collector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import prometheus_client

from . import declared
from .over import over
from .registry import CollectorRegistry


class _DefaultRegistry(CollectorRegistry):
    """Has all that is declared without another registry, and shows all of the board."""

    _shows_everything = True


REGISTRY: CollectorRegistry = _DefaultRegistry(auto_describe=True)
"""What `generate_latest()`, `start_http_server()` and the others show where no other registry is
given: the metrics of this process that were declared without one, custom collectors, and all other
families of the board, whichever process declared them."""

declared.make_default(REGISTRY)

if TYPE_CHECKING:
    from prometheus_client import GCCollector as GCCollector
    from prometheus_client import PlatformCollector as PlatformCollector
    from prometheus_client import ProcessCollector as ProcessCollector
else:

    class ProcessCollector(prometheus_client.ProcessCollector):
        __doc__ = prometheus_client.ProcessCollector.__doc__
        __init__ = over(REGISTRY, prometheus_client.ProcessCollector.__init__)

    class PlatformCollector(prometheus_client.PlatformCollector):
        __doc__ = prometheus_client.PlatformCollector.__doc__
        __init__ = over(REGISTRY, prometheus_client.PlatformCollector.__init__)

    class GCCollector(prometheus_client.GCCollector):
        __doc__ = prometheus_client.GCCollector.__doc__
        __init__ = over(REGISTRY, prometheus_client.GCCollector.__init__)


PROCESS_COLLECTOR = ProcessCollector()
"""CPU time, memory, files and start of this process, in the default registry."""

PLATFORM_COLLECTOR = PlatformCollector()
"""Which Python this is, in the default registry."""

GC_COLLECTOR = GCCollector()
"""What the garbage collector of this process has done, in the default registry."""
