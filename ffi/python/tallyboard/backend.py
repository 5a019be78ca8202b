"""Which of two ways this process counts by: the accelerator, or ctypes.

The accelerator, `_native.abi3.so`, is libtallyboard, built as an extension module of the stable ABI
besides. Where it can be imported it is both: the classes behind `bases.py`, and the library that
`lowlevel.py` calls. Where it cannot (a CPython before 3.9, a free-threaded one, a subinterpreter),
ctypes calls the same file. So there is one arena in a process, however its interpreters count. What
the file asks of Python's own functions, every CPython from 3.8 on has. PyPy has not, and needs a
plain libtallyboard.

`$TALLYBOARD_BACKEND` chooses: `native`, `ctypes`, or not set for what there is. A library that
`$TALLYBOARD_LIBRARY` names is another one than the accelerator, and is called by ctypes.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType

from .interpreter import is_main
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
        why = _unfit()
        if not why:
            try:
                return import_module("._native", __package__)
            except ImportError as error:
                why = str(error)
    if wanted == "native":
        warn_once("backend", f"there is no accelerator here, and ctypes counts: {why}")
    return None


def _unfit() -> str:
    """Why this Python should not even try: it might import what then corrupts it."""
    if sys.version_info < (3, 9):
        return "it is for CPython 3.9 and newer"
    # Not there on Windows.
    if "t" in getattr(sys, "abiflags", ""):
        return "the stable ABI is not that of a free-threaded Python"
    if not is_main():
        return "its classes belong to the main interpreter, and this is another one"
    return ""


native: ModuleType | None = _choose()
"""The accelerator, or None where ctypes counts. Chosen as the package is imported."""
