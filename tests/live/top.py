"""`tallyboard top` in a real terminal: what is counted is seen to grow; sorting, filtering, the pages and every way
to end it work, and the terminal is as it was.

Usage: python -m live.top [--screens FOLDER]

With a folder, screens are kept there for people to look at.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rig.command import succeed
from rig.processes import running, state_of, until
from rig.scratch import scratch
from rig.terminal import Terminal

WRITER = """
import sys, time
from tallyboard import Counter, Enum, Gauge, Histogram, Info
Counter("still_total", "Stands still.").inc(1_000_000_000)
fast = Counter("fast_total", "Grows fast.", ["lane"])
slow = Counter("slow_total", "Grows slowly.")
level = Gauge("level", "Of each lane.", ["lane"], multiprocess_mode="livesum")
wait = Histogram("wait_seconds", "Half of a tenth.", ["lane"], buckets=(0.1, 1, 10))
spread = Histogram("spread_seconds", "Half of a tenth, too.", native=True)
phase = Enum("phase", "What each lane does.", ["lane"], states=["loading", "linking", "done"])
Info("build", "What runs.").info({"version": "1.2.3", "os": "linux"})
lane = sys.argv[1]
phase.labels(lane).state("done")
level.labels(lane).set(7)
while True:
    fast.labels(lane).inc(50)
    slow.inc()
    wait.labels(lane).observe(0.05)
    spread.observe(0.05)
    if lane == "left":
        phase.labels(lane).state(("loading", "linking")[int(time.time() * 2) % 2])
    time.sleep(0.02)
"""
FAMILIES = ["build", "fast_total", "level", "phase", "slow_total", "spread_seconds", "still_total", "wait_seconds"]
MOVING = ["fast_total", "phase", "slow_total", "spread_seconds", "wait_seconds"]


def families(screen: str) -> list[str]:
    """The families on the screen, from top to bottom."""
    first = [line.split()[0] for line in screen.splitlines() if line.split()]
    return [word for word in first if word in FAMILIES]


def fields(screen: str, family: str) -> list[str]:
    """The columns of a family's line."""
    found = [line.split() for line in screen.splitlines() if line.split()[:1] == [family]]
    assert len(found) == 1, f"{family} is there {len(found)} times:\n{screen}"
    return found[0]


def number(text: str) -> float:
    return float(text.replace(",", ""))


class Top:
    """A terminal with `top`, which the terminal's shell tells the end of."""

    def __init__(self, folder: Path, board: Path, screens: Path | None) -> None:
        self._folder = folder
        self._board = board
        self._screens = screens

    @contextmanager
    def open(self, *arguments: str) -> Iterator[Terminal]:
        before, after, pid = (self._folder / name for name in ("before", "after", "pid"))
        for note in (before, after, pid):
            note.unlink(missing_ok=True)
        # What the shell writes before and after must be the same: whether keys are echoed, lines are whole…
        program = f"echo $$ >{pid}; exec tallyboard top --interval 200ms {' '.join(arguments)}"
        command = f"stty -g >{before}; echo shell; sh -c '{program}'; echo ended with $?; stty -g >{after}; "
        command += "exec sleep 600"
        with Terminal(self._folder, command, TALLYBOARD=str(self._board)) as terminal:
            terminal.wait_for("q quit")
            assert terminal.state() == (True, False), "it has not taken the screen"
            yield terminal
            screen = terminal.wait_for("ended with 0")
            until(lambda: after.exists() and after.read_text(), "the shell")
            assert "shell" in screen, f"what was on the screen before is gone:\n{screen}"
            assert "FAMILY" not in screen, f"something of it is left:\n{screen}"
            assert terminal.state() == (False, True), "the screen or the cursor is not given back"
            assert before.read_text() == after.read_text(), "the terminal is in another mode than before"

    def pid(self) -> int:
        """Of the one that is open, or was last."""
        return int((self._folder / "pid").read_text())

    def keep(self, name: str, screen: str) -> None:
        if self._screens is not None:
            (self._screens / f"{name}.txt").write_text(screen)


