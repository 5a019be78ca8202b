from __future__ import annotations

import re
from types import ModuleType
from typing import Any, Callable, Iterator

import pytest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from .reading import created


@pytest.fixture
def created_hidden(client: ModuleType) -> Iterator[None]:
    client.disable_created_metrics()
    yield
    client.enable_created_metrics()


def fill(client: ModuleType, name: str, registry: Any) -> None:
    client.Counter(f"{name}_a", "A.", ["k"], registry=registry).labels('q"\n\\').inc(2)
    client.Gauge(f"{name}_b", "B.", registry=registry).set(-0.25)
    client.Summary(f"{name}_c", "C.", registry=registry).observe(1e10)
    client.Histogram(f"{name}_d", "D.", buckets=[1], unit="s", registry=registry).observe(0.5)
    client.Info(f"{name}_e", "E.", registry=registry).info({"v": "1"})
    client.Enum(f"{name}_f", "F.", states=["x", "y"], registry=registry).state("y")


@pytest.mark.usefixtures("created_hidden")
def test_text(client: ModuleType, name: str, registry: Any) -> None:
    fill(client, name, registry)
    text = client.generate_latest(registry)
    assert isinstance(text, bytes)
    expected = """\
# HELP N_a_total A.
# TYPE N_a_total counter
N_a_total{k="q\\"\\n\\\\"} 2.0
# HELP N_b B.
# TYPE N_b gauge
N_b -0.25
# HELP N_c C.
# TYPE N_c summary
N_c_count 1.0
N_c_sum 1e+10
# HELP N_d_s D.
# TYPE N_d_s histogram
N_d_s_bucket{le="1.0"} 1.0
N_d_s_bucket{le="+Inf"} 1.0
N_d_s_count 1.0
N_d_s_sum 0.5
# HELP N_e_info E.
# TYPE N_e_info gauge
N_e_info{v="1"} 1.0
# HELP N_f F.
# TYPE N_f gauge
N_f{N_f="x"} 0.0
N_f{N_f="y"} 1.0
"""
    assert text.decode() == expected.replace("N_", f"{name}_")


@pytest.mark.usefixtures("created_hidden")
def test_openmetrics(client: ModuleType, name: str, registry: Any) -> None:
    fill(client, name, registry)
    expected = """\
# HELP N_a A.
# TYPE N_a counter
N_a_total{k="q\\"\\n\\\\"} 2.0
# HELP N_b B.
# TYPE N_b gauge
N_b -0.25
# HELP N_c C.
# TYPE N_c summary
N_c_count 1.0
N_c_sum 1e+10
# HELP N_d_s D.
# TYPE N_d_s histogram
# UNIT N_d_s s
N_d_s_bucket{le="1.0"} 1.0
N_d_s_bucket{le="+Inf"} 1.0
N_d_s_count 1.0
N_d_s_sum 0.5
# HELP N_e E.
# TYPE N_e info
N_e_info{v="1"} 1.0
# HELP N_f F.
# TYPE N_f stateset
N_f{N_f="x"} 0.0
N_f{N_f="y"} 1.0
# EOF
"""
    assert openmetrics(registry).decode() == expected.replace("N_", f"{name}_")


def test_both_texts_can_be_read(client: ModuleType, name: str, registry: Any) -> None:
    fill(client, name, registry)
    text = client.generate_latest(registry).decode()
    values = {s.name: s.value for family in read_text(text) for s in family.samples}
    assert values[f"{name}_c_sum"] == 1e10
    families = {each.name: each for each in read_openmetrics(openmetrics(registry).decode())}
    types = {family: each.type for family, each in families.items()}
    assert types == {
        f"{name}_a": "counter",
        f"{name}_b": "gauge",
        f"{name}_c": "summary",
        f"{name}_d_s": "histogram",
        f"{name}_e": "info",
        f"{name}_f": "stateset",
    }


def test_times_of_creation_are_gauges_in_the_text(
    client: ModuleType, name: str, registry: Any
) -> None:
    client.Counter(name, "Help.", registry=registry).inc()
    text = client.generate_latest(registry).decode()
    pattern = (
        rf"# HELP {name}_created Help.\n# TYPE {name}_created gauge\n{name}_created [0-9.e+]+\n"
    )
    assert re.search(pattern, text)


def test_times_of_creation_can_be_hidden_and_shown(
    client: ModuleType, name: str, registry: Any
) -> None:
    fill(client, name, registry)
    assert len(created(registry)) == 3
    client.disable_created_metrics()
    assert created(registry) == {}
    client.enable_created_metrics()
    assert len(created(registry)) == 3


def test_nothing_to_show(client: ModuleType, registry: Any) -> None:
    assert client.generate_latest(registry) == b""
    assert openmetrics(registry) == b"# EOF\n"


def test_escaping_of_names(client: ModuleType, name: str, registry: Any) -> None:
    client.Gauge(f"{name}.a", "Help.", registry=registry).set(1)
    assert f'{{"{name}.a"}} 1.0' in client.generate_latest(registry, "allow-utf-8").decode()
    assert f"{name}_dot_a 1.0" in client.generate_latest(registry, escaping="dots").decode()
    assert f"{name}_a 1.0" in client.generate_latest(registry).decode()


def test_content_types(client: ModuleType) -> None:
    assert client.CONTENT_TYPE_PLAIN_0_0_4 == "text/plain; version=0.0.4; charset=utf-8"
    assert client.CONTENT_TYPE_LATEST.startswith("text/plain; version=")


def test_times_of_creation_can_be_hidden_from_outside(run_client: Callable[..., str]) -> None:
    run_client("""
import os
import subprocess
import sys

if len(sys.argv) == 1:
    environment = {**os.environ, "PROMETHEUS_DISABLE_CREATED_SERIES": "True"}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    subprocess.run([sys.executable, __file__, "hidden"], env=environment, check=True)
else:
    registry = client.CollectorRegistry()
    client.Counter("served", "Help.", registry=registry).inc()
    assert "served_total 1.0" in client.generate_latest(registry).decode()
    assert "_created" not in client.generate_latest(registry).decode()
""")
