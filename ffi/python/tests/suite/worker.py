"""A process that does operations with one client: `python -m suite.worker SUBJECT`.

It reads what to do from its standard input and answers on its standard output, both pickled.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from . import differences
from .operations import Bench, Declaration, Operation, Shown


class Worker:
    """Such a process, from outside."""

    def __init__(self, subject: str, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "suite.worker", subject],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def begin(self, prefix: str, declarations: list[Declaration]) -> None:
        self._ask("begin", prefix, declarations)

    def do(self, operation: Operation) -> str | None:
        """See `Bench.do`."""
        outcome: str | None = self._ask("do", operation)
        return outcome

    def families(self) -> dict[str, Shown]:
        """See `Bench.families`."""
        families: dict[str, Shown] = self._ask("families")
        return families

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        # It ends as its standard input does.
        self._process.communicate()

    def _ask(self, *question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump(question, self._process.stdin)
        self._process.stdin.flush()
        error, answer = pickle.load(self._process.stdout)
        assert error is None, error
        return answer


def main(subject: str) -> None:
    warnings.filterwarnings("ignore", differences.WARNING)
    if subject == "drop-in":
        import_module("tallyboard.prometheus_client").install()
    client = import_module("tallyboard" if subject == "tallyboard" else "prometheus_client")
    bench: Bench | None = None
    while True:
        try:
            verb, *arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        error = answer = None
        try:
            if verb == "begin":
                bench = Bench(client, *arguments)
            else:
                answer = getattr(bench, verb)(*arguments)
        except Exception:
            error = traceback.format_exc()
        pickle.dump((error, answer), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
