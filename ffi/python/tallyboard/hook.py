"""Installs the drop-in as a program imports prometheus_client; importing this module is enough.

It is imported by `tallyboard_drop_in.pth`, in every Python that starts with
`TALLYBOARD_PROMETHEUS_CLIENT` set, and by `tallyboard.run`. A program that never imports
prometheus_client opens no board.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Sequence

from .trouble import warn_once

_PACKAGE = "prometheus_client"


class _Finder:
    """Finds prometheus_client where the others do, and has it followed by the installation."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _PACKAGE:
            return None
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            if finder is self or find_spec is None:
                continue
            spec: ModuleSpec | None = find_spec(fullname, path, target)
            if spec is not None:
                _follow(spec)
                return spec
        return None


def _follow(spec: ModuleSpec) -> None:
    # On this loader, of this spec: it stays what it is to whoever asks it for data or source.
    loader = spec.loader
    assert loader is not None
    exec_module = loader.exec_module

    def exec_and_install(module: ModuleType) -> None:
        exec_module(module)
        _install()

    loader.exec_module = exec_and_install  # type: ignore[method-assign]


def _install() -> None:
    # The program imports prometheus_client, and is not to learn of this by an exception.
    try:
        from .prometheus_client import install

        install()
    except Exception as error:
        warn_once("hook", f"prometheus_client does not count on the board: {error!r}")


if _PACKAGE in sys.modules:
    _install()
else:
    sys.meta_path.insert(0, _Finder())
