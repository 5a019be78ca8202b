from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from .reading import shown


def test_starts_in_the_first_state(client: ModuleType, name: str, registry: Any) -> None:
    client.Enum(name, "Help.", states=["starting", "running"], registry=registry)
    states = {f'{name}{{{name}="starting"}}': 1, f'{name}{{{name}="running"}}': 0}
    assert shown(registry) == states


@pytest.mark.parametrize("states", [["a", "b", "c"], ("a", "b", "c")])
def test_is_in_one_state(client: ModuleType, name: str, registry: Any, states: Any) -> None:
    enum = client.Enum(name, "Help.", states=states, registry=registry)
    enum.state("c")
    enum.state("b")
    assert shown(registry) == {f'{name}{{{name}="{each}"}}': each == "b" for each in "abc"}


def test_labels(client: ModuleType, name: str, registry: Any) -> None:
    enum = client.Enum(name, "Help.", ["k"], states=["a", "b"], registry=registry)
    enum.labels("x").state("b")
    enum.labels("y")
    assert shown(registry) == {
        f'{name}{{k="x",{name}="a"}}': 0,
        f'{name}{{k="x",{name}="b"}}': 1,
        f'{name}{{k="y",{name}="a"}}': 1,
        f'{name}{{k="y",{name}="b"}}': 0,
    }


def test_state_that_there_is_not(client: ModuleType, name: str, registry: Any) -> None:
    enum = client.Enum(name, "Help.", states=["a", "b"], registry=registry)
    enum.state("b")
    with pytest.raises(ValueError):
        enum.state("c")
    assert shown(registry)[f'{name}{{{name}="b"}}'] == 1


def test_needs_states(client: ModuleType, name: str) -> None:
    with pytest.raises(ValueError, match=r"[Ss]tate"):
        client.Enum(name, "Help.", registry=None)
    with pytest.raises(ValueError, match=r"[Ss]tate"):
        client.Enum(name, "Help.", states=[], registry=None)


def test_its_name_is_a_label(client: ModuleType, name: str) -> None:
    with pytest.raises(ValueError, match=r"[Oo]verlap"):
        client.Enum(name, "Help.", [name], states=["a"], registry=None)


def test_has_no_unit(client: ModuleType, name: str) -> None:
    with pytest.raises(ValueError, match="unit"):
        client.Enum(name, "Help.", unit="seconds", states=["a"], registry=None)


def test_labelled_parent_is_in_no_state(client: ModuleType, name: str, registry: Any) -> None:
    enum = client.Enum(name, "Help.", ["k"], states=["a"], registry=registry)
    with pytest.raises(ValueError, match="label"):
        enum.state("a")
    assert shown(registry) == {}
