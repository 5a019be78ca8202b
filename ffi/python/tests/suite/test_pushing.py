"""To files and to a Pushgateway, which is a real one."""

from __future__ import annotations

import socket
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from prometheus_client.bridge.graphite import GraphiteBridge
from prometheus_client.exposition import basic_auth_handler, default_handler
from prometheus_client.parser import text_string_to_metric_families

from .reading import series


def test_textfile(client: ModuleType, name: str, registry: Any, tmp_path: Path) -> None:
    client.Gauge(name, "Help.", ["a"], registry=registry).labels("x").set(3)
    path = tmp_path / "job.prom"
    client.write_to_textfile(str(path), registry)
    assert path.read_text() == f'# HELP {name} Help.\n# TYPE {name} gauge\n{name}{{a="x"}} 3.0\n'
    assert list(tmp_path.iterdir()) == [path]


def test_textfile_by_way_of_another_folder(
    client: ModuleType, name: str, registry: Any, tmp_path: Path
) -> None:
    client.Gauge(name, "Help.", registry=registry).set(3)
    folder = tmp_path / "other"
    with pytest.raises(FileNotFoundError):
        client.write_to_textfile(str(tmp_path / "job.prom"), registry, tmpdir=str(folder))
    folder.mkdir()
    client.write_to_textfile(str(tmp_path / "job.prom"), registry, tmpdir=str(folder))
    assert f"{name} 3.0" in (tmp_path / "job.prom").read_text()
    assert list(folder.iterdir()) == []


def test_textfile_is_not_replaced_by_half_of_one(
    client: ModuleType, name: str, registry: Any, tmp_path: Path
) -> None:
    path = tmp_path / "job.prom"
    path.write_text("before\n")
    client.Gauge(name, "Help.", registry=registry).set_function(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.write_to_textfile(str(path), registry)
    assert path.read_text() == "before\n"
    assert list(tmp_path.iterdir()) == [path]


def test_graphite(client: ModuleType, name: str, registry: Any) -> None:
    client.Gauge(name, "Help.", ["a"], registry=registry).labels("x").set(3)
    with socket.create_server(("127.0.0.1", 0)) as graphite:
        bridge = GraphiteBridge(graphite.getsockname(), registry=registry)
        bridge.push(prefix="p")
        connection, _ = graphite.accept()
        with connection, connection.makefile() as received:
            assert received.read().startswith(f"p.{name}.a.x 3.0 ")


def test_grouping_key_of_this_machine(client: ModuleType) -> None:
    assert client.instance_ip_grouping_key() == {"instance": "127.0.0.1"}


def pushed(gateway: str, prefix: str) -> dict[str, float]:
    """What the gateway shows of it, without the times of creation."""
    # A deletion is answered before it is done; a push is when it and all before it are.
    push = Request(f"http://{gateway}/metrics/job/last", data=b"", method="PUT")
    urlopen(push, timeout=10).close()
    with urlopen(f"http://{gateway}/metrics", timeout=10) as response:
        text = response.read().decode()
    return {
        series(sample): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith(f"{prefix}_") and not sample.name.endswith("_created")
    }


def test_push(client: ModuleType, name: str, registry: Any, gateway: str) -> None:
    client.Counter(f"{name}_a", "Help.", registry=registry).inc(3)
    gauge = client.Gauge(f"{name}_b", "Help.", ["k"], registry=registry)
    gauge.labels("x").set(2)
    client.push_to_gateway(gateway, job="batch", registry=registry)
    where = 'instance="",job="batch"'
    assert pushed(gateway, name) == {
        f"{name}_a_total{{{where}}}": 3,
        f'{name}_b{{instance="",job="batch",k="x"}}': 2,
    }
    # A push replaces the whole group …
    registry.unregister(gauge)
    client.push_to_gateway(f"http://{gateway}", "batch", registry)
    assert pushed(gateway, name) == {f"{name}_a_total{{{where}}}": 3}
    # … and what is added replaces only what has its name.
    other = client.CollectorRegistry()
    client.Gauge(f"{name}_c", "Help.", registry=other).set(7)
    client.pushadd_to_gateway(gateway, job="batch", registry=other)
    assert pushed(gateway, name) == {f"{name}_a_total{{{where}}}": 3, f"{name}_c{{{where}}}": 7}
    client.delete_from_gateway(gateway, job="batch")
    assert pushed(gateway, name) == {}


def test_push_to_groups(client: ModuleType, name: str, registry: Any, gateway: str) -> None:
    gauge = client.Gauge(f"{name}_a", "Help.", registry=registry)
    for number, instance in enumerate(["a", "b/c d", ""]):
        gauge.set(number)
        client.push_to_gateway(gateway, "groups", registry, grouping_key={"instance": instance})
    assert pushed(gateway, name) == {
        f'{name}_a{{instance="a",job="groups"}}': 0,
        f'{name}_a{{instance="b/c d",job="groups"}}': 1,
        f'{name}_a{{instance="",job="groups"}}': 2,
    }
    client.delete_from_gateway(gateway, "groups", grouping_key={"instance": "b/c d"})
    assert len(pushed(gateway, name)) == 2


def test_push_compressed(client: ModuleType, name: str, registry: Any, gateway: str) -> None:
    client.Gauge(f"{name}_a", "Help.", registry=registry).set(1)
    client.push_to_gateway(gateway, "gzip", registry, compression="gzip")
    assert list(pushed(gateway, name).values()) == [1]


def test_push_by_a_handler(client: ModuleType, name: str, registry: Any, gateway: str) -> None:
    client.Gauge(f"{name}_a", "Help.", registry=registry).set(1)
    seen: list[tuple[str, str, Any]] = []

    def handler(url: str, method: str, timeout: Any, headers: Any, data: bytes) -> Any:
        seen.append((url, method, timeout))
        return basic_auth_handler(url, method, timeout, headers, data, "user", "password")

    client.push_to_gateway(gateway, "handler", registry, timeout=5, handler=handler)
    assert seen == [(f"http://{gateway}/metrics/job/handler", "PUT", 5)]
    assert list(pushed(gateway, name).values()) == [1]
    client.delete_from_gateway(gateway, "handler", handler=default_handler)
    assert pushed(gateway, name) == {}


def test_push_to_nobody(client: ModuleType, registry: Any) -> None:
    with pytest.raises(URLError):
        client.push_to_gateway("127.0.0.1:1", "job", registry)
