"""Bar 7: a scrape of 24 processes' work against prometheus_client's multiprocess mode, in one run.

Both hold a counter and a histogram with default buckets, 1,000 label values each, counted on by 24 processes. Ours is
a whole HTTP GET from `tallyboard serve` without gzip (gzip beside it), prometheus_client's is `MultiProcessCollector`
and `generate_latest`. Every value of ours is changed before each scrape, so that no rendered value is used twice.

Usage: python -m live.scrape [--min-ratio R]
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import time
from pathlib import Path

from rig.exporter import Exporter
from rig.scratch import scratch

PROCESSES = 24
LABEL_VALUES = 1_000
PEER_ROUNDS = 5
ROUNDS = 20
"""Scrapes of ours for one of the peer's."""


def children(processes: int, count: object) -> None:
    """Calls `count` in as many processes, one after the other: only what they leave matters."""
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            count()  # type: ignore[operator]
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0, f"a process ended with {status}"


class Peer:
    """prometheus_client's multiprocess mode."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        # Read when the module is imported; so it is imported here.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        import prometheus_client
        from prometheus_client import multiprocess

        self._collector = multiprocess.MultiProcessCollector
        self._client = prometheus_client
        registry = prometheus_client.CollectorRegistry()
        self._counter = prometheus_client.Counter("scraped_total", "Events.", ["value"], registry=registry)
        self._histogram = prometheus_client.Histogram("scraped_seconds", "Durations.", ["value"], registry=registry)

    def count(self) -> None:
        for value in range(LABEL_VALUES):
            self._counter.labels(value).inc()
            self._histogram.labels(value).observe(value / 100)

    def scrape(self) -> tuple[float, int]:
        """Seconds, and the bytes of the answer."""
        registry = self._client.CollectorRegistry()
        self._collector(registry)
        started = time.perf_counter()
        body = self._client.generate_latest(registry)
        return time.perf_counter() - started, len(body)


class Ours:
    """A board, the exporter, and a connection that a scraper keeps open, as Prometheus does."""

    def __init__(self, board: Path, exporter: Exporter) -> None:
        os.environ["TALLYBOARD"] = str(board)
        from tallyboard import Counter, Histogram

        self._counter = Counter("scraped_total", "Events.", ["value"])
        self._histogram = Histogram("scraped_seconds", "Durations.", ["value"])
        host, _, port = exporter.address.rpartition(":")
        self._host = exporter.address
        self._connection = socket.create_connection((host, int(port)))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(16 << 20)

    def count(self) -> None:
        for value in range(LABEL_VALUES):
            self._counter.labels(value).inc()
            self._histogram.labels(value).observe(value / 100)

    def scrape(self, encoding: str) -> tuple[float, int]:
        """Seconds from the first byte sent to the last one received, and the bytes of the answer."""
        request = f"GET /metrics HTTP/1.1\r\nHost: {self._host}\r\nAccept-Encoding: {encoding}\r\n\r\n".encode()
        view = memoryview(self._buffer)
        received, expected = 0, None
        started = time.perf_counter()
        self._connection.sendall(request)
        while expected is None or received < expected:
            got = self._connection.recv_into(view[received:])
            assert got, "the exporter hung up"
            received += got
            if expected is None and (end := self._buffer.find(b"\r\n\r\n", 0, received)) >= 0:
                headers = self._buffer[:end].lower().split(b"\r\n")
                assert headers[0].endswith(b"200 ok"), headers[0]
                (length,) = (int(line.split(b":")[1]) for line in headers if line.startswith(b"content-length:"))
                expected = end + 4 + length
        return time.perf_counter() - started, received


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--min-ratio", type=float, help="fail below this ratio of the two")
    options = arguments.parse_args()
    with scratch("scrape") as folder, Exporter(folder / "scrape.board", folder / "exporter.log") as exporter:
        exporter.start()
        peer, ours = Peer(folder / "prometheus_client"), Ours(folder / "scrape.board", exporter)
        children(PROCESSES, peer.count)
        children(PROCESSES, ours.count)

        peer_seconds, plain_seconds, gzip_seconds = [], [], []
        peer_size = plain_size = gzip_size = 0
        for _ in range(PEER_ROUNDS):
            children(1, peer.count)
            seconds, peer_size = peer.scrape()
            peer_seconds.append(seconds)
            for _ in range(ROUNDS):
                ours.count()
                seconds, plain_size = ours.scrape("identity")
                plain_seconds.append(seconds)
                ours.count()
                seconds, gzip_size = ours.scrape("gzip")
                gzip_seconds.append(seconds)
        theirs, plain, zipped = (statistics.median(times) for times in (peer_seconds, plain_seconds, gzip_seconds))
        for what, seconds, size in (
            ("prometheus_client, multiprocess", theirs, peer_size),
            ("tallyboard serve", plain, plain_size),
            ("tallyboard serve, gzip", zipped, gzip_size),
        ):
            print(f"{what:<32}{seconds * 1e3:>9.2f} ms{size:>11,} bytes{theirs / seconds:>9.1f} times as fast")
        if options.min_ratio is not None and theirs / plain < options.min_ratio:
            sys.exit(f"a scrape is {theirs / plain:.1f} times faster, not {options.min_ratio}")


if __name__ == "__main__":
    main()
