"""CPU time and memory of the processes on a board: never below what was sampled, never above what the kernel says.

Python workers burn CPU and are killed by SIGKILL one after the other, while the exporter is scraped. Then the exporter
is started again, and a worker runs in another PID namespace, whose number means nothing here. Needs root for that. And
a row names a process that is on no board, once for an exporter that sees what it has mapped and once for one of another
user that sees only whose it is.

Usage: python -m live.workers
"""

from __future__ import annotations

import mmap
import os
import resource
import struct
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rig.command import parse, succeed
from rig.exporter import Exporter
from rig.processes import until
from rig.scratch import scratch

WORKERS = 4
KILLS = 6
NOBODY = 65534
TICK = 1 / os.sysconf("SC_CLK_TCK")
BURN = """
import os
from tallyboard import Counter
parent = os.getppid()
done = Counter("burned_total", "Rounds.")
done.inc()
print("ready", flush=True)
while os.getppid() == parent:
    sum(range(20_000))
    done.inc()
"""


def spent(pid: int) -> float:
    """Seconds of CPU time that a living or unwaited-for process has used, as /proc says."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) * TICK


class Burner:
    """A worker that uses all the CPU time it can get."""

    def __init__(self, board: Path, *before: str) -> None:
        environment = {**os.environ, "TALLYBOARD": str(board)}
        command = [*before, sys.executable, "-c", BURN]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", "it ended before it was ready"
        self.name = Path(f"/proc/{self.process.pid}/comm").read_text().strip()

    def __enter__(self) -> Burner:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()

    def kill(self) -> float:
        """Kills it and returns the CPU time of its whole life."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.process.kill()
        self.process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


@dataclass(frozen=True)
class Shown:
    """What one scrape says of a program."""

    processes: float
    cpu_seconds: float
    resident_bytes: float


def shown(exporter: Exporter, program: str) -> Shown:
    """It is shown once one of its processes was on a board."""
    samples = parse(exporter.scrape())
    labels = frozenset([("program", program)])
    names = ("tallyboard_workers", "tallyboard_workers_cpu_seconds_total", "tallyboard_workers_resident_memory_bytes")
    values = [samples.get((name, labels)) for name in names]
    assert None not in values, f"{program} is not shown"
    return Shown(*values)  # type: ignore[arg-type]


def check_killed(board: Path, exporter: Exporter, alive: ExitStack) -> list[Burner]:
    """Workers are killed and replaced; returns the last ones, which end with `alive`."""
    burners = [alive.enter_context(Burner(board)) for _ in range(WORKERS)]
    program = burners[0].name
    # Of the dead: what was read before a scrape that found them alive, and what they used in all.
    sampled_of_dead = whole_of_dead = before = 0.0
    for kill in range(KILLS):
        for _ in range(5):
            sampled = sampled_of_dead + sum(spent(burner.process.pid) for burner in burners)
            # A scrape takes a sample of its own if the last one is a tenth of a second old.
            time.sleep(0.15)
            found = shown(exporter, program)
            most = whole_of_dead + sum(spent(burner.process.pid) for burner in burners)
            # Each process's two times are cut to whole ticks.
            slack = (WORKERS + kill) * 2 * TICK
            assert sampled - slack <= found.cpu_seconds <= most + slack, f"{sampled} ≤ {found.cpu_seconds} ≤ {most}"
            assert found.cpu_seconds >= before, f"it fell from {before} to {found.cpu_seconds}"
            assert found.processes == WORKERS, f"{found.processes} of {WORKERS} processes"
            assert found.resident_bytes > WORKERS * 4 << 20, f"{found.resident_bytes} bytes"
            before = found.cpu_seconds
        victim = burners.pop(0)
        sampled_of_dead += spent(victim.process.pid) - 2 * TICK
        time.sleep(0.15)
        shown(exporter, program)
        whole_of_dead += victim.kill()
        time.sleep(0.15)
        after = shown(exporter, program)
        assert after.processes == WORKERS - 1, f"the dead one is still there: {after}"
        assert after.cpu_seconds >= before, f"it fell from {before} to {after.cpu_seconds}"
        burners.append(alive.enter_context(Burner(board)))
    print(f"{KILLS} workers killed: {before:.2f} s of CPU, {sampled:.2f} s at least, {most:.2f} s at most", flush=True)
    return burners


