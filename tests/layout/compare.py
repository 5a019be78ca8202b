"""The independent reader and `tallyboard dump --json` agree, and hashes, lists and locks are as LAYOUT.md says.

A board at rest, with everything odd that the command line can put on it: the two dumps are equal. A board that
processes are counting on, on both update paths: the reader's values lie between those of a dump before and one
after. Then the writers are killed with SIGKILL, and the dumps are equal again.

Usage: python -m layout.compare
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from layout import reader
from rig.scratch import scratch

LIVE_DUMPS = 25
"""Comparisons while the board changes."""

SeriesId = tuple[str, tuple[tuple[str, str], ...], int]
"""A family's name, a series' labels, its creation time."""

ODD = ["", " ", 'a"b', "back\\slash", "new\nline", "tab\t", "ümläut", "日本語", "😀" * 40, "=", "x" * 183, "y" * 1_500]
"""Label values: each thing that a format quotes, and texts that end just before and behind the end of a slot."""


def tallyboard(board: Path, *arguments: str, **environment: str) -> str:
    """Runs `tallyboard ARGUMENTS` on a board; what it printed."""
    environment = {**os.environ, **environment, "TALLYBOARD": str(board)}
    return subprocess.run(
        ["tallyboard", *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def theirs(board: Path) -> Any:
    """What the command says."""
    return json.loads(tallyboard(board, "dump", "--json"))


def ours(board: Path) -> Any:
    """What the independent reader says."""
    command = [sys.executable, reader.__file__, str(board)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def put_odd_things(board: Path) -> None:
    """One of each thing that the command line can make."""
    for place, value in enumerate(ODD):
        path = {"TALLYBOARD_RSEQ": "off"} if place % 2 else {}
        for amount in ("1", str(1 << 53), "0.25")[: 1 + place % 3]:
            tallyboard(board, "inc", "odd_total", amount, "--label", f"value={value}", "--label", "ß ö=1", **path)
    tallyboard(board, "inc", "with.dots and spaces", "--help-text", 'Help with "quotes", \\ and\nlines. ' * 20)
    tallyboard(board, "inc", "wrapping_total", str((1 << 64) - 1))
    for value in ("0", "-0.0", "-1e300", "5e-324", "inf", "-inf", "nan"):
        tallyboard(board, "set", "--label", f"of={value}", "--unit", "metres", "--", "level", value)
    for value in ("-3", "0.005", "0.0050001", "1e9", "inf"):
        tallyboard(board, "observe", "took_seconds", value, "--label", f"to={value}", "--unit", "seconds")
        tallyboard(board, "observe", "took_seconds", "0.1", "--label", f"to={value}", TALLYBOARD_RSEQ="off")
    many = ",".join(str(10.0**power) for power in range(-95, 95))
    for value in ("1e-96", "1e-20", "7", "1e99", "nan"):
        tallyboard(board, "observe", "wide", value, "--buckets", many)
    tallyboard(board, "observe", "bare", "1", "--buckets=inf")
    # The same names with other labels, or other bounds: only the newer definition is shown.
    tallyboard(board, "inc", "redefined_total", "--label", "old=1")
    tallyboard(board, "inc", "redefined_total", "5", "--label", "new=1")
    tallyboard(board, "observe", "redefined", "1", "--buckets", "1,2")
    tallyboard(board, "observe", "redefined", "1", "--buckets", "1,2,3")


def numbers(dump: Any) -> dict[SeriesId, dict[str, float]]:
    """Every number of a dump that may not go down."""
    found: dict[SeriesId, dict[str, float]] = {}
    for family in dump["families"]:
        for series in family["series"]:
            at = (family["name"], tuple(sorted(series["labels"].items())), series["created_unix_nanos"])
            assert at not in found, f"{at} is there twice"
            found[at] = {f"up to {bucket['le']}": bucket["count"] for bucket in series.get("buckets", [])}
            if family["type"] != "gauge":
                found[at] |= {name: series[name] for name in ("value", "count", "sum") if name in series}
    return found


def assert_not_below(earlier: Any, later: Any) -> None:
    """No series is gone and no number went down."""
    before, after = numbers(earlier), numbers(later)
    assert before.keys() <= after.keys(), f"gone: {before.keys() - after.keys()}"
    for series, values in before.items():
        for name, value in values.items():
            now = after[series][name]
            assert value == now or value <= now, f"{series}: {name} was {value} and is {now}"


def assert_equal(board: Path) -> None:
    """The two dumps of a board at rest are the same."""
    expected, found = theirs(board), ours(board)
    for one, other in zip(expected["families"], found["families"], strict=False):
        assert one == other, f"tallyboard dump: {one}\nreader: {other}"
    assert expected == found, "the dumps differ in their families or in what is said of the board"
    assert found["damaged"] == 0


def hashed(family: reader.Family | reader.Series) -> bytes:
    """What is hashed for a record (§9)."""
    if isinstance(family, reader.Family):
        return (1).to_bytes(8, "little") + family.name.encode()
    texts = [value.encode() for value in family.label_values]
    text = b"".join(len(value).to_bytes(2, "little") + value for value in texts)
    return (family.family ^ 2).to_bytes(8, "little") + text


def assert_indexed(path: Path) -> int:
    """Every living record of a board at rest has its hash and stands in its list, and the lists are sorted."""
    board = reader.Board(str(path))
    geometry = board.geometry
    linked: dict[int, int] = {}
    for list_number in range(geometry.heads):
        link, last = board.word(geometry.heads_at + 8 * list_number), 0
        while slot := link & 0x7FFF_FFFF:
            hash_word = board.word(geometry.records + 256 * (slot - 1))
            assert slot <= geometry.slots, f"list {list_number} leads out of the board"
            assert slot - 1 not in linked, f"slot {slot - 1} is in two places"
            assert last <= hash_word, f"list {list_number} is not sorted"
            linked[slot - 1], last = list_number, hash_word
            link = board.word(geometry.links + 8 * (slot - 1))
    records = 0
    for slot in range(geometry.slots):
        tag = board.state(slot)
        if tag >> 61 == reader.READY:
            expected = reader.siphash13(board.hash_key, hashed(board.record(slot, tag)))
            assert board.word(geometry.records + 256 * slot) == expected, f"slot {slot} has another hash"
            assert linked[slot] == expected % geometry.heads, f"slot {slot} is in another list"
            records += 1
    return records


def life(path: Path, pid: int) -> str:
    """What the rows and locks say of a process (§5): `alive`, `dead`, or `no row` if it registered nothing new."""
    board = reader.Board(str(path))
    geometry = board.geometry
    rows = [row for row in range(geometry.processes) if board.word(geometry.rows + 64 * row + 8) == pid]
    if not rows:
        return "no row"
    assert len(rows) == 1, f"process {pid} has rows {rows}"
    assert board.word(geometry.rows + 64 * rows[0]) & 1, "its row is not in use"
    with path.open("rb") as file:
        question = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, geometry.total_len + 2 * rows[0], 1, 0)
        answer = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_OFD_GETLK, question))
    return "dead" if answer[0] == fcntl.F_UNLCK else "alive"


def start(stack: ExitStack, board: Path, rseq: bool, *arguments: str) -> subprocess.Popen[str]:
    """Starts a `worker`, which is killed at the end."""
    environment = {**os.environ, "TALLYBOARD": str(board), **({} if rseq else {"TALLYBOARD_RSEQ": "off"})}
    pipe = subprocess.PIPE
    worker = subprocess.Popen(["worker", *arguments], env=environment, stdin=pipe, stdout=pipe, text=True)
    stack.enter_context(worker)
    stack.callback(worker.kill)
    assert worker.stdout is not None
    assert worker.stdin is not None
    assert worker.stdout.readline().startswith("ready")
    worker.stdin.write("go\n")
    worker.stdin.flush()
    return worker


def main() -> None:
    with scratch("layout") as folder, ExitStack() as stack:
        board = folder / "layout.board"
        tallyboard(board, "create", "--slots", "4096", "--processes", "16")
        put_odd_things(board)
        assert_equal(board)
        print(f"at rest: {len(numbers(ours(board)))} odd series are equal")

        endless = str(1 << 62)
        writers = [start(stack, board, rseq, "update", endless) for rseq in (True, False)]
        for number, rseq in enumerate((True, False)):
            ledger = str(folder / f"ledger-{number}")
            writers.append(
                start(stack, board, rseq, "churn", "churned_total", "2500", ledger, str(number + 5), endless)
            )
        first = last = theirs(board)
        for round_number in range(LIVE_DUMPS):
            # A process that comes, counts and goes is a writer too.
            tallyboard(board, "inc", "short_total", "--label", f"n={round_number % 7}")
            before, found, last = theirs(board), ours(board), theirs(board)
            assert_not_below(before, found)
            assert_not_below(found, last)
            assert found["damaged"] == 0
        grown = numbers(last).keys() - numbers(first).keys()
        assert numbers(last) != numbers(first), "nobody was counting"
        print(f"live: {LIVE_DUMPS} times between two dumps, while {len(grown)} series were registered")

        registered = [writer for writer in writers if life(board, writer.pid) == "alive"]
        assert len(registered) >= 2, "who registered the families has a row"
        for writer in writers:
            assert writer.poll() is None, f"a writer ended with {writer.returncode}"
            writer.kill()
            writer.wait()
        assert all(life(board, writer.pid) == "dead" for writer in registered)
        tallyboard(board, "inc", "survivor_total")
        assert_equal(board)
        print(
            f"at rest again: {len(numbers(ours(board)))} series are equal, {assert_indexed(board)} records are indexed"
        )


if __name__ == "__main__":
    main()
