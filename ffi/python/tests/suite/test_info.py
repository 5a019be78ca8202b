from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from .reading import shown


def test_says_nothing_at_first(client: ModuleType, name: str, registry: Any) -> None:
    client.Info(name, "Help.", registry=registry)
    assert shown(registry) == {f"{name}_info": 1}


def test_says_the_last(client: ModuleType, name: str, registry: Any) -> None:
    info = client.Info(name, "Help.", registry=registry)
    info.info({"version": "1.2.3", "host": "a"})
    info.info({"version": "1.2.4", "place": "ümlaut \U0001f4ca"})
    assert shown(registry) == {f'{name}_info{{place="ümlaut \U0001f4ca",version="1.2.4"}}': 1}
    info.info({})
    assert shown(registry) == {f"{name}_info": 1}


def test_what_was_given_may_change_later(client: ModuleType, name: str, registry: Any) -> None:
    pairs = {"a": "1"}
    client.Info(name, "Help.", registry=registry).info(pairs)
    pairs["a"] = "2"
    assert shown(registry) == {f'{name}_info{{a="1"}}': 1}


def test_labels(client: ModuleType, name: str, registry: Any) -> None:
    info = client.Info(name, "Help.", ["a"], registry=registry)
    info.labels("x").info({"b": "1"})
    info.labels("y")
    assert shown(registry) == {f'{name}_info{{a="x",b="1"}}': 1, f'{name}_info{{a="y"}}': 1}


def test_overlap_with_labels(client: ModuleType, name: str, registry: Any) -> None:
    info = client.Info(name, "Help.", ["a"], registry=registry)
    with pytest.raises(ValueError, match=r"[Oo]verlap"):
        info.labels("x").info({"a": "y"})


def test_none_is_no_value(client: ModuleType, name: str, registry: Any) -> None:
    info = client.Info(name, "Help.", registry=registry)
    info.info({"a": "1"})
    with pytest.raises(ValueError, match="None"):
        info.info({"b": None})
    assert shown(registry) == {f'{name}_info{{a="1"}}': 1}


def test_has_no_unit(client: ModuleType, name: str) -> None:
    with pytest.raises(ValueError, match="unit"):
        client.Info(name, "Help.", unit="seconds", registry=None)
