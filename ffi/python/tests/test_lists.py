"""Who is on the board's list of processes: who counts, their children, and nobody who left."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tallyboard import Counter
from tallyboard.board import opened

if TYPE_CHECKING:
    from conftest import Run


class Process(ctypes.Structure):
    """`tb_process`, as far as it is looked at here."""

    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("row", ctypes.c_uint32),
        ("is_alive", ctypes.c_int32),
        ("pid", ctypes.c_uint64),
    )


Visitor = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(Process), ctypes.c_void_p)


def listed(library: ctypes.CDLL, handle: Any = None) -> dict[int, bool]:
    """The processes on a board, and which live; on that of this process without `handle`."""
    if handle is None:
        board = opened()
        assert board is not None
        handle = board.handle
    found: dict[int, bool] = {}

    def visit(process: Any, _context: object) -> int:
        found[process.contents.pid] = bool(process.contents.is_alive)
        return 0

    assert library.tb_board_processes(handle, Visitor(visit), None) == 0
    return found


def test_a_forked_child_is_listed_before_it_counts(name: str, library: ctypes.CDLL) -> None:
    Counter(name, "Help.").inc()
    assert listed(library)[os.getpid()]
    up, child_up = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(child_up, b"x")
        while True:
            signal.pause()
    assert os.read(up, 1) == b"x"
    os.close(up)
    os.close(child_up)
    assert listed(library)[pid] is True
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    # Until somebody reaps it.
    assert listed(library)[pid] is False


ENDS = """
import os, sys
from tallyboard import Counter
counter = Counter("c", "Help.")
if "fork" in sys.argv and os.fork() == 0:
    sys.exit(0)
if "fork" in sys.argv:
    assert os.wait()[1] == 0
    counter.inc()
if "dies" in sys.argv:
    os._exit(0)
"""


def test_who_ends_is_off_the_list(run: Run, board: Path, library: ctypes.CDLL) -> None:
    handle = ctypes.c_void_p()
    run(ENDS)
    assert library.tb_board_attach(b"test", ctypes.byref(handle)) == 0
    try:
        assert listed(library, handle) == {}
        run(ENDS, "fork")
        assert listed(library, handle) == {}
        run(ENDS, "dies")
        assert list(listed(library, handle).values()) == [False]
        # The child has left; the row that it had is not the parent's.
        run(ENDS, "fork", "dies")
        assert list(listed(library, handle).values()) == [False, False]
    finally:
        library.tb_board_close(handle)


LOOKS = """
import os, tallyboard
from tallyboard import Counter
assert tallyboard.series() == []
labelled = Counter("c", "Help.", ["a"])
if os.fork() == 0:
    os.kill(os.getpid(), 9)
os.wait()
"""


@pytest.mark.usefixtures("board")
def test_who_only_looks_is_not_listed_and_neither_are_its_children(
    run: Run, library: ctypes.CDLL
) -> None:
    run(LOOKS)
    handle = ctypes.c_void_p()
    assert library.tb_board_attach(b"test", ctypes.byref(handle)) == 0
    assert listed(library, handle) == {}
    library.tb_board_close(handle)


BROKEN = """
import os, sys
from tallyboard import Counter

counter = Counter("c", "Help.")
counter.inc()
for n in range(int(sys.argv[1])):
    if os.fork() == 0:
        counter.inc()
        os._exit(0)
    assert os.wait()[1] == 0
# A board that lets nobody in any more.
os.unlink(sys.argv[2])
if os.fork() == 0:
    counter.inc()
    sys.exit(0)
assert os.wait()[1] == 0
print(counter.value())
"""


def test_a_fork_is_never_disturbed(run: Run, board: Path) -> None:
    # More children than the list has rows, so that each of the last takes that of a dead one.
    assert run(BROKEN, "1100", str(board / "test.v1.board")) == "1102.0\n"
