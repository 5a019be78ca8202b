"""Writers and a read-only exporter that share nothing but the board's directory.

Each process is another user's, in a user, PID, mount, IPC and UTS namespace of its own, as in a container: root inside
and nobody outside. The directory is mounted in each, in the exporter's read-only. All they have in common is a group
that the directory belongs to, and that none of their user namespaces knows.

Counts are exact, and a `livesum` gauge is right in the first scrape after each death, though no process here can see
another's pid.

Usage: python -m live.namespaces
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from live.gauges import children_of
from rig.command import parse
from rig.exporter import Exporter
from rig.scratch import scratch

GROUP, MAKER, EXPORTER, FIRST_WRITER = 64_900, 64_901, 64_902, 64_910
"""A group and users that no system has."""
WRITERS, KINDS, INCREMENTS = 4, 5, 20_000
HELD = [3.0, 2.0, 5.0]
BOARD = Path("/opt/default.v1.board")
"""Where every container has the board."""

ENTER = """
set -e
mount --bind "$1" /mnt
mount --bind "$2" /opt
[ "$3" = rw ] || mount -o remount,bind,ro /opt
# Where both came from.
mount -t tmpfs none /dev/shm
shift 3
exec "$@"
"""
"""Makes the programs /mnt and the boards /opt, hides what else is shared, and becomes a program."""


@dataclass(frozen=True)
class Container:
    """Namespaces that a process gets for itself, and its user outside of them."""

    uid: int
    programs: Path
    boards: Path
    access: str = "rw"

    def command(self, *program: str) -> list[str]:
        """The command line that starts a program of /mnt in it."""
        become = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", f"--groups={GROUP}"]
        leave = ["unshare", "--user", "--map-root-user", "--mount", "--mount-proc", "--ipc", "--uts", "--pid"]
        enter = ["--fork", "--kill-child", "sh", "-c", ENTER, "sh", str(self.programs), str(self.boards), self.access]
        return [*become, *leave, *enter, *program]

    def run(self, *program: str) -> str:
        """What the program prints."""
        done = subprocess.run(self.command(*program), capture_output=True, text=True, timeout=60, cwd="/")
        assert done.returncode == 0, f"{program} exited {done.returncode}: {done.stderr or done.stdout}"
        return done.stdout


class Worker:
    """A worker in a container, which has said that it is ready."""

    def __init__(self, container: Container, *work: str) -> None:
        command = container.command("env", f"TALLYBOARD={BOARD}", "/mnt/worker", *work)
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd="/")
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("ready"), "it ended before it was ready"

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def succeed(self) -> None:
        assert self._process.wait(60) == 0, f"a worker exited {self._process.returncode}"

    def kill(self) -> None:
        """Returns when it is gone: unshare waits for it."""
        if self._process.poll() is None:
            for child in children_of(self._process.pid):
                os.kill(child, signal.SIGKILL)
            self._process.wait()


def main() -> None:
    with scratch("namespaces") as folder, ExitStack() as at_the_end:
        # The folder is its maker's alone, and what is mounted elsewhere has no way through it.
        folder.chmod(0o711)
        programs, boards = folder / "programs", folder / "boards"
        programs.mkdir(mode=0o755)
        for name in ("tallyboard", "worker"):
            program = shutil.which(name)
            assert program is not None
            shutil.copy(program, programs)
        boards.mkdir()
        os.chown(boards, 0, GROUP)
        boards.chmod(0o2770)

        maker = Container(MAKER, programs, boards)
        maker.run("/mnt/tallyboard", "create", "--mode", "0660", str(BOARD))
        read_only = Container(EXPORTER, programs, boards, access="ro")
        refused = subprocess.run(read_only.command("touch", "/opt/file"), capture_output=True, text=True, cwd="/")
        assert "Read-only file system" in refused.stderr, refused.stderr
        writers = [Container(FIRST_WRITER + number, programs, boards) for number in range(WRITERS)]

        exporter = at_the_end.enter_context(Exporter(BOARD, folder / "exporter.log"))
        exporter.start(create=False, program=tuple(read_only.command("/mnt/tallyboard")))

        counting = [Worker(writer, "count", "counted_total", str(KINDS), str(INCREMENTS)) for writer in writers]
        for worker in counting:
            at_the_end.callback(worker.kill)
        for worker in counting:
            worker.go()
        for worker in counting:
            worker.succeed()
        samples = parse(exporter.scrape())
        found = [samples["counted_total", frozenset({("kind", str(kind))})] for kind in range(KINDS)]
        assert found == [WRITERS * INCREMENTS] * KINDS, found
        print(f"{WRITERS} writers, {KINDS} counters: {WRITERS * INCREMENTS:,} each, exact", flush=True)

        holding = []
        for writer, value in zip(writers, HELD, strict=False):
            holding.append(Worker(writer, "hold", "held", "livesum", str(value)))
            at_the_end.callback(holding[-1].kill)
        shown = [parse(exporter.scrape())["held", frozenset()]]
        for worker in holding:
            worker.kill()
            shown.append(parse(exporter.scrape())["held", frozenset()])
        expected = [sum(HELD[dead:]) for dead in range(len(HELD) + 1)]
        assert shown == expected, f"livesum: {shown}, not {expected}"
        print(f"livesum after each death, in the next scrape: {shown}", flush=True)

        # The exporter could not, and nobody came by: what the dead left is given back by whoever may write.
        maker.run("/mnt/tallyboard", "check", "--repair", str(BOARD))


if __name__ == "__main__":
    main()
