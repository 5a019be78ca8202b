"""Clients that ask a web server for items, each request over a connection of its own."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

CLIENTS = 8


class Load:
    """What the clients have sent and what was answered."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self.begun = 0
        self.done = 0

    def send(self, requests: int, each: Callable[[int], None] = lambda _done: None) -> None:
        """Sends requests from several clients at once. `each` is told how many are begun, every time."""
        first = self.begun

        def request(number: int) -> None:
            with self._lock:
                self.begun += 1
                each(self.begun - first)
            self._request(number)

        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(request, range(requests)))

    def _request(self, number: int) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            connection.request("GET", f"/items/{number}", headers={"Connection": "close"})
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            # Its worker was killed: begun, and not done as far as anybody can tell.
            return
        finally:
            connection.close()
        assert response.status == 200, (response.status, body)
        assert json.loads(body)["number"] == number
        with self._lock:
            self.done += 1
