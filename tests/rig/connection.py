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
        started = time.perf_counter()
        self._socket.sendall(request)
        while expected is None or received < expected:
            got = self._socket.recv_into(view[received:])
            assert got, "the exporter hung up"
            received += got
            if expected is None and (end := self._buffer.find(b"\r\n\r\n", 0, received)) >= 0:
                headers = self._buffer[:end].lower().split(b"\r\n")
                assert headers[0].endswith(b"200 ok"), headers[0]
                (length,) = (int(line.split(b":")[1]) for line in headers if line.startswith(b"content-length:"))
                body, expected = end + 4, end + 4 + length
        seconds = time.perf_counter() - started
        zipped = b"content-encoding: gzip" in headers
        assert zipped == (encoding == "gzip"), f"asked for {encoding}: {headers}"
        return seconds, bytes(view[body:received])