def check_list(top: Top) -> None:
    with top.open() as terminal:
        first = terminal.wait_for("wait_seconds")
        assert families(first) == FAMILIES, first
        before = number(fields(first, "fast_total")[3])
        until(lambda: number(fields(terminal.screen(), "fast_total")[3]) > before, "fast_total to grow")
        until(lambda: fields(terminal.screen(), "fast_total")[4] not in ("-", "0"), "a rate")
        screen = terminal.screen()
        top.keep("families", screen)
        # Two writers, each 50 times as often as slow_total's two.
        rates = {family: number(fields(screen, family)[4]) for family in ("fast_total", "slow_total", "wait_seconds")}
        assert 40 < rates["fast_total"] / rates["slow_total"] < 60, rates
        assert fields(screen, "still_total")[2:5] == ["1", "2,000,000,000", "0"], screen
        assert fields(screen, "level")[1:4] == ["gauge", "2", "7..7"], screen
        assert fields(screen, "fast_total")[5].strip("▁▂▃▄▅▆▇█") == "", screen
        assert fields(screen, "build")[1:5] == ["info", "1", 'os="linux",', 'version="1.2.3"'], screen
        assert fields(screen, "phase")[1:3] == ["stateset", "2"], screen
        for state in ("loading", "linking"):
            terminal.wait_for(f"{state}:1 done:1")

        terminal.press("s")
        screen = terminal.wait_for("sort:value")
        assert families(screen)[0] == "still_total", screen
        terminal.press("s")
        screen = terminal.wait_for("sort:rate")
        assert families(screen)[0] == "fast_total", screen
        terminal.press("r")
        screen = terminal.wait_for("sort:rate^")
        assert families(screen)[-1] == "fast_total", screen
        terminal.press("s", "r")
        assert families(terminal.wait_for("sort:name ")) == FAMILIES

        terminal.press("/")
        terminal.wait_for("filter: _")
        terminal.type("sTill")
        screen = terminal.wait_for("filter: sTill_")
        assert families(screen) == ["still_total"], screen
        terminal.press("Enter", "Escape")
        assert families(terminal.wait_for("fast_total")) == FAMILIES
        terminal.press("m")
        screen = terminal.wait_for("m show still")
        assert families(screen) == MOVING, screen
        terminal.press("m", "q")
    print("the list of families grows, is sorted and filtered", flush=True)


def check_pages(top: Top, pids: list[int]) -> None:
    with top.open("--filter", "wait") as terminal:
        terminal.wait_for("filter:wait")
        terminal.press("Enter")
        terminal.wait_for("since the beginning")
        screen = terminal.wait_for("last ")
        top.keep("histogram", screen)
        # All observations are 0.05, in the bucket from 0 to 0.1: the quantiles are interpolated in it.
        for words in ("mean 0.05", "p50 0.05", "p90 0.09", "p99 0.099", 'lane="left"', 'lane="right"', "Half of a"):
            assert words in screen, f"{words} is missing:\n{screen}"
        terminal.press("/")
        terminal.type("left")
        terminal.press("Enter")
        screen = terminal.wait_without('lane="right"')
        assert 'lane="left"' in screen, screen
        # First the filter goes, then the page, then the filter that was there before.
        for text in ('lane="right"', "filter:wait", "still_total"):
            terminal.press("Escape")
            terminal.wait_for(text)

        terminal.press("p")
        for pid in pids:
            terminal.wait_for(f"{pid} ")
        screen = terminal.wait_for("CPU %")
        top.keep("processes", screen)
        lines = [line.split() for line in screen.splitlines() if line.split() and line.split()[0] in map(str, pids)]
        # PID NAME alive 3s ago …
        assert [line[2] for line in lines] == ["alive", "alive"], screen
        assert screen.count(" MiB") >= len(pids), f"no memory is shown:\n{screen}"

        terminal.press("b")
        screen = terminal.wait_for("Refused registrations")
        top.keep("board", screen)
        assert "of 16,384" in screen, screen

        terminal.press("b")
        terminal.wait_for("still_total")
        for width, height in ((60, 12), (20, 5), (3, 2), (150, 50), (80, 24)):
            terminal.resize(width, height)
            until(lambda: terminal.state() == (True, False), "it to stand the size")
        screen = terminal.wait_for("/ filter")
        top.keep("families-80x24", screen)
        assert "b board" in screen, screen
        assert families(screen) == FAMILIES, screen
        terminal.press("C-c")
    print("the pages of a family, the processes and the board; any size of the screen", flush=True)


