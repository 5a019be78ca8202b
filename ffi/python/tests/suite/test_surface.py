from __future__ import annotations

from types import ModuleType
from typing import Any

import prometheus_client
import pytest

from .reading import shown


@pytest.mark.parametrize("name", prometheus_client.__all__)
def test_every_name_is_there(client: ModuleType, name: str) -> None:
    assert hasattr(client, name)
    assert name in client.__all__


def test_metrics_of_the_process(client: ModuleType, registry: Any) -> None:
    client.ProcessCollector(registry=registry)
    client.PlatformCollector(registry=registry)
    client.GCCollector(registry=registry)
    values = shown(registry)
    assert values["process_resident_memory_bytes"] > 1e6
    assert values["process_cpu_seconds_total"] > 0
    assert values["process_open_fds"] > 0
    assert any(series.startswith("python_info{") for series in values)
    assert 'python_gc_collections_total{generation="0"}' in values


def test_metrics_of_another_process(client: ModuleType, registry: Any) -> None:
    client.ProcessCollector(namespace="init", pid=lambda: 1, registry=registry)
    assert shown(registry)["init_process_start_time_seconds"] > 0


@pytest.mark.parametrize("which", ["PROCESS_COLLECTOR", "PLATFORM_COLLECTOR", "GC_COLLECTOR"])
def test_metrics_of_the_process_can_be_taken_out(client: ModuleType, which: str) -> None:
    collector = getattr(client, which)
    names = {metric.name for metric in collector.collect()}
    assert names
    client.REGISTRY.unregister(collector)
    try:
        assert not names & {metric.name for metric in client.REGISTRY.collect()}
    finally:
        client.REGISTRY.register(collector)
    assert names <= {metric.name for metric in client.REGISTRY.collect()}
