"""`tallyboard serve` on a free port of the loopback interface."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from rig.processes import running, until


def free_port() -> int:
    """A port that nobody had a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether an HTTP GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class Exporter:
    """An exporter that can be stopped and started again on the same port; the end of a `with` block stops it."""

    def __init__(self, board: Path, log: Path) -> None:
        self.board = board
        self.log = log
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}/metrics"
        self._running = ExitStack()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Exporter:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def start(self, *arguments: str, create: bool = True, program: tuple[str, ...] = ("tallyboard",)) -> float:
        """Starts it and returns the time when it said that it is ready, in Unix seconds. With `create`, boards that
        are not there are made; `arguments` are more of the command line, `program` is its beginning."""
        command = [*program, "serve", "--board", str(self.board), *(["--board.create"] if create else [])]
        command += ["--web.listen-address", self.address, *arguments]
        process = self._running.enter_context(running(command, self.log))

        def ready() -> bool:
            assert process.poll() is None, f"tallyboard serve exited {process.returncode}: {self.log.read_text()}"
            return answers(f"http://{self.address}/-/ready")

        until(ready, "tallyboard serve to be ready")
        self._process = process
        return time.time()

    def pid(self) -> int:
        """Its process, which is there."""
        assert self._process is not None, "it was never started"
        assert self._process.poll() is None, f"tallyboard serve exited: {self.log.read_text()}"
        return self._process.pid

    def stop(self) -> float:
        """Stops it as systemd would, and returns the time just before, in Unix seconds."""
        assert self._process is not None, "it was never started"
        before = time.time()
        self._process.terminate()
        code = self._process.wait(30)
        assert code == 0, f"tallyboard serve exited {code} on SIGTERM: {self.log.read_text()}"
        self._running.close()
        return before

    def scrape(self, accept: str = "") -> str:
        """One scrape's body, uncompressed."""
        request = urllib.request.Request(self.url, headers={"Accept": accept} if accept else {})
        with urllib.request.urlopen(request, timeout=30) as response:
            body: bytes = response.read()
        return body.decode("utf-8")
