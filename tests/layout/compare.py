"""The independent reader and `tallyboard dump --json` agree, and hashes, lists and locks are as LAYOUT.md says.

A board at rest, with everything odd that the command line can put on it, with series that were removed, words and
definitions that changed and a family that is full: the two dumps are equal. Gauges of every aggregation, set by
processes of which some are killed: they are equal before, between and after the deaths. A board that processes are
counting on, on both update paths: the reader's values lie between those of a dump before and one
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

FOLDED = 400
"""Offset of `folded` in the control section (§4)."""

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
    for value in ("-3", "-0.0", "0.001", "0.7071067811865475", "0.7071067811865476", "3", "1e9", "nan"):
        for path in ({}, {"TALLYBOARD_RSEQ": "off"}):
            tallyboard(board, "observe", "native", value, "--native", "3,0.001,64", "--label", f"of={value}", **path)
            tallyboard(board, "observe", "native_wide", value, "--native=-4,1e-300,1e300", **path)
            tallyboard(board, "observe", "native_narrow", value, "--native", "8,0.6,0.99", **path)
    # The same names with other labels, other bounds or another window: only the newer definition is shown.
    tallyboard(board, "inc", "redefined_total", "--label", "old=1")
    tallyboard(board, "inc", "redefined_total", "5", "--label", "new=1")
    tallyboard(board, "observe", "redefined", "1", "--buckets", "1,2")
    tallyboard(board, "observe", "redefined", "1", "--buckets", "1,2,3")
    tallyboard(board, "observe", "native_again", "1", "--native", "0,1,8")
    tallyboard(board, "observe", "native_again", "1", "--native", "1,1,8")
    tallyboard(board, "observe", "native_again", "1")


def numbers(dump: Any) -> dict[SeriesId, dict[str, float]]:
    """Every number of a dump that may not go down."""
    found: dict[SeriesId, dict[str, float]] = {}
    for family in dump["families"]:
        for series in family["series"]:
            at = (family["name"], tuple(sorted(series["labels"].items())), series["created_unix_nanos"])
            assert at not in found, f"{at} is there twice"
            found[at] = {f"up to {bucket['le']}": bucket["count"] for bucket in series.get("buckets", [])}
            if family["type"] not in ("gauge", "info", "stateset"):
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


def hashed(record: reader.Family | reader.Series | reader.Part | reader.Help | reader.Annex) -> bytes:
    """What is hashed for a record (§9)."""
    if isinstance(record, reader.Family):
        return (reader.FAMILY).to_bytes(8, "little") + record.name.encode()
    if isinstance(record, reader.Help):
        return (record.parent.tag ^ reader.HELP).to_bytes(8, "little")
    if isinstance(record, reader.Annex):
        return (record.parent.tag ^ record.kind).to_bytes(8, "little") + record.key
    if isinstance(record, reader.Part):
        return (record.parent.tag ^ reader.PART).to_bytes(8, "little") + record.key
    texts = [value.encode() for value in record.label_values]
    text = b"".join(len(value).to_bytes(2, "little") + value for value in texts)
    return (record.parent.tag ^ reader.SERIES).to_bytes(8, "little") + text


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
    words = {row: board.word(geometry.rows + 64 * row) for row in range(geometry.processes)}
    rows = [row for row, word in words.items() if word & 1 and board.word(geometry.rows + 64 * row + 8) == pid]
    if not rows:
        return "no row"
    assert len(rows) == 1, f"process {pid} has rows {rows}"
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


def end(worker: subprocess.Popen[str]) -> None:
    """Kills a `worker` with SIGKILL, if it still runs, and waits until it is gone."""
    worker.kill()
    worker.wait()


def change(board: Path) -> None:
    """Leaves series that were removed, words and definitions that changed, a full family; reaps the dead."""
    environment = {**os.environ, "TALLYBOARD": str(board)}
    subprocess.run(["worker", "change"], env=environment, check=True, input="go\n", stdout=subprocess.PIPE, text=True)


def family(dump: Any, name: str) -> Any:
    """The one family of this name."""
    (found,) = (family for family in dump["families"] if family["name"] == name)
    return found


def assert_changed(board: Path) -> None:
    """What `change` has left is what both dumps show."""
    change(board)
    assert_equal(board)
    found = ours(board)
    removed = {series["labels"]["k"]: series["value"] for series in family(found, "removed_total")["series"]}
    assert removed == {"b": 1, "c": 5}, removed
    assert family(found, "cleared")["series"] == []
    capped = {series["labels"]["k"]: series["value"] for series in family(found, "capped_total")["series"]}
    assert capped == {"0": 0, "1": 1, "2": 2, "overflow": sum(range(3, 10))}, capped
    worded = family(found, "worded")
    assert (worded["help"], worded["unit"]) == ("Three.", "seconds"), worded
    (traced,) = family(found, "traced_total")["series"]
    assert (traced["value"], traced["exemplar"]["labels"]) == (3, {"trace_id": "b"}), traced
    (timed,) = family(found, "traced_seconds")["series"]
    assert [bucket.get("exemplar", {}).get("value") for bucket in timed["buckets"]] == [0.5, None, "NaN"], timed
    described = {series["labels"]["k"]: series["info"] for series in family(found, "described")["series"]}
    assert described == {"said": {"version": "2", "wide": "w" * 1000}, "silent": {}}, described
    states = {series["labels"]["k"]: series["state"] for series in family(found, "phase")["series"]}
    assert states == {"first": "loading", "set": "linking"}, states
    (newer,) = family(found, "versions")["series"]
    assert (newer["labels"], len(newer["buckets"])) == ({"k": "newer"}, 3), newer


def shared(board: Path, how: str) -> Any:
    """The series `plain` of the gauge of this aggregation, as the reader shows it; nothing if it leaves it out."""
    gauge = family(ours(board), f"shared_{how}")
    series = [series for series in gauge["series"] if series["labels"]["value"] == "plain"]
    if not series:
        return None
    return series[0]["value"] if "value" in series[0] else sorted(of["value"] for of in series[0]["processes"])


def assert_shared(stack: ExitStack, board: Path) -> None:
    """Gauges of every aggregation, while the processes that set them die."""
    plain = [2.5, -4.0, 16.0, 1.0]
    odd = ["-0.0", "nan", "inf", "1e300"]
    workers = [start(stack, board, True, "share", str(one), other) for one, other in zip(plain, odd, strict=True)]
    geometry = reader.Board(str(board)).geometry
    for dead in range(len(plain) + 1):
        if dead:
            end(workers[dead - 1])
        alive = plain[dead:]
        # Before somebody reaps the one that has just died, and after it.
        for reaped in (False, True):
            if reaped:
                change(board)
            assert_equal(board)
            expected = {
                **{"last": plain[-1], "sum": sum(plain), "min": min(plain), "max": max(plain), "all": sorted(plain)},
                **{"livesum": sum(alive), "livemin": min(alive, default=None), "livemax": max(alive, default=None)},
                **{"liveall": sorted(alive), "livemostrecent": alive[-1] if alive else None},
            }
            found = {how: shared(board, how) for how in expected}
            assert found == expected, f"{dead} died, reaped: {reaped}: {found} instead of {expected}"
    folded = reader.Board(str(board)).word(geometry.control + FOLDED)
    assert folded == 2 * 3 * len(plain), f"{folded} parts were folded"


def main() -> None:
    with scratch("layout") as folder, ExitStack() as stack:
        board = folder / "layout.board"
        tallyboard(board, "create", "--slots", "4096", "--processes", "16")
        put_odd_things(board)
        assert_equal(board)
        assert_changed(board)
        print(f"at rest: {len(numbers(ours(board)))} odd series are equal")
        assert_shared(stack, board)
        print(f"gauges: {len(reader.AGGREGATIONS) - 1} aggregations are equal while 4 processes die")

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
            end(writer)
        assert all(life(board, writer.pid) == "dead" for writer in registered)
        tallyboard(board, "inc", "survivor_total")
        assert_equal(board)
        print(
            f"at rest again: {len(numbers(ours(board)))} series are equal, {assert_indexed(board)} records are indexed"
        )


if __name__ == "__main__":
    main()
