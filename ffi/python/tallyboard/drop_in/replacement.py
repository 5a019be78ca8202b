"""Putting a method of ours in the place of one of prometheus_client's."""

from __future__ import annotations

from functools import wraps
from typing import Any, Callable

Method = Callable[..., Any]


def replace(owner: Any, name: str, plain: Method, replacement: Callable[[Method], Method]) -> None:
    """Makes `owner.name`, which is `plain`, what `replacement` makes of it. A method that has been
    replaced stays: an installation that an error has broken off is finished by another."""
    if getattr(plain, "_is_replacement", False):
        return
    method: Any = wraps(plain)(replacement(plain))
    # On the method, and before it is put there: there is no moment when only one of the two is so.
    method._is_replacement = True
    setattr(owner, name, method)
