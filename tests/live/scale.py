"""A million counters with two labels each, on one board, served by the release exporter.

Memory is what the kernel calls anonymous (RssAnon), its highest while scrapes run, less the bytes of all rendered
names: those of the lines up to their values. A board's own pages are shared and are not in it. The speed of encoding
is `scale encode`'s, which has memcpy beside it. The first byte counts from the request on, over the whole body's time.

Usage: python -m live.scale BINARY
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from rig.exporter import Exporter
from rig.scratch import scratch

SERIES = 1_000_000
MAX_BESIDE = 32 << 20
"""Bytes beside the rendered names."""
MAX_FIRST = 0.05
"""Of the whole body's time."""
ROUNDS = 7
STARTS = 3
"""Of an exporter, to see the first scrape that it ever answers."""
AT_ONCE = 16
EACH_AT_ONCE = 1 << 20
"""What one more scrape may take: its pieces, and what the connection buffers. A copy of the names would be 60 MB."""
FORMATS = {
    "text": "text/plain;version=0.0.4",
    "OpenMetrics": "application/openmetrics-text;version=1.0.0",
    "protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
}
VALUE_FIELD = 9
"""Bytes of a counter's value in protobuf; in it, everything else is the name."""


class Scrape:
    """One GET: when its first bytes came, when its last, and how many they were."""

    def __init__(self, address: str, accept: str, *, keep: bool = False) -> None:
        host, _, port = address.rpartition(":")
        request = f"GET /metrics HTTP/1.1\r\nHost: {address}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        buffer = bytearray(1 << 20)
        kept = bytearray()
        received = 0
        with socket.create_connection((host, int(port))) as connection:
            begun = time.perf_counter()
            connection.sendall(request.encode())
            self.first = 0.0
            tail = b""
            while got := connection.recv_into(buffer):
                if not received:
                    self.first = time.perf_counter() - begun
                    assert buffer.startswith(b"HTTP/1.1 200 OK\r\n"), bytes(buffer[:100])
                received += got
                tail = (tail + buffer[max(got - 5, 0) : got])[-5:]
                if keep:
                    kept += buffer[:got]
            self.whole = time.perf_counter() - begun
        assert tail == b"0\r\n\r\n", "the body was cut off"
        self.received = received
        self.kept = bytes(kept)


def body(answer: bytes) -> bytes:
    """What an answer in chunks says."""
    at = answer.index(b"\r\n\r\n") + 4
    chunks = []
    while True:
        end = answer.index(b"\r\n", at)
        length = int(answer[at:end], 16)
        if not length:
            return b"".join(chunks)
        chunks.append(answer[end + 2 : end + 2 + length])
        at = end + length + 4


def names_len(form: str, answer: bytes) -> int:
    """Bytes of the rendered names of all counters."""
    whole = body(answer)
    if form == "protobuf":
        # One family's message is nearly all of it.
        assert len(whole) > SERIES * VALUE_FIELD
        return len(whole) - SERIES * VALUE_FIELD
    lines = [line for line in whole.split(b"\n") if line.startswith(b"bench_requests_total{")]
    assert len(lines) == SERIES, f"{len(lines)} counters in {form}"
    assert len(set(lines)) == SERIES, "a series stands twice"
    return sum(line.rindex(b" ") + 1 for line in lines)


class Memory:
    """The highest RssAnon of a process while a `with` block runs, in bytes."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.highest = 0

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            self._look()

    def _look(self) -> None:
        (line,) = (line for line in self._status.read_text().splitlines() if line.startswith("RssAnon:"))
        self.highest = max(self.highest, int(line.split()[1]) * 1024)


def mib(size: float) -> str:
    return f"{size / (1 << 20):.1f} MiB"


def scrape_in(form: str, exporter: Exporter) -> int:
    """Scrapes in one format alone, the first time where nothing was rendered before, and returns the bytes of the
    names."""
    accept = FORMATS[form]
    firsts = []
    for _ in range(STARTS - 1):
        exporter.start()
        firsts.append(Scrape(exporter.address, accept))
        exporter.stop()
    exporter.start()
    with Memory(exporter.pid()) as memory:
        firsts.append(Scrape(exporter.address, accept, keep=True))
        scrapes = [Scrape(exporter.address, accept) for _ in range(ROUNDS)]
    exporter.stop()
    names = names_len(form, firsts[-1].kept)
    beside = memory.highest - names
    fastest = min(scrapes, key=lambda scrape: scrape.whole)
    share, first_share = (min(scrape.first / scrape.whole for scrape in each) for each in (scrapes, firsts))
    print(
        f"{form:<12} {fastest.received / fastest.whole / 1e6:.0f} MB/s over HTTP; first byte after {share:.1%} of the "
        f"whole, of the first scrape of all after {first_share:.1%}; {mib(beside)} beside {mib(names)} of names",
        flush=True,
    )
    late = max(share, first_share)
    assert late <= MAX_FIRST, f"{form}: the first byte comes after {late:.1%} of the whole, not {MAX_FIRST:.0%}"
    assert beside <= MAX_BESIDE, f"{form}: {mib(beside)} beside the names, not {mib(MAX_BESIDE)}"
    return names


def scrape_at_once(exporter: Exporter, names: int) -> None:
    """Many scrapes at the same time, in all formats, share all names, which none has rendered before."""
    with Memory(exporter.pid()) as memory:
        threads = [
            threading.Thread(target=Scrape, args=(exporter.address, accept))
            for accept in list(FORMATS.values()) * (AT_ONCE // len(FORMATS))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    beside = memory.highest - names
    print(f"{len(threads)} scrapes at once: {mib(beside)} beside {mib(names)} of names", flush=True)
    most = MAX_BESIDE + len(threads) * EACH_AT_ONCE
    assert beside <= most, f"{len(threads)} scrapes at once take {mib(beside)} beside the names, not {mib(most)}"


def main() -> None:
    (binary,) = sys.argv[1:]
    with scratch("scale") as folder:
        board = folder / "million.board"
        subprocess.run([binary, "board", str(board)], check=True)
        subprocess.run([binary, "encode", str(board)], check=True)
        with Exporter(board, folder / "exporter.log") as exporter:
            names = sum(scrape_in(form, exporter) for form in FORMATS)
            exporter.start()
            scrape_at_once(exporter, names)


if __name__ == "__main__":
    main()
