"""What goes wrong outside the program is said once, as a warning, and never raised."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Hashable

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep

# A forked child inherits what its parent has said already: 24 workers do not say it 24 times.
_said: set[Hashable] = set()


def warn_once(cause: Hashable, message: str) -> None:
    """Warns (`RuntimeWarning`) unless this process has warned of `cause` before.

    The warning names the first line outside this package, which is where the metric is declared.
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
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
        level += 1
    return level
