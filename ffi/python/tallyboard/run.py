"""Runs a Python program with the drop-in: what it counts by prometheus_client is on the board.

    python -m tallyboard.run app.py ARGUMENT…
    python -m tallyboard.run -m package.module ARGUMENT…
    python -m tallyboard.run gunicorn app:app

What is no file and no `-m` is looked for on the PATH. Where it is a script for this Python, as
`pip install` makes them, it runs in this process. Anything else is executed with
`TALLYBOARD_PROMETHEUS_CLIENT=1`, as are all processes that the program starts: each Python among
them that has this package installed counts on the board, too.
"""

from __future__ import annotations

import builtins
import importlib.util
import os
import shutil
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, NoReturn


def main() -> None:
    """Runs what `sys.argv` says, and returns where it returns."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        sys.exit(0 if arguments else 2)
    os.environ["TALLYBOARD_PROMETHEUS_CLIENT"] = "1"
    from . import hook  # noqa: F401

    if arguments[0] == "-m":
        if len(arguments) == 1:
            _fail("-m needs the name of a module")
        _run_module(arguments[1], arguments[1:])
    elif arguments[0].startswith("-"):
        _fail(f"there is no option {arguments[0]}: options of Python go before -m tallyboard.run")
    elif os.path.exists(arguments[0]):
        _run_script(arguments[0], arguments)
    else:
        _run_program(arguments)


def _run_module(name: str, arguments: list[str]) -> None:
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError as error:
        _fail(str(error))
    code: CodeType | None = None
    if spec is not None:
        # A loader that can show its code is what `python -m` asks for, too.
        code = spec.loader.get_code(spec.name)  # type: ignore[union-attr]
    if spec is None or code is None:
        _fail(f"there is no module {name} that can be run")
    sys.argv = [spec.origin or name, *arguments[1:]]
    _run(code, __spec__=spec, __file__=spec.origin, __package__=spec.parent)


def _run_script(path: str, arguments: list[str]) -> None:
    if os.path.isdir(path):
        _fail(f"{path} is a folder: name a file in it, or a module with -m")
    sys.argv = arguments
    if not getattr(sys.flags, "safe_path", False):
        # Where `python -m` has put the working directory.
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    loader = SourceFileLoader("__main__", path)
    _run(loader.source_to_code(loader.get_data(path), path), __file__=path, __loader__=loader)


def _run(code: CodeType, **attributes: Any) -> None:
    # It stays the main module: threads of the program may go on when its main one has ended, and
    # multiprocessing and pickle look their things up in it.
    module = ModuleType("__main__")
    module.__dict__.update(attributes, __builtins__=builtins)
    sys.modules["__main__"] = module
    exec(code, module.__dict__)


def _run_program(arguments: list[str]) -> None:
    found = shutil.which(arguments[0])
    if found is None:
        _fail(f"there is no file and no program {arguments[0]}")
    if _is_for_this_python(found):
        _run_script(found, [found, *arguments[1:]])
    else:
        os.execv(found, arguments)


def _is_for_this_python(path: str) -> bool:
    with open(path, "rb") as file:
        first = file.readline(1024)
    if not first.startswith(b"#!"):
        return False
    words = os.fsdecode(first[2:]).split()
    if len(words) > 1 and os.path.basename(words[0]) == "env":
        words = [shutil.which(words[1]) or words[1]]
    return bool(words) and _is_this_python(words[0])


def _is_this_python(path: str) -> bool:
    # By the folder, not by what links lead to: that is the same in all virtual environments.
    return os.path.basename(path).startswith("python") and os.path.dirname(path) == os.path.dirname(
        sys.executable
    )


def _fail(message: str) -> NoReturn:
    print(f"tallyboard.run: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
