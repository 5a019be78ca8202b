"""Whatever becomes of a board, the exporter lives on and serves what is sound.

One `tallyboard serve` reads two boards all the while. On the one a known number was counted, and every scrape must
show it; on the other writers count, and it is damaged in each way in turn: truncated, unlinked, replaced, overwritten
with noise in each section. After each a new board has the same name, and is served by the same process.

Usage: python -m live.hostile [--seed N]
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import re
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from layout.reader import Geometry
from rig.command import parse, succeed, tallyboard
from rig.exporter import Exporter
from rig.scrapes import Scrapes
from rig.scratch import scratch

SLOTS, PROCESSES = 2048, 16
NOISE_ROUNDS = 8
"""How often each section is overwritten while the writers count."""
TELL = 60
"""Seconds after which a writer that was told to end and did not has failed. No measure of anything."""


class BothBoards(Scrapes):
    """Scrapes that find the steady board exact, whatever becomes of the other."""

    def __init__(self, exporter: Exporter, steady: Path) -> None:
        super().__init__()
        self._exporter, self._steady = exporter, steady
        self.cut_off = 0

    def _scrape(self, accept: str = "") -> str:
        """One body. A scrape that is under way when the board breaks is cut off, and asked for again."""
        while True:
            try:
                return self._exporter.scrape(accept)
            except (ConnectionResetError, http.client.IncompleteRead):
                self.cut_off += 1

    def one(self) -> dict[str, float]:
        """One scrape, by both formats in turn; the samples of the damaged board by name, those with one label."""
        if self.done % 2:
            # What is not 200 is an exception.
            assert self._scrape("application/openmetrics-text;version=1.0.0").endswith("# EOF\n")
        samples = parse(self._scrape())
        broken = samples["tallyboard_scrapes_failed_total", frozenset({("reason", "broken")})]
        assert self.cut_off == broken, f"{self.cut_off} scrapes were cut off, {broken} because a board broke"
        steady = {
            labels: value
            for (name, labels), value in samples.items()
            if name == "steady_total" and ("board", str(self._steady)) in labels
        }
        assert sorted(steady.values()) == [float(kind) for kind in range(1, 51)], "the other board is not exact"
        with urllib.request.urlopen(f"http://{self._exporter.address}/-/healthy", timeout=30) as response:
            assert response.status == 200
        damaged = ("board", str(self._exporter.board))
        return {name: value for (name, labels), value in samples.items() if labels == frozenset({damaged})}


@contextmanager
def writers(board: Path, seed: int) -> Iterator[None]:
    """Two processes that count on the board until the end of the block, one on each update path."""
    pipe = subprocess.PIPE
    started: list[subprocess.Popen[str]] = []
    try:
        for rseq in ({}, {"TALLYBOARD_RSEQ": "off"}):
            environment = {**os.environ, "TALLYBOARD": str(board), **rseq}
            command = ["worker", "stubborn", "100", str(seed + len(started))]
            writer = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
            started.append(writer)
            assert writer.stdout is not None
            assert writer.stdout.readline().startswith("ready")
        for writer in started:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        yield
        for writer in started:
            assert writer.poll() is None, f"a writer ended by itself: {writer.returncode}"
            said, _ = writer.communicate("end\n", timeout=TELL)
            assert writer.returncode == 0, f"a writer exited {writer.returncode}"
            print(f"    a writer: {said.strip()}", flush=True)
    finally:
        for writer in started:
            writer.kill()
            writer.wait()


def sections(board: Path) -> dict[str, tuple[int, int]]:
    """Begin and end of each section, as LAYOUT.md §2 computes them."""
    data = board.read_bytes()[:64]
    slots, processes, planes = (int.from_bytes(data[at : at + 8], "little") for at in (40, 48, 56))
    at = Geometry(slots, processes, planes)
    names = ["header", "control", "rows", "heads", "states", "links", "records", "shared plane", "plane table"]
    begins = [0, at.control, at.rows, at.heads_at, at.states, at.links, at.records, at.shared, at.table, at.planes_at]
    found = dict(zip(names, pairwise(begins), strict=True))
    found["planes"] = (at.planes_at, at.total_len)
    return found


class Case:
    """The exporter, its log and the board that is damaged."""

    def __init__(self, exporter: Exporter, scrapes: BothBoards, chance: random.Random) -> None:
        self.exporter, self.scrapes, self.chance = exporter, scrapes, chance
        self.board = exporter.board
        self._pid = exporter.pid()

    def _log(self) -> list[str]:
        return self.exporter.log.read_text().splitlines()

    def run(self, what: str, damage: Callable[[], None], lines: tuple[int, ...], while_counting: bool) -> None:
        """Damages a fresh board. `lines` are the numbers of warnings that the log may have about it."""
        print(f"{what}:", flush=True)
        self._fresh()
        before, cut_off = len(self._log()), self.scrapes.cut_off
        if while_counting:
            with writers(self.board, self.chance.randrange(1 << 32)):
                self.scrapes.more(5)
                damage()
                self.scrapes.more(5)
        else:
            with writers(self.board, self.chance.randrange(1 << 32)):
                self.scrapes.more(5)
            damage()
            self.scrapes.more(5)
        warnings = [line for line in self._log()[before:] if re.search("level=(warn|error)", line)]
        # Whoever asked at that moment has a line, too.
        told = [line for line in warnings if "the scrape was cut off" in line]
        assert len(told) == self.scrapes.cut_off - cut_off, told
        warnings = [line for line in warnings if line not in told]
        for line in warnings:
            print(f"    {line}", flush=True)
        assert len(warnings) in lines, f"{what}: {len(warnings)} lines in the log"
        assert all(str(self.board) in line for line in warnings), "a line without the board"
        # Without the time and the numbers in it.
        said = [re.sub(r"\d+", "N", line.partition(" ")[2]) for line in warnings]
        assert len(said) == len(set(said)), f"{what}: said twice"
        self.board.unlink(missing_ok=True)
        self._fresh()
        assert self.exporter.pid() == self._pid, "another process serves"

    def _fresh(self) -> None:
        """A new board under the name is served with what is on it, and nothing else."""
        self.board.unlink(missing_ok=True)
        amount = self.chance.randrange(1, 1 << 40)
        make(self.board)
        succeed(self.board, "inc", "fresh_total", str(amount))
        found = self.scrapes.one()
        assert found["fresh_total"] == amount, f"{found.get('fresh_total')} of {amount}"
        assert found["tallyboard_board_mapped"] == 1
        assert found["tallyboard_board_damaged"] == 0
        assert found["tallyboard_board_series"] == 1
        self.scrapes.more(1)

    def truncate(self, part: float) -> Callable[[], None]:
        return lambda: os.truncate(self.board, int(self.board.stat().st_size * part))

    def noise(self, begin: int, end: int) -> Callable[[], None]:
        """Overwrites the section again and again: whole, or in a few places, with noise or with small numbers."""

        def words(count: int) -> bytes:
            small = self.chance.random() < 0.3
            return b"".join(
                (self.chance.randrange(SLOTS) if small else self.chance.getrandbits(64)).to_bytes(8, "little")
                for _ in range(count)
            )

        def damage() -> None:
            with self.board.open("r+b", buffering=0) as file:
                for number in range(NOISE_ROUNDS):
                    if number == NOISE_ROUNDS // 2:
                        file.seek(begin)
                        file.write(self.chance.randbytes(end - begin))
                    else:
                        for _ in range(50):
                            file.seek(begin + 8 * self.chance.randrange((end - begin) // 8))
                            file.write(words(1))
                    self.scrapes.more(1)
            # What can be found out about it ends by itself, and says so.
            for command in (["dump"], ["dump", "--json"], ["check"]):
                assert tallyboard(self.board, *command).returncode in (0, 1), command

        return damage

    def replace(self, data: bytes | None, rename: bool) -> Callable[[], None]:
        """Another file takes the name: `data`, or a board where there is none."""

        def damage() -> None:
            # The writers, who are told by the exporter, may make the board again at any moment that it is not there:
            # what takes its place is there before.
            place = self.board.with_suffix(".other")
            if data is None:
                make(place)
                succeed(place, "inc", "other_total", "77")
            else:
                place.write_bytes(data)
            if not rename:
                self.board.unlink()
            place.rename(self.board)
            found = self.scrapes.one()
            assert "fresh_total" not in found, "the board that is gone is served"
            if data is None:
                assert found["other_total"] == 77

        return damage


def make(board: Path) -> None:
    succeed(board, "create", "--slots", str(SLOTS), "--processes", str(PROCESSES))


def main(seed: int) -> None:
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    with scratch("hostile") as folder:
        board, steady = folder / "hostile.board", folder / "steady.board"
        make(steady)
        for kind in range(1, 51):
            succeed(steady, "inc", "steady_total", str(kind), "--label", f"kind={kind}")
        make(board)
        with Exporter(board, folder / "exporter.log") as exporter:
            exporter.start("--board", str(steady), create=False)
            with BothBoards(exporter, steady) as scrapes:
                case = Case(exporter, scrapes, chance)
                # The writers have ended before: truncation is what they are not protected from.
                for part, what in ((0, "nothing"), (0.5, "half")):
                    case.run(f"truncated to {what}", case.truncate(part), (1,), while_counting=False)
                # That it was unlinked, and perhaps that it is not there, until a writer makes it again.
                case.run("unlinked", board.unlink, (1, 2), while_counting=True)
                # Without a rename there is a moment without a file, which has a line of its own.
                for rename, moment in ((False, 1), (True, 0)):
                    how = "by rename" if rename else "by unlink and create"
                    # That it was replaced, and not by `rm`.
                    lines = tuple(range(1, moment + 2))
                    case.run(
                        f"replaced by another board, {how}", case.replace(None, rename), lines, while_counting=True
                    )
                    lines = tuple(range(2, moment + 3))
                    garbage = case.replace(chance.randbytes(100_000), rename)
                    case.run(f"replaced by garbage, {how}", garbage, lines, while_counting=True)
                # An invalid state is always seen. Noise elsewhere can lead writers to what a reader takes for damage,
                # as a series that stands twice; in counts of what was refused or overflowed it is told of as such, at
                # most once for each (see `run`); in cells it is a number like any other.
                counts = ("header", "control", "rows", "heads", "links", "records", "shared plane", "plane table")
                lines_about = {"states": range(1, 20), **dict.fromkeys(counts, range(20))}
                for name, (begin, end) in sections(board).items():
                    lines = tuple(lines_about.get(name, (0,)))
                    case.run(f"noise in the {name}", case.noise(begin, end), lines, while_counting=True)
            scrapes.check()
            exporter.stop()
    print("the exporter has served all the while, and the other board was exact in every scrape", flush=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of what is random")
    main(arguments.parse_args().seed)
