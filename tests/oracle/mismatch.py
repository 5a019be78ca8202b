"""Two answers that should be one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class MismatchError(Exception):
    """What a judge has read is not what was counted."""


def compare(what: str, found: Mapping[Key, Value], expected: Mapping[Key, Value]) -> None:
    """Both have the same; if not, tells the first that differs."""
    for key, value in expected.items():
        if key not in found:
            raise MismatchError(f"{what}: {key!r} is missing; expected {value!r}")
        if found[key] != value:
            raise MismatchError(f"{what}: {key!r}\n  is        {found[key]!r}\n  and not   {value!r}")
    for key, value in found.items():
        if key not in expected:
            raise MismatchError(f"{what}: {key!r} came from nowhere, with {value!r}")
