"""What cannot be used is refused with one line that says why, and is never a crash.

A filesystem that is too small, a board of another version, a truncated one, random bytes, a symbolic link, another
user's board and another user's directory. Needs root: it mounts small filesystems in a mount namespace of its own and
becomes other users.

Usage: python -m live.refusals
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.command import parse, tallyboard, values
from rig.exporter import Exporter
from rig.processes import until
from rig.scratch import scratch

ALICE, BOB = 64_901, 64_902
"""Users that no system has."""
VERSION_OFFSET = 8
"""Where the header has the layout version, as a u32 (LAYOUT.md, header)."""
READERS = (["dump"], ["check"])
WRITER = ["inc", "refusals_total"]

Done = subprocess.CompletedProcess[str]


def refused(what: str, done: Done, words: str) -> None:
    """The command ended by itself with exit code 1 and one line on stderr that `words` (a pattern) is found in."""
    lines = done.stderr.splitlines()
    print(f"{what}:\n    {done.stderr.strip()}", flush=True)
    assert done.returncode == 1, f"{what}: exit code {done.returncode}, {done.stderr}"
    assert len(lines) == 1, f"{what}: {len(lines)} lines"
    assert re.search(words, lines[0]), f"{what}: {lines[0]!r} does not say {words!r}"


def accepted(what: str, done: Done) -> None:
    """The command did it."""
    print(f"{what}: allowed", flush=True)
    assert done.returncode == 0, f"{what}: exit code {done.returncode}, {done.stderr}"


class Users:
    """Runs the command line as another user, from a folder that every user may read."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "tallyboard"
        program = shutil.which("tallyboard")
        assert program is not None
        # The build's own folder may lie below a home that others may not enter.
        shutil.copy(program, self._program)

    def command(self, uid: int) -> tuple[str, ...]:
        """The beginning of its command line as that user."""
        return ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", str(self._program))

    def run(self, uid: int, board: Path | None, *arguments: str) -> Done:
        """Without a board it is the default one."""
        environment = {**os.environ, **({} if board is None else {"TALLYBOARD": str(board)})}
        return subprocess.run(
            [*self.command(uid), *arguments],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )


