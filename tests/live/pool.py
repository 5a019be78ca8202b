"""A pool of Python workers as web servers make them: the counter is declared, then the workers are forked.

Says `ready` and its update path, and starts when a line comes in. Ends when all workers have ended, badly if one of
them did.

Usage: python -m live.pool PROCESSES FAMILY SERIES INCREMENTS
"""

from __future__ import annotations

import os
import sys

from tallyboard import Counter
from tallyboard.board import opened


def count(counter: Counter, series: int, increments: int) -> None:
    """Half of the series through a child that is kept, half through a new `labels()` for each increment."""
    kept = [counter.labels(kind) for kind in range(series // 2)]
    for _ in range(increments):
        for child in kept:
            child.inc()
        for kind in range(series // 2, series):
            counter.labels(kind=kind).inc()


def main(processes: int, family: str, series: int, increments: int) -> None:
    counter = Counter(family, "Increments by all workers.", ["kind"])
    board = opened()
    assert board is not None, "there is no board to count on"
    print("ready", "rseq" if board.library.board_uses_rseq(board.handle) else "shared", flush=True)
    sys.stdin.readline()
    children = []
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            count(counter, series, increments)
            os._exit(0)
        children.append(child)
    failed = [child for child in children if os.waitpid(child, 0)[1] != 0]
    sys.exit(f"workers {failed} failed" if failed else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
