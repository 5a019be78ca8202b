from __future__ import annotations

from types import ModuleType
from typing import Any, Callable

import pytest
from prometheus_client.validation import disable_legacy_validation, enable_legacy_validation

from .reading import shown


@pytest.mark.parametrize(
    ("kind", "written", "arguments", "family", "series"),
    [
        ("Counter", "{}", {}, "{}", "{}_total"),
        ("Counter", "{}_total", {"unit": "bytes"}, "{}_bytes", "{}_bytes_total"),
        ("Counter", "{}_bytes_total", {"unit": "bytes"}, "{}_bytes", "{}_bytes_total"),
        ("Gauge", "{}", {"namespace": "n"}, "n_{}", "n_{}"),
        ("Gauge", "{}", {"subsystem": "s"}, "s_{}", "s_{}"),
        ("Gauge", "{}", {"namespace": "n", "subsystem": "s"}, "n_s_{}", "n_s_{}"),
        ("Gauge", "{}", {"unit": "seconds"}, "{}_seconds", "{}_seconds"),
        ("Gauge", "{}_seconds", {"unit": "seconds"}, "{}_seconds", "{}_seconds"),
        ("Gauge", "{}seconds", {"unit": "seconds"}, "{}seconds_seconds", "{}seconds_seconds"),
        ("Gauge", "{}_total", {}, "{}_total", "{}_total"),
        ("Info", "{}", {"namespace": "n"}, "n_{}", "n_{}_info"),
    ],
)
def test_full_name(
    client: ModuleType,
    name: str,
    registry: Any,
    kind: str,
    written: str,
    arguments: dict[str, str],
    family: str,
    series: str,
) -> None:
    getattr(client, kind)(written.format(name), "Help.", registry=registry, **arguments)
    (metric,) = registry.collect()
    assert metric.name == family.format(name)
    assert metric.documentation == "Help."
    assert metric.unit == arguments.get("unit", "")
    assert series.format(name) in shown(registry)


@pytest.mark.parametrize(
    ("kind", "type"),
    [
        ("Counter", "counter"),
        ("Gauge", "gauge"),
        ("Summary", "summary"),
        ("Histogram", "histogram"),
        ("Info", "info"),
    ],
)
def test_type(client: ModuleType, name: str, registry: Any, kind: str, type: str) -> None:
    made = getattr(client, kind)(name, "Help.", registry=registry)
    (metric,) = registry.collect()
    assert metric.type == type
    assert isinstance(metric, client.Metric)
    assert str(made) == f"{type}:{name}"
    assert f"{kind}({name})" in repr(made)


def test_by_keyword(client: ModuleType, name: str, registry: Any) -> None:
    client.Counter(
        name=name,
        documentation="Help.",
        labelnames=["a"],
        namespace="n",
        subsystem="s",
        unit="u",
        registry=registry,
    ).labels("x").inc()
    assert shown(registry) == {f'n_s_{name}_u_total{{a="x"}}': 1}


def test_by_position(client: ModuleType, name: str, registry: Any) -> None:
    client.Counter(name, "Help.", ["a"], "n", "s", "u", registry).labels("x").inc()
    assert shown(registry) == {f'n_s_{name}_u_total{{a="x"}}': 1}


@pytest.mark.parametrize("wrong", ["", "a\udc80"])
@pytest.mark.parametrize("kind", ["Counter", "Gauge", "Summary", "Histogram", "Info"])
def test_wrong_names(client: ModuleType, kind: str, wrong: str) -> None:
    with pytest.raises(ValueError):
        getattr(client, kind)(wrong, "Help.", registry=None)


def test_any_unicode_is_a_name(client: ModuleType, name: str, registry: Any) -> None:
    client.Gauge(f"{name}.größe", "Help.", ["a.b"], registry=registry).labels("x").set(1)
    assert shown(registry) == {f'{name}.größe{{a.b="x"}}': 1}
    text = client.generate_latest(registry).decode()
    assert f'\n{name}_gr__e{{a_b="x"}} 1.0\n' in text


def test_documentation_of_any_text(client: ModuleType, name: str, registry: Any) -> None:
    client.Gauge(name, 'a\\b\n"ümlaut"', registry=registry)
    (metric,) = registry.collect()
    assert metric.documentation == 'a\\b\n"ümlaut"'
    assert f'# HELP {name} a\\\\b\\n"ümlaut"\n' in client.generate_latest(registry).decode()


def test_old_rule_for_names(run_client: Callable[..., str]) -> None:
    run_client("""
import os
import subprocess
import sys

if len(sys.argv) == 1:
    environment = {**os.environ, "PROMETHEUS_LEGACY_NAME_VALIDATION": "true"}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    subprocess.run([sys.executable, "-W", "error", __file__, "old"], env=environment, check=True)
else:
    client.Counter("served", "Help.", ["a"], registry=None).labels("x").inc()
    for arguments in ("a.b", "Help."), ("a", "Help.", ["a.b"]):
        try:
            client.Counter(*arguments, registry=None)
        except ValueError:
            continue
        raise AssertionError(arguments)
""")


def test_old_rule_for_names_from_inside(client: ModuleType, name: str) -> None:
    enable_legacy_validation()
    try:
        with pytest.raises(ValueError, match="name"):
            client.Gauge(f"{name}.a", "Help.", registry=None)
        with pytest.raises(ValueError, match="name"):
            client.Gauge(name, "Help.", ["größe"], registry=None)
        client.Gauge(f"{name}:a", "Help.", ["b"], registry=None)
    finally:
        disable_legacy_validation()
    client.Gauge(f"{name}.a", "Help.", ["größe"], registry=None)
