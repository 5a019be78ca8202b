"""Over HTTP: what a scraper gets, from every kind of server."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import ssl
import subprocess
import threading
from http.server import HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from wsgiref.util import setup_testing_defaults

import pytest

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

Get = Callable[..., "tuple[dict[str, str], bytes]"]


def over_http(url: str) -> Get:
    def get(query: str = "", **headers: str) -> tuple[dict[str, str], bytes]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        with urlopen(Request(url + query, headers=names), timeout=10) as response:
            return {key.lower(): value for key, value in response.headers.items()}, response.read()

    return get


@pytest.fixture
def by_start_http_server(client: ModuleType, registry: Any) -> Iterator[Get]:
    server, thread = client.start_http_server(0, addr="127.0.0.1", registry=registry)
    yield over_http(f"http://127.0.0.1:{server.server_port}/metrics")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def by_metrics_handler(client: ModuleType, registry: Any) -> Iterator[Get]:
    server = HTTPServer(("127.0.0.1", 0), client.MetricsHandler.factory(registry))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield over_http(f"http://127.0.0.1:{server.server_port}/metrics")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def by_wsgi(client: ModuleType, registry: Any) -> Get:
    app = client.make_wsgi_app(registry)

    def get(query: str = "", **headers: str) -> tuple[dict[str, str], bytes]:
        environ: dict[str, Any] = {"QUERY_STRING": query.lstrip("?")}
        environ.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
        setup_testing_defaults(environ)
        answer: dict[str, str] = {}

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            assert status == "200 OK"
            answer.update({key.lower(): value for key, value in headers})

        return answer, b"".join(app(environ, start_response))

    return get


@pytest.fixture
def by_asgi(client: ModuleType, registry: Any) -> Get:
    app = client.make_asgi_app(registry)

    def get(query: str = "", **headers: str) -> tuple[dict[str, str], bytes]:
        scope = {
            "type": "http",
            "query_string": query.lstrip("?").encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
            ],
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(app(scope, receive, send))
        start, body = sent
        assert start["status"] == 200
        answer = {key.decode().lower(): value.decode() for key, value in start["headers"]}
        return answer, body["body"]

    return get


@pytest.fixture(params=["start_http_server", "metrics_handler", "wsgi", "asgi"])
def get(request: pytest.FixtureRequest) -> Get:
    found: Get = request.getfixturevalue(f"by_{request.param}")
    return found


def test_text(client: ModuleType, name: str, registry: Any, get: Get) -> None:
    counter = client.Counter(name, "Help.", registry=registry)
    for count in (1, 2):
        counter.inc()
        headers, body = get()
        assert headers["content-type"] == client.CONTENT_TYPE_PLAIN_0_0_4
        assert f"\n{name}_total {count}.0\n" in body.decode()


def test_openmetrics(client: ModuleType, name: str, registry: Any, get: Get) -> None:
    client.Counter(name, "Help.", registry=registry).inc(1, {"id": "7"})
    headers, body = get(Accept=OPENMETRICS)
    assert headers["content-type"].startswith(OPENMETRICS)
    assert f'\n{name}_total 1.0 # {{id="7"}} 1.0 ' in body.decode()
    assert body.endswith(b"# EOF\n")


def test_compressed(client: ModuleType, name: str, registry: Any, get: Get) -> None:
    client.Gauge(name, "Help.", registry=registry).set(1)
    headers, body = get(Accept_Encoding="deflate, gzip")
    assert headers["content-encoding"] == "gzip"
    assert f"\n{name} 1.0\n" in gzip.decompress(body).decode()


def test_named_series_only(client: ModuleType, name: str, registry: Any, get: Get) -> None:
    for letter in "abc":
        client.Gauge(f"{name}_{letter}", "Help.", registry=registry).set(1)
    _, body = get(f"?name[]={name}_a&name[]={name}_c")
    lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
    assert sorted(lines) == [f"{name}_a 1.0", f"{name}_c 1.0"]


def test_the_default_registry_is_served(client: ModuleType, name: str) -> None:
    gauge = client.Gauge(name, "Help.")
    gauge.set(3)
    server, thread = client.start_wsgi_server(0, "127.0.0.1")
    try:
        _, body = over_http(f"http://127.0.0.1:{server.server_port}/")()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        client.REGISTRY.unregister(gauge)
    assert f"\n{name} 3.0\n" in body.decode()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_tls(client: ModuleType, name: str, registry: Any, tmp_path: Path) -> None:
    client.Gauge(name, "Help.", registry=registry).set(1)
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    whose = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", *curve, *whose, "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    server, thread = client.start_http_server(
        0, "127.0.0.1", registry, certfile=certificate, keyfile=key
    )
    try:
        trusted = ssl.create_default_context(cafile=certificate)
        url = f"https://127.0.0.1:{server.server_port}/metrics"
        with urlopen(url, timeout=10, context=trusted) as response:
            assert f"\n{name} 1.0\n" in response.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_other_methods_than_get(client: ModuleType, registry: Any) -> None:
    server, thread = client.start_http_server(0, "127.0.0.1", registry)
    url = f"http://127.0.0.1:{server.server_port}/metrics"
    try:
        with urlopen(Request(url, method="OPTIONS"), timeout=10) as response:
            assert response.headers["Allow"] == "OPTIONS,GET"
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(url, data=b"", method="POST"), timeout=10)
        assert refused.value.code == 405
        refused.value.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
