from __future__ import annotations

import math
import time
from types import ModuleType
from typing import Any

import pytest

from .reading import created, shown


def test_starts_at_zero(client: ModuleType, name: str, registry: Any) -> None:
    client.Summary(name, "Help.", registry=registry)
    assert shown(registry) == {f"{name}_count": 0, f"{name}_sum": 0}


def test_counts_and_sums(client: ModuleType, name: str, registry: Any) -> None:
    summary = client.Summary(name, "Help.", registry=registry)
    for amount in (1, 2.5, -4, 0):
        summary.observe(amount)
    assert shown(registry) == {f"{name}_count": 4, f"{name}_sum": -0.5}


def test_sum_may_be_infinite(client: ModuleType, name: str, registry: Any) -> None:
    summary = client.Summary(name, "Help.", registry=registry)
    summary.observe(math.inf)
    summary.observe(1)
    assert shown(registry) == {f"{name}_count": 2, f"{name}_sum": math.inf}


def test_tells_when_it_was_made(client: ModuleType, name: str, registry: Any) -> None:
    before = time.time()
    client.Summary(name, "Help.", registry=registry)
    assert before - 0.001 <= created(registry)[f"{name}_created"] <= time.time()


def test_quantile_is_reserved(client: ModuleType, name: str) -> None:
    with pytest.raises(ValueError, match=r"[Rr]eserved"):
        client.Summary(name, "Help.", ["quantile"], registry=None)


def test_labelled_parent_does_not_observe(client: ModuleType, name: str, registry: Any) -> None:
    summary = client.Summary(name, "Help.", ["a"], registry=registry)
    with pytest.raises(ValueError, match="label"):
        summary.observe(1)
    assert shown(registry) == {}


def test_takes_numbers_only(client: ModuleType, name: str) -> None:
    with pytest.raises(TypeError):
        client.Summary(name, "Help.", registry=None).observe("1")


def test_labels(client: ModuleType, name: str, registry: Any) -> None:
    summary = client.Summary(name, "Help.", ["a"], registry=registry)
    summary.labels("x").observe(2)
    summary.labels("y")
    assert shown(registry) == {
        f'{name}_count{{a="x"}}': 1,
        f'{name}_sum{{a="x"}}': 2,
        f'{name}_count{{a="y"}}': 0,
        f'{name}_sum{{a="y"}}': 0,
    }
