"""prometheus_client's functions, with our default registry where they have theirs."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from prometheus_client.registry import REGISTRY as THEIRS


def over(registry: object, function: Any) -> Any:
    """A copy of `function` that has `registry` as its default where it has prometheus_client's.

    It is the same code with the same parameters, whichever version of prometheus_client is here.
    """
    defaults = tuple(registry if each is THEIRS else each for each in function.__defaults__ or ())
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__, defaults, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__annotations__ = function.__annotations__
    copy.__doc__ = function.__doc__
    copy.__qualname__ = function.__qualname__
    return copy
