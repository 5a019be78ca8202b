"""A Flask application that uses prometheus_client, under gunicorn that replaces each worker after 50 requests.

It is run twice: with the drop-in, for which one environment variable is set, and with fewer requests in
prometheus_client's multiprocess mode. With the drop-in the counter is exact, every scrape is monotone, and the number
of files and of series stays what it was after the first request. What the multiprocess mode leaves behind stands beside
it.

Usage: python -m live.drop_in [--requests N] [--multiprocess-requests N]
"""

from __future__ import annotations

import argparse
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig.command import Series, assert_sound, parse, values
from rig.exporter import answers, free_port
from rig.processes import running, until
from rig.scrapes import Scrapes
from rig.scratch import scratch

MAX_REQUESTS = 50
"""Of `flask_gunicorn.py`."""
CLIENTS = 4
HERE = Path(__file__).parent


def get(port: int, path: str) -> bytes:
    """One request on a connection of its own, and the answer's body. It must be a 200."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        received = bytearray()
        while got := connection.recv(1 << 16):
            received += got
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0].endswith(b"200 OK"), head[:200]
    return bytes(body)


class Monotone(Scrapes):
    """Scrapes the application, and holds every counter to what it was."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.series: set[int] = set()
        """How many series there were in a scrape."""
        self.seconds: list[float] = []
        self._port = port
        self.last: dict[Series, float] = {}

    def one(self) -> None:
        started = time.monotonic()
        body = get(self._port, "/metrics")
        self.seconds.append(time.monotonic() - started)
        now = parse(body.decode())
        for series, value in self.last.items():
            if series[0].endswith(("_total", "_bucket", "_count", "_sum")):
                assert now.get(series, 0.0) >= value, f"{series} fell from {value} to {now.get(series)}"
        self.series.add(len(now))
        self.last = now
        time.sleep(0.5)


@contextmanager
def application(folder: Path, log: Path, environment: dict[str, str]) -> Iterator[int]:
    """gunicorn with the application, and the port that it answers on."""
    port = free_port()
    command = ["gunicorn", "--config", str(HERE / "flask_gunicorn.py"), "--chdir", str(HERE), "--no-control-socket"]
    command += ["--bind", f"127.0.0.1:{port}", "flask_app:app"]
    with running(command, log, {"PROMETHEUS_MULTIPROC_DIR": str(folder), **environment}) as gunicorn:

        def ready() -> bool:
            assert gunicorn.poll() is None, f"gunicorn exited {gunicorn.returncode}: {log.read_text()}"
            return answers(f"http://127.0.0.1:{port}/metrics")

        until(ready, "gunicorn to answer")
        yield port


@dataclass(frozen=True)
class Found:
    """What a run has left."""

    requests: int
    counted: float
    """By the last scrape."""
    files: int
    """Of the multiprocess mode."""
    series: set[int]
    """How many there were in a scrape."""
    scrape_ms: float
    """The median of some scrapes after the load."""
    load_seconds: float


def load(name: str, folder: Path, requests: int, environment: dict[str, str]) -> Found:
    """Lets clients make so many requests, while scrapes go on."""
    files = folder / name
    files.mkdir()
    with application(files, folder / f"{name}.log", environment) as port:
        get(port, "/work")
        started = time.monotonic()
        with Monotone(port) as scrapes, ThreadPoolExecutor(CLIENTS) as clients:
            for body in clients.map(lambda _: get(port, "/work"), range(requests - 1)):
                assert body == b"done", body
            taken = time.monotonic() - started
        last = Monotone(port)
        for _ in range(5):
            last.one()
        counted = last.last["requests_total", frozenset({("endpoint", "work")})]
        series = scrapes.series | last.series
        left = len(list(files.iterdir()))
        return Found(requests, counted, left, series, statistics.median(last.seconds) * 1e3, taken)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--requests", type=int, default=20_000)
    arguments.add_argument("--multiprocess-requests", type=int, default=5_000)
    options = arguments.parse_args()
    requests, fewer = options.requests, options.multiprocess_requests
    with scratch("drop-in") as folder:
        board = folder / "flask.board"
        dropped_in = {"TALLYBOARD": str(board), "TALLYBOARD_PROMETHEUS_CLIENT": "1"}
        found = {
            "drop-in": load("drop-in", folder, requests, dropped_in),
            "multiprocess mode": load("multiprocess", folder, fewer, {}),
        }
        for name, each in found.items():
            print(
                f"{name}: {each.counted:.0f} of {each.requests} requests counted, {each.files} files left, "
                f"{min(each.series)} to {max(each.series)} series, a scrape takes {each.scrape_ms:.1f} ms, "
                f"{each.requests / each.load_seconds:.0f} requests a second"
            )
        ours, theirs = found.values()
        on_board = values(board)["requests_total", frozenset({("endpoint", "work")})]
        assert ours.counted == on_board == requests, f"{requests} requests, counted: {ours.counted}, {on_board}"
        assert ours.files == 0, f"the drop-in has made {ours.files} files"
        assert len(ours.series) == 1, f"the number of series changes: {ours.series}"
        # Otherwise no worker was replaced, and nothing is shown.
        assert theirs.files > fewer / MAX_REQUESTS, f"only {theirs.files} files: did workers end?"
        assert_sound(board)


if __name__ == "__main__":
    main()
