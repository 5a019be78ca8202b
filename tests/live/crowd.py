"""200 scrapers at once, 20 that read a byte a second and 1,000 connections that send nothing.

Everybody who asks is served, the exporter's memory stays bounded, who says nothing is closed, and a program that counts
pays no more for it than while nobody asks. And where only so many scrapes are allowed at once, one more hears 503.

Usage: python -m live.crowd
"""

from __future__ import annotations

import http.client
import os
import resource
import selectors
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from rig.command import succeed
from rig.exporter import Exporter
from rig.processes import until
from rig.scratch import scratch

SERIES = 40_000
SCRAPERS = 200
SLOW = 20
SILENT = 1_000
SMALL_WINDOW = 4096
"""Bytes that a slow reader lets the kernel keep for it."""
CONNECTION_BYTES = 16 * 1024
"""What a connection may take that sends nothing: hyper's first buffer is 8 KiB, and it has a task."""
SCRAPE_BYTES = 2 * 64 * 1024 + 32 * 1024
"""What a scrape may take: the piece of 64 KiB that is sent, the one that is made meanwhile, the connection's buffer."""
MAX_COST = 1.5
"""How much more CPU an update may take while everybody asks: caches and the other half of a core are shared."""


def count(updates: int = 200_000) -> None:
    """Counts until its input ends: for each line that it reads, prints the CPU seconds of `updates` updates."""
    from tallyboard import Counter

    counter = Counter("crowd_writer_total", "Counted while everybody asks.")
    for _ in sys.stdin:
        begun = time.process_time()
        for _ in range(updates):
            counter.inc()
        print(time.process_time() - begun, flush=True)


class Writer:
    """A program that counts."""

    def __init__(self, board: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "live.crowd", "--count"],
            env={**os.environ, "TALLYBOARD": str(board)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def cost(self) -> float:
        """The CPU seconds of the next updates."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        print("go", file=self._child.stdin, flush=True)
        return float(self._child.stdout.readline())

    def end(self) -> None:
        self._child.communicate(timeout=60)
        assert self._child.returncode == 0


def fill(board: Path) -> None:
    """A board with so many series that a body does not fit the buffers of a slow reader."""
    succeed(board, "create", "--slots", "65536")
    code = (
        "from tallyboard import Counter\n"
        "counter = Counter('crowd_total', 'What a scraper has to read.', ['path'])\n"
        f"for number in range({SERIES}):\n"
        "    counter.labels(f'/a/path/of/the/usual/length/that/goes/on/for/a/while/{number}').inc()\n"
    )
    environment = {**os.environ, "TALLYBOARD": str(board)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)


def resident_bytes(pid: int) -> int:
    """The most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024


def connect(address: str, window: int | None = None) -> socket.socket:
    host, _, port = address.rpartition(":")
    connection = socket.socket()
    if window is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        # The loopback's segments of 64 KiB would make the sender's kernel keep megabytes for it.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
    connection.settimeout(60)
    connection.connect((host, int(port)))
    return connection


def ask_slowly(address: str) -> socket.socket:
    connection = connect(address, SMALL_WINDOW)
    connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: slow\r\n\r\n")
    assert connection.recv(1) == b"H"
    return connection


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


class Slow:
    """Scrapers that read a byte a second, until the end of the block."""

    def __init__(self, address: str, number: int) -> None:
        self._connections = [ask_slowly(address) for _ in range(number)]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            for connection in self._connections:
                selector.register(connection, selectors.EVENT_READ)
            while not self._ended.wait(1):
                for key, _ in selector.select(0):
                    connection = key.fileobj
                    assert isinstance(connection, socket.socket)
                    connection.recv(1)

    def __enter__(self) -> Slow:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for connection in self._connections:
            connection.close()


def scrape_all(address: str) -> list[str]:
    """What went wrong for `SCRAPERS` at once."""
    problems: list[str] = []
    start = threading.Barrier(SCRAPERS)

    def scrape() -> None:
        try:
            start.wait(60)
            connection = http.client.HTTPConnection(address, timeout=60)
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            body = response.read()
            connection.close()
            lines = body.count(b"\ncrowd_total{")
            if response.status != 200 or lines != SERIES:
                problems.append(f"{response.status}, {lines} series")
        except (OSError, http.client.HTTPException, threading.BrokenBarrierError) as error:
            problems.append(repr(error))

    threads = [threading.Thread(target=scrape) for _ in range(SCRAPERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


def crowd(folder: Path) -> None:
    board = folder / "crowd.board"
    fill(board)
    with Exporter(board, folder / "crowd.log") as exporter:
        exporter.start("--web.max-requests=400")
        writer = Writer(board)
        writer.cost()
        # Now that all series are there: what is rendered of them is not what is measured.
        body_bytes = len(exporter.scrape())
        before = resident_bytes(exporter.pid())
        calm = min(writer.cost() for _ in range(10))

        silent = [connect(exporter.address) for _ in range(SILENT)]
        with Slow(exporter.address, SLOW):
            costs: list[float] = []
            counted = threading.Event()

            def counting() -> None:
                while not counted.is_set():
                    costs.append(writer.cost())

            thread = threading.Thread(target=counting)
            thread.start()
            begun = time.monotonic()
            problems = scrape_all(exporter.address)
            took = time.monotonic() - begun
            counted.set()
            thread.join()
            assert not problems, f"{len(problems)} scrapers failed, the first: {problems[0]}"
            assert exporter.scrape().count("\ncrowd_total{") == SERIES
        writer.end()

        grown = resident_bytes(exporter.pid()) - before
        bound = SILENT * CONNECTION_BYTES + (SCRAPERS + SLOW) * SCRAPE_BYTES
        # Who reads fast is gone before the next is served; who reads slowly would hold a whole body for long.
        assert SLOW * body_bytes > bound, "the bound would not tell bodies that are held as a whole"
        cost = min(costs) / calm
        print(
            f"{SCRAPERS} scrapers, a body of {body_bytes:,} bytes each: all served in {took:.1f} s; "
            f"memory grew by {grown / 2**20:.1f} MiB of {bound / 2**20:.0f} allowed; "
            f"an update took {cost:.2f} times the CPU",
            flush=True,
        )
        assert grown < bound
        assert len(costs) > 3
        assert cost < MAX_COST
        until(lambda: all(map(is_closed, silent)), "silent connections to be closed")
        for connection in silent:
            connection.close()


def too_many(folder: Path) -> None:
    """Scrapes beyond the limit hear 503, and everything else goes on; one that ends makes room."""
    with Exporter(folder / "crowd.board", folder / "limit.log") as exporter:
        exporter.start("--web.max-requests=3")

        def status(path: str) -> int:
            connection = http.client.HTTPConnection(exporter.address, timeout=60)
            connection.request("GET", path)
            answered = connection.getresponse().status
            connection.close()
            return answered

        slow = [ask_slowly(exporter.address) for _ in range(3)]
        assert [status(path) for path in ("/metrics", "/-/healthy", "/-/ready", "/")] == [503, 200, 200, 200]
        slow.pop().close()
        until(lambda: status("/metrics") == 200, "a place for one more scrape")
        for connection in slow:
            connection.close()


def main() -> None:
    if "--count" in sys.argv:
        return count()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with scratch("crowd") as folder:
        crowd(folder)
        too_many(folder)
    return None


if __name__ == "__main__":
    main()
