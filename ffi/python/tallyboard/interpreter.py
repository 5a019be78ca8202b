"""Which of a process's interpreters this is: Python can run several of them, each with its modules.

Apache's mod_wsgi does, and whoever uses `concurrent.interpreters`.
"""

from __future__ import annotations

import ctypes
import sys


def is_main() -> bool:
    """Whether this is the interpreter that the process began with. Some microseconds."""
    if sys.implementation.name != "cpython":
        return True
    # In 3.8 it was not public yet.
    name = "PyInterpreterState_Get" if sys.version_info >= (3, 9) else "_PyInterpreterState_Get"
    # By index these are functions of our own, not those that others may have declared otherwise.
    get, get_id = ctypes.pythonapi[name], ctypes.pythonapi["PyInterpreterState_GetID"]
    get.restype, get_id.restype = ctypes.c_void_p, ctypes.c_int64
    get_id.argtypes = [ctypes.c_void_p]
    return bool(get_id(get()) == 0)
