"""Which of two ways this process counts by: the accelerator, or ctypes.

The accelerator is libtallyboard once more, built as an extension module of the stable ABI. Where it
can be imported it is both: the classes behind `core.py`, and the library that `lowlevel.py` calls,
so that there is one arena in the process. Where it cannot (a Python before 3.9, a free-threaded
one, a subinterpreter, another implementation), everything goes through ctypes.

`$TALLYBOARD_BACKEND` chooses: `native`, `ctypes`, or not set for what there is. A library that
`$TALLYBOARD_LIBRARY` names is another one than the accelerator, and is called by ctypes.
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

from .trouble import warn_once


def _choose() -> ModuleType | None:
    wanted = os.environ.get("TALLYBOARD_BACKEND", "")
    if wanted not in ("", "native", "ctypes"):
        message = f"TALLYBOARD_BACKEND is {wanted!r}: it should be 'native' or 'ctypes'"
        warn_once("backend", message)
    if wanted == "ctypes":
        return None
    if os.environ.get("TALLYBOARD_LIBRARY"):
        why = "TALLYBOARD_LIBRARY names another library, which ctypes calls"
    else:
        try:
            return import_module("._native", __package__)
        except ImportError as error:
            why = str(error)
    if wanted == "native":
        warn_once("backend", f"there is no accelerator here, and ctypes counts: {why}")
    return None


native: ModuleType | None = _choose()
"""The accelerator, or None where ctypes counts. Chosen as the package is imported."""