def broken_files(folder: Path) -> None:
    """Files that are no board, or not quite one. A reader and a writer refuse each."""
    chance = random.Random(8)
    sound = folder / "sound.board"
    accepted("a sound board", tallyboard(sound, "create"))
    bytes_of_sound = sound.read_bytes()

    def try_all(what: str, board: Path, words: str) -> None:
        for arguments in (*READERS, WRITER):
            refused(f"{' '.join(arguments)}, {what}", tallyboard(board, *arguments), words)

    other_version = bytearray(bytes_of_sound)
    other_version[VERSION_OFFSET : VERSION_OFFSET + 4] = (99).to_bytes(4, "little")
    board = folder / "version.board"
    board.write_bytes(other_version)
    try_all("a board of layout version 99", board, "layout version 99.*reads version")

    for length in (0, 100, 4096, len(bytes_of_sound) // 2, len(bytes_of_sound) - 1):
        board = folder / f"truncated-{length}.board"
        board.write_bytes(bytes_of_sound[:length])
        try_all(f"a board truncated to {length} bytes", board, "not a board|damaged")

    board = folder / "random.board"
    board.write_bytes(chance.randbytes(len(bytes_of_sound)))
    try_all("random bytes", board, "not a board")
    board = folder / "random-header.board"
    board.write_bytes(bytes_of_sound[:12] + chance.randbytes(len(bytes_of_sound) - 12))
    try_all("random bytes after the right magic and version", board, "not a board|damaged")

    board = folder / "link.board"
    board.symlink_to(sound)
    try_all("a symbolic link", board, "symbolic link")
    board = folder / "directory.board"
    board.mkdir()
    try_all("a directory", board, "directory|not a board")
    board = folder / "fifo.board"
    os.mkfifo(board)
    try_all("a FIFO", board, "not a board")
    board = folder / "nowhere" / "default.board"
    try_all("a board in a folder that is not there", board, "no board|does not exist")

    open_to_all = folder / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    refused(
        "inc, in a folder where anyone may replace it", tallyboard(open_to_all / "b.board", *WRITER), "anyone could"
    )


def damaged_boards(folder: Path) -> None:
    """Any bytes may be anything: the commands may find a fault or not, but they end by themselves."""
    chance = random.Random(88)
    board = folder / "damaged.board"
    for label in range(50):
        done = tallyboard(board, "inc", "damaged_total", "--label", f"kind={label}")
        assert done.returncode == 0, done.stderr
    sound = board.read_bytes()
    # The shared plane and the planes of CPUs are all values; what matters lies before them.
    reach = len(sound) // 2
    used = [at for at in range(reach) if sound[at]]
    codes: dict[int, int] = {}
    for _ in range(60):
        damaged = bytearray(sound)
        for _ in range(chance.choice((1, 8, 500))):
            # Half of the damage hits the bytes that are in use, not the zeroes.
            at = chance.choice(used) if chance.random() < 0.5 else chance.randrange(reach)
            damaged[at] = chance.randrange(256)
        board.write_bytes(damaged)
        for arguments in (*READERS, ["dump", "--json"], WRITER):
            code = tallyboard(board, *arguments).returncode
            assert code in (0, 1), f"{arguments} on a damaged board exited {code}"
            codes[code] = codes.get(code, 0) + 1
    print(
        f"boards with damaged bytes: {codes.get(0, 0)} commands did their work, {codes.get(1, 0)} refused", flush=True
    )


SMALL_FILESYSTEM = """
set -e
mount -t tmpfs -o size="$SIZE",mode=0700 tmpfs "$FOLDER"
"$@" && code=0 || code=$?
ls -A "$FOLDER"
exit "$code"
"""


def on_small_filesystem(folder: Path, size: int, *command: str) -> Done:
    """Runs a command where `folder` is a tmpfs of `size` bytes; its output ends with the files that it left there."""
    environment = {**os.environ, "SIZE": str(size), "FOLDER": str(folder), "TALLYBOARD": str(folder / "small.board")}
    # Private, so that the mount is gone with the last process that sees it.
    unshare = ["unshare", "--mount", "--propagation", "private", "sh", "-c", SMALL_FILESYSTEM, "sh"]
    return subprocess.run([*unshare, *command], env=environment, capture_output=True, text=True, timeout=60)


def small_filesystems(folder: Path) -> None:
    """No room for the board: refused, nothing left. Room for the board but for no CPU's plane: it counts without."""
    mountpoint = folder / "small"
    mountpoint.mkdir()
    for arguments in (["create"], WRITER):
        done = on_small_filesystem(mountpoint, 1 << 20, "tallyboard", *arguments)
        refused(f"{arguments[0]} on a filesystem of 1 MiB", done, "no space")
        assert done.stdout == "", f"{arguments[0]} left {done.stdout}"

    reference = folder / "reference.board"
    accepted("create, with room", tallyboard(reference, "create"))
    size = reference.stat().st_blocks * 512 + (64 << 10)
    count = "worker count small_total 3 1000 </dev/null && tallyboard dump && { tallyboard check >&2 || true; }"
    done = on_small_filesystem(mountpoint, size, "sh", "-c", count)
    text = "\n".join(line for line in done.stdout.splitlines() if line.startswith("small_total"))
    counted = sum(parse(text + "\n").values())
    print(f"a filesystem of {size} bytes, without room for a CPU's plane: {counted:.0f} counted of 3000", flush=True)
    print(f"    {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert counted == 3000
    assert "no room" in done.stderr, "check does not say that planes are missing"


FULL_FILESYSTEM = """
set -e
tallyboard create --slots 4096
cp --sparse=always "$TALLYBOARD" "$ASIDE"
rm "$TALLYBOARD"
cp --sparse=always "$ASIDE" "$TALLYBOARD"
chmod 600 "$TALLYBOARD"
cat /dev/zero >"$FOLDER/rest" 2>/dev/null || true
tallyboard textfile --once --output "$OUTPUT" --board "$TALLYBOARD" --board "$SOUND"
"""


def a_full_filesystem(folder: Path) -> None:
    """A board with holes, for which there is no memory when they are read, is left out; the others are shown."""
    mountpoint = folder / "full"
    mountpoint.mkdir()
    sound, output = folder / "sound.board", folder / "full.prom"
    accepted("count on a board elsewhere", tallyboard(sound, *WRITER))
    paths = (f"ASIDE={folder / 'aside.board'}", f"OUTPUT={output}", f"SOUND={sound}")
    done = on_small_filesystem(mountpoint, 4 << 20, "env", *paths, "sh", "-c", FULL_FILESYSTEM)
    print(f"a filesystem that is full: {done.stderr.strip()}", flush=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("its filesystem is full") == 1, done.stderr
    samples = parse(output.read_text())
    label = frozenset({("board", str(mountpoint / "small.board"))})
    assert samples[("refusals_total", frozenset({("board", str(sound))}))] == 1
    assert samples[("tallyboard_board_mapped", label)] == 0
    assert samples[("tallyboard_board_broken_total", label)] == 1


def other_users(folder: Path, users: Users) -> None:
    """A board belongs to its owner, for root, too, where root would write."""
    for name in ("alice", "root"):
        (folder / name).mkdir()
    alice, root = folder / "alice" / "default.board", folder / "root" / "default.board"
    os.chown(alice.parent, ALICE, ALICE)
    (folder / "alice").chmod(0o755)
    (folder / "root").chmod(0o755)

    accepted("alice makes a board", users.run(ALICE, alice, "create"))
    accepted("alice counts on it", users.run(ALICE, alice, *WRITER))
    refused("root counts on alice's board", tallyboard(alice, *WRITER), f"belongs to uid {ALICE}")
    accepted("root reads alice's board", tallyboard(alice, "dump"))
    with Exporter(alice, folder / "exporter.log") as exporter:
        exporter.start()
        assert "refusals_total 1" in exporter.scrape()
    print("root serves alice's board: allowed")
    for arguments in (*READERS, WRITER):
        done = users.run(BOB, alice, *arguments)
        refused(f"bob: {arguments[0]} on alice's board", done, f"belongs to uid {ALICE}|permission denied")

    accepted("root makes a board", tallyboard(root, "create"))
    for arguments in (*READERS, WRITER):
        done = users.run(BOB, root, *arguments)
        refused(f"bob: {arguments[0]} on root's board", done, "belongs to uid 0|permission denied")

    shared = folder / "alice" / "shared.board"
    accepted("alice makes a board with --mode 0666", users.run(ALICE, shared, "create", "--mode", "0666"))
    accepted("root counts on a board that alice shares", tallyboard(shared, *WRITER))
    accepted("bob counts on a board that alice shares", users.run(BOB, shared, *WRITER))
    (value,) = values(shared).values()
    assert value == 2, value
    visible = folder / "alice" / "visible.board"
    accepted("alice makes a board with --mode 0644", users.run(ALICE, visible, "create", "--mode", "0644"))
    accepted("bob reads it", users.run(BOB, visible, "dump"))
    refused("bob counts on it", users.run(BOB, visible, *WRITER), f"belongs to uid {ALICE}|permission denied")


@contextmanager
def default_directory(uid: int, owner: int) -> Iterator[Path]:
    """Makes a user's default directory, for another owner, and removes it."""
    directory = Path(f"/dev/shm/tallyboard.{uid}")
    directory.mkdir(mode=0o755)
    try:
        os.chown(directory, owner, owner)
        yield directory
    finally:
        shutil.rmtree(directory)


def only_readable(folder: Path, users: Users) -> None:
    """An exporter that may not write shows all that another does, and leaves the rest to the writers."""
    board = folder / "alice" / "shown.board"
    accepted("alice makes a board with --mode 0644", users.run(ALICE, board, "create", "--mode", "0644"))
    accepted("alice counts on it", users.run(ALICE, board, *WRITER))
    before = board.read_bytes()
    with Exporter(board, folder / "readable.log") as exporter:
        exporter.start(create=False, program=users.command(BOB))
        log = until(
            lambda: "keep the board in order themselves" in (text := exporter.log.read_text()) and text, "a line"
        )
        assert log.count("keep the board in order themselves") == 1, log
        label = frozenset({("board", str(board))})
        assert parse(exporter.scrape())[("refusals_total", frozenset())] == 1
        assert board.read_bytes() == before, "the exporter has written"
        board.unlink()
        samples = parse(exporter.scrape())
        assert samples[("tallyboard_board_unlinked_total", label)] == 1
        assert samples[("tallyboard_board_mapped", label)] == 0
        accepted("alice makes it again", users.run(ALICE, board, "create", "--mode", "0644"))
        samples = parse(exporter.scrape())
        assert samples[("tallyboard_board_unlinked_total", label)] == 1
        assert samples[("tallyboard_board_mapped", label)] == 1
        log = exporter.log.read_text()
        assert log.count("was unlinked or replaced") == 1, log
    print("bob serves alice's board, and is told when it is unlinked: allowed")


def other_users_directory(users: Users) -> None:
    """Anyone can make a directory with the name of another user's default directory, and wait."""
    with default_directory(BOB, ALICE) as directory:
        done = users.run(BOB, None, *WRITER)
        refused("bob counts, and alice has made his directory", done, f"belongs to uid {ALICE}|anyone could")
        accepted(
            "alice makes a board in it", users.run(ALICE, directory / "default.v1.board", "create", "--mode", "0666")
        )
        done = users.run(BOB, None, *WRITER)
        refused("bob counts, and alice has made his board", done, f"belongs to uid {ALICE}|anyone could")


def main() -> None:
    with scratch("refusals") as folder, tempfile.TemporaryDirectory(prefix="tallyboard-refusals-") as programs:
        folder.chmod(0o755)
        Path(programs).chmod(0o755)
        users = Users(Path(programs))
        broken_files(folder)
        damaged_boards(folder)
        small_filesystems(folder)
        a_full_filesystem(folder)
        other_users(folder, users)
        only_readable(folder, users)
        other_users_directory(users)


if __name__ == "__main__":
    main()
