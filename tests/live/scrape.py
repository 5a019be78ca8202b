"""A scrape of 24 processes' work against prometheus_client's multiprocess mode, in one run.

Both hold a counter and a histogram with default buckets, 1,000 label values each, counted on by 24 processes. Ours is
a whole HTTP GET from `tallyboard serve` without gzip (gzip beside it), prometheus_client's is `MultiProcessCollector`
and `generate_latest`. Every value of ours is changed before each scrape, so that no rendered value is used twice.
Before the race, both answers are parsed: they hold the same series with the same values.

Usage: python -m live.scrape [--min-ratio R]
"""

from __future__ import annotations

import argparse
import gzip
import math
import os
import statistics
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rig.connection import Connection
from rig.exporter import Exporter
from rig.scratch import scratch

if TYPE_CHECKING:
    from rig.command import Series

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

    def scrape(self) -> tuple[float, bytes]:
        """Seconds, and the answer."""
        registry = self._client.CollectorRegistry()
        self._collector(registry)
        started = time.perf_counter()
        body = self._client.generate_latest(registry)
        return time.perf_counter() - started, body


class Ours:
    """A board, the exporter, and a connection that a scraper keeps open, as Prometheus does."""

    def __init__(self, board: Path, exporter: Exporter) -> None:
        os.environ["TALLYBOARD"] = str(board)
        from tallyboard import Counter, Histogram

        self._counter = Counter("scraped_total", "Events.", ["value"])
        self._histogram = Histogram("scraped_seconds", "Durations.", ["value"])
        self._address = exporter.address

    @cached_property
    def _connection(self) -> Connection:
        """Not made before the first scrape: the exporter hangs up on who asks for nothing at first."""
        return Connection(self._address)

    def count(self) -> None:
        for value in range(LABEL_VALUES):
            self._counter.labels(value).inc()
            self._histogram.labels(value).observe(value / 100)

    def scrape(self, encoding: str) -> tuple[float, bytes]:
        """Seconds, and the answer."""
        return self._connection.get("/metrics", encoding)


def scraped(body: bytes) -> dict[Series, float]:
    """What our metrics hold in an answer, without the exporter's own and the times of creation."""
    # It imports prometheus_client, which reads its mode from the environment then: not before there is a Peer.
    from rig.command import parse

    samples = parse(body.decode())
    return {
        (name, labels): value
        for (name, labels), value in samples.items()
        if name.startswith("scraped_") and not name.endswith("_created")
    }


def assert_equal(ours: dict[Series, float], theirs: dict[Series, float], what: str) -> None:
    """The same series, and the same values, up to the order in which a sum's floats were added."""
    assert ours.keys() == theirs.keys(), f"{what}: only one side has {list(ours.keys() ^ theirs.keys())[:5]}"
    differing = {
        series: (value, theirs[series])
        for series, value in ours.items()
        if not math.isclose(value, theirs[series], rel_tol=1e-12 if series[0].endswith("_sum") else 0)
    }
    assert not differing, f"{what}: {list(differing.items())[:5]}"


def assert_same_content(peer: Peer, ours: Ours) -> None:
    """Whoever refused the metrics or left some out would win the race."""
    theirs = scraped(peer.scrape()[1])
    # The counter, and of the histogram 15 buckets, the count and the sum.
    assert len(theirs) == LABEL_VALUES * 18, f"prometheus_client shows {len(theirs)} series"
    counters = [value for (name, _), value in theirs.items() if name == "scraped_total"]
    assert counters == [PROCESSES] * LABEL_VALUES, "prometheus_client has not counted all"
    assert_equal(scraped(ours.scrape("identity")[1]), theirs, "plain")
    assert_equal(scraped(gzip.decompress(ours.scrape("gzip")[1])), theirs, "gzip")
    print(f"both show the same {len(theirs):,} series with the same values", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--min-ratio", type=float, help="fail below this ratio of the two")
    options = arguments.parse_args()
    with scratch("scrape") as folder, Exporter(folder / "scrape.board", folder / "exporter.log") as exporter:
        exporter.start()
        peer, ours = Peer(folder / "prometheus_client"), Ours(folder / "scrape.board", exporter)
        children(PROCESSES, peer.count)
        children(PROCESSES, ours.count)
        assert_same_content(peer, ours)

        peer_seconds, plain_seconds, gzip_seconds = [], [], []
        peer_size = plain_size = gzip_size = 0
        for _ in range(PEER_ROUNDS):
            children(1, peer.count)
            seconds, body = peer.scrape()
            peer_seconds.append(seconds)
            peer_size = len(body)
            for _ in range(ROUNDS):
                ours.count()
                seconds, body = ours.scrape("identity")
                plain_seconds.append(seconds)
                plain_size = len(body)
                ours.count()
                seconds, body = ours.scrape("gzip")
                gzip_seconds.append(seconds)
                gzip_size = len(body)
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
