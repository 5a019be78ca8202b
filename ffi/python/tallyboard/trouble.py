"""What goes wrong outside the program is said once, as a warning, and never raised."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Hashable

# With the drop-in, what a program calls is prometheus_client.
_PACKAGES = ("tallyboard", "prometheus_client")

# A forked child inherits what its parent has said already: 24 workers do not say it 24 times.
_said: set[Hashable] = set()


def warn_once(cause: Hashable, message: str) -> None:
    """Warns (`RuntimeWarning`) unless this process has warned of `cause` before.

    The warning names the first line outside of the packages, which is where the metric is declared.
    """
    if cause in _said:
        return
    # Noted first: under `-W error` the warning is an exception, and one of those is enough too.
    _said.add(cause)
    warnings.warn(f"tallyboard: {message}", RuntimeWarning, stacklevel=_levels_to_caller())


def _levels_to_caller() -> int:
    # warnings counts from the function that calls it: 1 is warn_once.
    level = 1
    frame = sys._getframe(1)
    while frame.f_back is not None and _package(frame) in _PACKAGES:
        frame = frame.f_back
        level += 1
    return level


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