def check_words_and_native(top: Top) -> None:
    with top.open("--filter", "phase") as terminal:
        terminal.wait_for("filter:phase")
        terminal.press("Enter")
        terminal.wait_for("STATE")
        # One of two lanes is done all the time, the other is as long in the one state as in the other.
        terminal.wait_for(" 50.0%")
        screen = terminal.wait_without(" 0.0%")
        top.keep("state-set", screen)
        for words in ('lane="left"', "What each lane does.", "loading  ", "linking  ", "last "):
            assert words in screen, f"{words} is missing:\n{screen}"
        assert ['lane="right"', "done"] in [line.split() for line in screen.splitlines()], screen
        terminal.press("/")
        terminal.type("right")
        terminal.press("Enter")
        terminal.wait_for("100.0%")
        terminal.press("q")

    with top.open("--filter", "build") as terminal:
        terminal.wait_for("filter:build")
        terminal.press("Enter")
        screen = terminal.wait_for("SAYS")
        top.keep("info", screen)
        lines = [line.split() for line in screen.splitlines()]
        assert ["version", "1.2.3"] in lines, screen
        assert ["(no", "labels)", 'os="linux",', 'version="1.2.3"'] in lines, screen
        terminal.press("q")

    with top.open("--filter", "spread") as terminal:
        terminal.wait_for("filter:spread")
        terminal.press("Enter")
        terminal.wait_for("since the beginning")
        screen = terminal.wait_for("last ")
        top.keep("native", screen)
        # All observations are 0.05, in the bucket from 2^(-35/8) to 2^(-34/8), and interpolated in it by ratio.
        for words in ("native, schema 3", "mean 0.05", "p50 0.05", "p99 0.053", " 0.05256  ████"):
            assert words in screen, f"{words} is missing:\n{screen}"
        terminal.press("q")
    print("what infos and state sets say, and a native histogram's own buckets", flush=True)


def check_another_board(top: Top, board: Path) -> None:
    with top.open() as terminal:
        terminal.wait_for("still_total")
        succeed(board, "rm", "--force", str(board))
        # Who counts moves to a board that is made again, with what is updated again.
        terminal.wait_without("still_total")
        before = number(fields(terminal.wait_for("fast_total"), "fast_total")[3])
        until(lambda: number(fields(terminal.screen(), "fast_total")[3]) > before, "the next board to grow")
        os.kill(top.pid(), signal.SIGTERM)
    print("the board is followed when it is made again; SIGTERM gives the terminal back", flush=True)


def check_hang_up(folder: Path, board: Path) -> None:
    pid = folder / "hang-up.pid"
    command = f"echo $$ >{pid}; exec tallyboard top --interval 200ms"
    with Terminal(folder, command, TALLYBOARD=str(board)) as terminal:
        terminal.wait_for("q quit")
    until(lambda: state_of(int(pid.read_text())) in "XZ", "it to end with its terminal")
    print("it ends with its terminal", flush=True)


def check_once(board: Path) -> None:
    table = succeed(board, "top", "--once", "--interval", "300ms", "--sort", "rate")
    print(table)
    heading, *rows = [line.split() for line in table.splitlines()]
    assert heading == ["FAMILY", "TYPE", "SERIES", "VALUE", "RATE/S"], heading
    assert rows[0][0] == "fast_total", rows
    assert float(rows[0][4]) > 0, rows
    assert ["build", "info", "1", 'os="linux",', 'version="1.2.3"', "-"] in rows, rows
    [phase] = [row for row in rows if row[0] == "phase"]
    assert phase[1:3] == ["stateset", "2"], rows
    assert phase[3] in ("loading:1", "linking:1"), rows
    assert phase[4:] == ["done:1", "-"], rows
    moving = succeed(board, "top", "--once", "--interval", "300ms", "--moving", "--filter", "slow")
    assert [line.split()[0] for line in moving.splitlines()] == ["FAMILY", "slow_total"], moving
    done = subprocess.run(["tallyboard", "top", str(board)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done
    assert "--once" in done.stderr, done
    print("without a terminal there is a table, or one line that says so", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--screens", type=Path, help="keep screens in this folder")
    options = arguments.parse_args()
    with scratch("top") as folder, ExitStack() as writers:
        board = folder / "top.board"
        pids = []
        for lane in ("left", "right"):
            command = [sys.executable, "-c", WRITER, lane]
            environment = {"TALLYBOARD": str(board)}
            writer = running(command, folder / "writer.log", environment)
            pids.append(writers.enter_context(writer).pid)
        until(lambda: board.exists() and succeed(board, "dump").count("\nlevel{") == 2, "both writers")
        top = Top(folder, board, options.screens)
        check_once(board)
        check_list(top)
        check_pages(top, pids)
        check_words_and_native(top)
        check_another_board(top, board)
        check_hang_up(folder, board)


if __name__ == "__main__":
    main()
