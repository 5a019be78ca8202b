"""prometheus_client.exposition over the registries of this package.

Text, HTTP, WSGI, ASGI, text files and pushes are prometheus_client's own code. Where a registry is
a default, it is `tallyboard.REGISTRY`. A push carries what all processes have counted, so the
last one that is made is right, whichever process makes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import exposition as theirs

if TYPE_CHECKING:
    from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE_LATEST
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE_PLAIN_0_0_4
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0 as CONTENT_TYPE_PLAIN_1_0_0
    from prometheus_client.exposition import MetricsHandler as MetricsHandler
    from prometheus_client.exposition import basic_auth_handler as basic_auth_handler
    from prometheus_client.exposition import choose_encoder as choose_encoder
    from prometheus_client.exposition import default_handler as default_handler
    from prometheus_client.exposition import delete_from_gateway as delete_from_gateway
    from prometheus_client.exposition import generate_latest as generate_latest
    from prometheus_client.exposition import instance_ip_grouping_key as instance_ip_grouping_key
    from prometheus_client.exposition import make_asgi_app as make_asgi_app
    from prometheus_client.exposition import make_wsgi_app as make_wsgi_app
    from prometheus_client.exposition import (
        passthrough_redirect_handler as passthrough_redirect_handler,
    )
    from prometheus_client.exposition import push_to_gateway as push_to_gateway
    from prometheus_client.exposition import pushadd_to_gateway as pushadd_to_gateway
    from prometheus_client.exposition import start_http_server as start_http_server
    from prometheus_client.exposition import start_wsgi_server as start_wsgi_server
    from prometheus_client.exposition import tls_auth_handler as tls_auth_handler
    from prometheus_client.exposition import write_to_textfile as write_to_textfile
else:
    __all__ = list(theirs.__all__)
    from .default_registry import REGISTRY
    from .over import over

    # Which prometheus_client has names for since 0.22.
    CONTENT_TYPE_PLAIN_0_0_4 = "text/plain; version=0.0.4; charset=utf-8"
    CONTENT_TYPE_PLAIN_1_0_0 = "text/plain; version=1.0.0; charset=utf-8"

    generate_latest = over(REGISTRY, theirs.generate_latest)
    make_asgi_app = over(REGISTRY, theirs.make_asgi_app)
    make_wsgi_app = over(REGISTRY, theirs.make_wsgi_app)
    start_http_server = over(REGISTRY, theirs.start_http_server)
    start_wsgi_server = over(REGISTRY, theirs.start_wsgi_server)

    class MetricsHandler(theirs.MetricsHandler):
        __doc__ = theirs.MetricsHandler.__doc__
        registry = REGISTRY

    def __getattr__(name: str) -> Any:
        # What has no registry of its own, and what other versions have.
        return getattr(theirs, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
