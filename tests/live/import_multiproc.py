"""`tallyboard import-multiproc`: what prometheus_client's own collector shows of its files, the exporter shows then.

Usage: python -m live.import_multiproc
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from rig.command import Series, assert_sound, parse, succeed, tallyboard, values
from rig.exporter import Exporter
from rig.scratch import scratch

PROCESSES = 4
KILLS = 24

Samples = dict[Series, float]


@contextmanager
def writing(directory: Path, series: int = 3) -> Iterator[list[int]]:
    """A program whose processes have counted and still live in the block: their numbers."""
    command = [sys.executable, "-m", "live.multiproc_writer", str(PROCESSES), str(series)]
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(directory)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stdout.readline() == "counted\n"
        files = directory.glob("gauge_all_*.db")
        yield sorted(int(file.stem.rpartition("_")[2]) for file in files)
        program.stdin.close()
        assert program.wait(60) == 0


def write(directory: Path, series: int = 3) -> None:
    """The files of a program that has ended."""
    directory.mkdir(exist_ok=True)
    with writing(directory, series):
        pass


def in_use(file: Path) -> int:
    """How many bytes of the file prometheus_client has filled."""
    return int.from_bytes(file.read_bytes()[:4], sys.byteorder)


def judge(directory: Path) -> Samples:
    """What prometheus_client shows of a directory of the dead, but for gauges with a series for each process."""
    with scratch("judge") as copy:
        for file in directory.glob("*.db*"):
            shutil.copy(file, copy / file.name.removesuffix(".imported"))
        for file in copy.glob("gauge_*"):
            mark_process_dead(file.stem.rpartition("_")[2], str(copy))
        samples: Samples = {}
        for metric in MultiProcessCollector(None, str(copy)).collect():
            for sample in metric.samples:
                if "pid" not in sample.labels:
                    samples[sample.name, frozenset(sample.labels.items())] = sample.value
    assert samples, f"nothing is in {directory}"
    return samples


def on_board(board: Path) -> Samples:
    """What the exporter shows, but for what is its own."""
    with Exporter(board, board.with_suffix(".log")) as exporter:
        exporter.start("--web.disable-exporter-metrics", create=False)
        samples = parse(exporter.scrape())
    return {series: value for series, value in samples.items() if not series[0].startswith("tallyboard_")}


def same(shown: Samples, wanted: Samples) -> None:
    """The same series with the same values; of sums of fractions, the order of addition may be another."""
    assert shown.keys() == wanted.keys(), f"{shown.keys() ^ wanted.keys()} are on one side only"
    for series, value in wanted.items():
        assert abs(shown[series] - value) <= 1e-12 * abs(value), f"{series} is {shown[series]!r}, not {value!r}"


def without(samples: Samples, *names: str) -> Samples:
    """The samples of all other metrics."""
    return {series: value for series, value in samples.items() if not series[0].startswith(names)}


def refused(board: Path, *arguments: str) -> str:
    """What an import says that exits 1."""
    done = tallyboard(board, "import-multiproc", *arguments)
    assert done.returncode == 1, done
    return done.stderr


def names(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir())


def check_values(folder: Path) -> None:
    directory, board = folder / "values", folder / "values.board"
    write(directory)
    wanted = judge(directory)
    said = succeed(board, "import-multiproc", str(directory))
    same(on_board(board), wanted)
    assert f"{len(list(directory.iterdir()))} files with " in said, said
    for mode in ("all", "liveall", "livesum", "livemin", "livemostrecent"):
        assert f"left out: heat_{mode}, a gauge for each process ({mode})\n" in said, said
    assert all(name.endswith(".db.imported") for name in names(directory)), names(directory)
    print(f"{len(wanted)} samples of {PROCESSES} processes are as prometheus_client shows them", flush=True)

    assert succeed(board, "import-multiproc", str(directory)) == f"{directory}: nothing to import\n"
    same(on_board(board), wanted)
    write(directory)
    wanted = judge(directory)
    # Set before them: an import does not set back what is on the board.
    wanted.update({series: value for series, value in on_board(board).items() if series[0].startswith("a_version")})
    succeed(board, "import-multiproc", str(directory))
    shown = on_board(board)
    same(without(shown, "heat_mostrecent"), without(wanted, "heat_mostrecent"))
    assert_sound(board)
    print("what was imported is not imported again, what came since is", flush=True)


def check_board_in_use(folder: Path) -> None:
    """A board that counts already: values are added, what was said to it stays."""
    directory, board = folder / "used", folder / "used.board"
    write(directory)
    wanted = judge(directory)
    succeed(board, "inc", "work_seconds_total", "10", "--unit", "seconds", "--help-text", "Said.")
    succeed(board, "set", "heat_min", "-100", "--aggregation", "min", "--label", "room=cellar")
    succeed(board, "set", "heat_sum", "7", "--aggregation", "sum", "--label", "room=cellar")
    succeed(board, "set", "a_version", "99")
    cellar = frozenset({("room", "cellar")})
    wanted["work_seconds_total", frozenset()] += 10
    wanted["heat_min", cellar] = -100
    wanted["heat_sum", cellar] += 7
    wanted["a_version", frozenset()] = 99
    succeed(board, "import-multiproc", str(directory))
    same(on_board(board), wanted)
    text = succeed(board, "dump", "--format", "openmetrics")
    assert "# HELP work_seconds Said.\n" in text, text
    assert "# UNIT work_seconds seconds\n" in text, text
    print("values are added to what the board has", flush=True)


def check_bad_files(folder: Path) -> None:
    directory, board = folder / "bad", folder / "bad.board"
    write(directory)
    # Of the parent there are files, too, in which less is in use.
    cut = max(directory.glob("counter_*.db"), key=in_use)
    histogram = max(directory.glob("histogram_*.db"), key=in_use)
    whole = {file: file.read_bytes() for file in (cut, histogram)}
    cut.write_bytes(whole[cut][: in_use(cut) - 1])
    # Longer than it is in use, so that the number of bytes in use is right and an entry is not.
    torn = bytearray(whole[histogram])
    torn[8:12] = (2**30).to_bytes(4, sys.byteorder)
    histogram.write_bytes(torn)
    (directory / "cache.db").write_bytes(b"SQLite format 3\0")
    (directory / "counter_sqlite.db").write_bytes(b"SQLite format 3\0")
    os.mkfifo(directory / "counter_pipe.db")
    negative = MmapedDict(str(directory / "counter_negative.db"))
    negative.write_value(mmap_key("early", "early_total", [], [], "Before the bad one."), 5.0, 0.0)
    negative.write_value(mmap_key("debt", "debt_total", [], [], "Not a counter."), -1.0, 0.0)
    negative.close()
    bad = ["cache.db", "counter_negative.db", "counter_pipe.db", "counter_sqlite.db", cut.name, histogram.name]
    with scratch("good") as good:
        for file in directory.glob("*.db"):
            if file.name not in bad:
                shutil.copy(file, good)
        wanted = judge(good)
    said = refused(board, str(directory)).splitlines()
    told = [line.removeprefix("tallyboard: ").partition(" is left as it is: ")[0] for line in said[:-1]]
    assert told == sorted(bad), said
    assert said[-1] == "tallyboard: 6 files were not imported; the lines above say why", said
    same(on_board(board), wanted)
    assert [name for name in names(directory) if name.endswith(".db")] == sorted(bad)

    # They are put in order, and nothing but them is imported.
    for file, content in whole.items():
        file.write_bytes(content)
    for name in ("cache.db", "counter_pipe.db", "counter_sqlite.db"):
        (directory / name).unlink()
    wanted = judge(directory)
    del wanted["debt_total", frozenset()]
    succeed(board, "import-multiproc", str(directory), "--without", "debt")
    same(on_board(board), wanted)
    print(f"{len(bad)} bad files are named and left as they are, as a whole", flush=True)


def check_killed_while_making(folder: Path) -> None:
    """What a kill leaves of a file: no size, nothing in use, a histogram without all its buckets."""
    directory, board = folder / "killed", folder / "killed.board"
    directory.mkdir()
    (directory / "counter_killed.db").touch()
    (directory / "summary_killed.db").write_bytes(bytes(65536))
    file = MmapedDict(str(directory / "histogram_killed.db"))
    file.write_value(mmap_key("half_seconds", "half_seconds_sum", [], [], ""), 0.0, 0.0)
    file.write_value(mmap_key("half_seconds", "half_seconds_bucket", ["le"], ["0.5"], ""), 0.0, 0.0)
    file.close()
    assert "3 files with 0 series of 0 metrics imported" in succeed(board, "import-multiproc", str(directory))
    print("files that a kill left half made hold nothing, and are no fault", flush=True)


def check_living(folder: Path) -> None:
    directory, board = folder / "living", folder / "living.board"
    directory.mkdir()
    with writing(directory) as processes:
        before = names(directory)
        said = refused(board, str(directory))
        for process in processes:
            assert f"counter_{process}.db is left as it is: process {process} has it open" in said, said
        assert names(directory) == before
        assert not board.exists(), "a board was made for nothing"
    wanted = judge(directory)
    succeed(board, "import-multiproc", str(directory))
    same(on_board(board), wanted)
    print("files that are open are imported when their processes have ended", flush=True)


def check_nothing_imported(folder: Path) -> None:
    """Where one metric cannot be, all stays as it is."""
    directory, board = folder / "all", folder / "all.board"
    write(directory, series=2000)
    before, wanted = names(directory), judge(directory)
    fails = []

    succeed(board, "observe", "wait_seconds", "1", "--buckets", "1,2", "--label", "queue=all")
    fails.append(refused(board, str(directory)))
    assert "wait_seconds is a histogram with the labels [queue] and the buckets [0.0025, 0.5" in fails[-1], fails
    assert "[1, 2] on the board" in fails[-1], fails
    assert {series[0] for series in on_board(board)} == {"wait_seconds" + end for end in ("_bucket", "_sum", "_count")}
    succeed(board, "rm")

    succeed(board, "create", "--slots", "1024")
    fails.append(refused(board, str(directory)))
    assert "many_total" in fails[-1], fails
    shown = on_board(board)
    assert not any(shown.values()), "there are values"
    assert ("a_version", frozenset()) not in shown, "it shows as 0, and what the files say would be left out next time"
    succeed(board, "rm")

    other = MmapedDict(str(directory / "counter_other.db"))
    other.write_value(mmap_key("jobs", "jobs_total", ["colour"], ["red"], ""), 1.0, 0.0)
    other.close()
    fails.append(refused(board, str(directory)))
    assert "jobs_total is in some files a counter with the labels [place, queue], in others" in fails[-1], fails
    assert all("nothing was imported" in said for said in fails), fails
    (directory / "counter_other.db").unlink()

    held = os.open(directory, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert "is being imported by another process" in refused(board, str(directory))
    os.close(held)
    for nowhere in ("off", "private"):
        done = tallyboard(board, "import-multiproc", str(directory), TALLYBOARD=nowhere)
        assert done.returncode == 2, done
    assert names(directory) == before

    succeed(board, "import-multiproc", str(directory), "--without", "many", "--without", "wait_seconds")
    kept = without(wanted, "many_total", "wait_seconds")
    same(on_board(board), kept)
    print(f"{len(fails)} imports that cannot be done change nothing", flush=True)


def check_kills(folder: Path) -> None:
    """Killed at any moment: nothing is on the board, or all of it, or the next import says that it cannot know."""
    whole, board = folder / "whole", folder / "kills.board"
    write(whole, series=1000)
    wanted = judge(whole)
    directory, took = folder / "kills", 0.0
    outcomes = {"nothing": 0, "all": 0, "halfway": 0}

    def is_importing() -> bool:
        return any(name.endswith(".importing") for name in os.listdir(directory))

    for kill in range(KILLS):
        shutil.copytree(whole, directory)
        command = ["tallyboard", "import-multiproc", str(directory)]
        environment = {**os.environ, "TALLYBOARD": str(board)}
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as done:
            # The first is left alone; of the others, half are killed while they add, if they are caught at it.
            begun = time.monotonic()
            while kill and done.poll() is None:
                if is_importing() if kill % 2 else time.monotonic() - begun > took * kill / KILLS:
                    done.kill()
            done.wait(60)
            took = took if kill else time.monotonic() - begun
        left = names(directory)
        if is_importing():
            outcomes["halfway"] += 1
            assert "was ended halfway" in refused(board, str(directory))
            assert names(directory) == left
        elif any(name.endswith(".db") for name in left):
            outcomes["nothing"] += 1
            assert not board.exists() or not values(board), "there are series"
            succeed(board, "import-multiproc", str(directory))
            same(values(board), wanted)
        else:
            outcomes["all"] += 1
            same(values(board), wanted)
        if board.exists():
            assert_sound(board)
            succeed(board, "rm")
        shutil.rmtree(directory)
    print(f"{KILLS - 1} kills and one that was let be: {outcomes}", flush=True)
    assert all(outcomes.values()), "each was to be seen"


def main() -> None:
    with scratch("import") as folder:
        check_values(folder)
        check_board_in_use(folder)
        check_bad_files(folder)
        check_killed_while_making(folder)
        check_living(folder)
        check_nothing_imported(folder)
        check_kills(folder)


if __name__ == "__main__":
    main()