def check_restart(exporter: Exporter, burners: list[Burner]) -> None:
    """What an exporter before has shown is not shown again: it would be counted twice."""
    program, pids = burners[0].name, [burner.process.pid for burner in burners]
    exporter.stop()
    before = sum(map(spent, pids))
    exporter.start()
    found = shown(exporter, program)
    assert found.processes == WORKERS, f"{found}"
    used = sum(map(spent, pids)) - before
    assert found.cpu_seconds <= used + 2 * WORKERS * TICK, f"{found.cpu_seconds} s, and {used} s were used since"
    until(lambda: shown(exporter, program).cpu_seconds > found.cpu_seconds, "it to grow")
    print("an exporter that is started again counts on from there", flush=True)


def check_namespace(board: Path, exporter: Exporter, program: str) -> None:
    """A process in another PID namespace has a number that is another's here."""
    with Burner(board, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child"):
        time.sleep(0.3)
        found = shown(exporter, program)
        assert found.processes == 0, f"who is that? {found}"
    print("a process in another PID namespace is left out", flush=True)


ROWS_OFFSET_AT, ROW_BYTES, PID_AT, START_AT, NAME_AT = 72, 64, 8, 24, 32
"""LAYOUT.md, sections 3 and 5."""


def name_in_its_row(board: Path, pid: int, other: int, name: str) -> None:
    """What anybody can do who may write to the board: the row of `pid` says that it is `other`, called `name`."""
    start = int(Path(f"/proc/{other}/stat").read_text().rpartition(")")[2].split()[19])
    with board.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), 0)
        (rows,) = struct.unpack_from("<Q", memory, ROWS_OFFSET_AT)
        row = memory.find(struct.pack("<Q", pid), rows) - PID_AT
        assert (row - rows) % ROW_BYTES == 0, "the row was not found"
        struct.pack_into("<Q", memory, row + PID_AT, other)
        struct.pack_into("<Q", memory, row + START_AT, start)
        struct.pack_into("<16s", memory, row + NAME_AT, name.encode())
        memory.close()


def check_stranger(folder: Path) -> None:
    """A process of root's that is on no board is not shown as a worker, whatever a board says."""
    with ExitStack() as running:
        board = folder / "shared" / "named.board"
        board.parent.mkdir()
        exporters = [running.enter_context(Exporter(board, folder / f"named-{who}.log")) for who in ("root", "nobody")]
        board.parent.chmod(0o755)
        folder.chmod(0o755)
        succeed(board, "create")
        # It belongs to somebody who is not root, and all may read it.
        os.chown(board.parent, NOBODY, NOBODY)
        os.chown(board, NOBODY, NOBODY)
        board.chmod(0o644)
        as_nobody = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        honest = running.enter_context(Burner(board, *as_nobody))
        named = running.enter_context(Burner(board, *as_nobody))
        exporters[0].start(create=False)
        exporters[1].start(create=False, program=(*as_nobody, "tallyboard"))
        name_in_its_row(board, named.process.pid, os.getpid(), "stranger")
        time.sleep(0.15)
        for exporter in exporters:
            assert shown(exporter, honest.name).processes >= 1, "the honest one is not shown"
            assert 'program="stranger"' not in exporter.scrape(), "a process that is on no board is shown"
    print("a process that a row names and that is not on the board is left out, by two kinds of exporter", flush=True)


def main() -> None:
    with scratch("workers") as folder, Exporter(folder / "workers.board", folder / "exporter.log") as exporter:
        exporter.start()
        assert "tallyboard_workers" not in exporter.scrape(), "nobody is there yet"
        with ExitStack() as alive:
            burners = check_killed(folder / "workers.board", exporter, alive)
            check_restart(exporter, burners)
        time.sleep(0.15)
        check_stranger(folder)
        check_namespace(folder / "workers.board", exporter, burners[0].name)
        body = exporter.scrape()
        for name in ("process_cpu_seconds_total", "process_open_fds", "process_start_time_seconds"):
            assert f"\n{name} " in body, f"{name} is missing"
        done = subprocess.run(["promtool", "check", "metrics"], input=body.encode(), capture_output=True, timeout=60)
        assert (done.returncode, done.stdout + done.stderr) == (0, b""), done
        print("promtool check metrics has nothing to remark", flush=True)


if __name__ == "__main__":
    main()
