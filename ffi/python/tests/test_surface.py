"""prometheus_client's whole surface is here, under its names and with its parameters."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from typing import Any, Callable

import prometheus_client
import pytest
from prometheus_client.registry import REGISTRY as THEIR_REGISTRY

import tallyboard
import tallyboard.core
import tallyboard.exposition

# Ours alone, and by keyword only, so that they cannot be in the way of prometheus_client's.
OWN = ["series_cap", "native"]

# Its newer versions have this as well.
LATER = "support_collectors_without_names"
if LATER not in inspect.signature(prometheus_client.CollectorRegistry).parameters:
    OWN.append(LATER)


def parameters(function: Callable[..., object]) -> list[tuple[Any, ...]]:
    """Name, kind and default of each parameter but `self`, with our stand-ins as what they mean."""
    found = []
    for each in inspect.signature(function).parameters.values():
        default = each.default
        if (
            default in (tallyboard.REGISTRY, THEIR_REGISTRY)
            or repr(default) == "tallyboard.REGISTRY"
        ):
            default = "the default registry"
        if each.name == "multiprocess_mode":
            # There: a number for each process. Here: one that they share, unless one asks.
            assert default in ("", "all")
            default = "the default mode"
        if each.name != "self" and each.name not in OWN:
            found.append((each.name, each.kind, default))
    return found


@pytest.mark.parametrize("module", ["", "core", "exposition"])
def test_every_public_name_is_here(module: str) -> None:
    ours: Any = getattr(tallyboard, module) if module else tallyboard
    theirs: Any = getattr(prometheus_client, module) if module else prometheus_client
    missing = [name for name in theirs.__all__ if not hasattr(ours, name)]
    assert missing == []
    assert [name for name in theirs.__all__ if name not in dir(ours)] == []


@pytest.mark.parametrize("name", prometheus_client.__all__)
def test_parameters_are_those_of_prometheus_client(name: str) -> None:
    ours, theirs = getattr(tallyboard, name), getattr(prometheus_client, name)
    if not callable(theirs):
        assert isinstance(ours, type(theirs))
        return
    assert parameters(ours) == parameters(theirs)
    if not isinstance(theirs, type):
        return
    methods = [
        method
        for method, value in inspect.getmembers(theirs)
        if callable(value) and not method.startswith("_")
    ]
    for method in methods:
        found = parameters(getattr(ours, method))
        assert found == parameters(getattr(theirs, method)), method


def test_counting_does_not_import_prometheus_client() -> None:
    program = """
import sys
import tallyboard
tallyboard.Counter("c", "Help.", ["a"]).labels("x").inc()
tallyboard.Gauge("g", "Help.").set_function(lambda: 1)
tallyboard.Histogram("h", "Help.", registry=None).observe(1)
assert tallyboard.series()
print([name for name in sys.modules if name.startswith(("prometheus_client", "http", "ssl"))])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"


def test_what_is_public_can_be_imported() -> None:
    for name in tallyboard.__all__:
        assert getattr(tallyboard, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'such'"):
        tallyboard.such  # noqa: B018


def test_publish_is_a_function_whatever_was_imported_before() -> None:
    # A module of that name would be in its place once something had imported it.
    import_module("tallyboard.publication")
    assert callable(tallyboard.publish)
    with pytest.raises(ImportError):
        import_module("tallyboard.publish")
