"""A connection that a scraper keeps open, as Prometheus does, and that costs as little as it can."""

from __future__ import annotations

import socket
import time


class Connection:
    """To one exporter. For measuring: nothing but the socket's own calls is between sending and receiving."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._host = address
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(16 << 20)

    def get(self, path: str, encoding: str = "identity") -> tuple[float, bytes]:
        """Seconds from the first byte sent to the last one received, and the answer without its headers."""
        request = f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept-Encoding: {encoding}\r\n\r\n".encode()
        view = memoryview(self._buffer)
        received, body, expected = 0, 0, None
        headers: list[bytearray] = []
        started = time.perf_counter()
        self._socket.sendall(request)
        # A body whose length is not said ends with an empty chunk.
        while received < expected if expected else view[max(received - 7, 0) : received] != b"\r\n0\r\n\r\n":
            got = self._socket.recv_into(view[received:])
            assert got, "the exporter hung up"
            received += got
            if not headers and (end := self._buffer.find(b"\r\n\r\n", 0, received)) >= 0:
                headers = self._buffer[:end].lower().split(b"\r\n")
                assert headers[0].endswith(b"200 ok"), headers[0]
                body = end + 4
                for length in (int(line.split(b":")[1]) for line in headers if line.startswith(b"content-length:")):
                    expected = body + length
        seconds = time.perf_counter() - started
        zipped = b"content-encoding: gzip" in headers
        assert zipped == (encoding == "gzip"), f"asked for {encoding}: {headers}"
        sent = bytes(view[body:received])
        return seconds, sent if expected else joined(sent)


def joined(chunks: bytes) -> bytes:
    """The chunks of a body put together."""
    pieces, at = [], 0
    while True:
        end = chunks.index(b"\r\n", at)
        length = int(chunks[at:end], 16)
        if not length:
            return b"".join(pieces)
        pieces.append(chunks[end + 2 : end + 2 + length])
        at = end + 2 + length + 2
