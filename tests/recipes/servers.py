"""Web servers with several workers: exact while workers are recycled, between what was begun and done when killed."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from recipes.load import CLIENTS, Load
from rig.command import Series, assert_sound, values
from rig.exporter import answers, free_port
from rig.processes import running, state_of, until

TESTS = Path(__file__).parent.parent
APPLICATIONS = Path(__file__).with_name("applications")


REQUESTS = 400
RECYCLED_AFTER = 50
KILLS = 4

Command = Callable[[str], list[str]]


def _gunicorn(workers: int, kind: str, *arguments: str) -> Command:
    command = [sys.executable, "-m", "gunicorn", "--workers", str(workers), "--worker-class", kind]
    command += ["--max-requests", str(RECYCLED_AFTER), *arguments]
    return lambda address: [*command, "--bind", address]


def _uwsgi(address: str) -> list[str]:
    command = ["uwsgi", "--http-socket", address, "--master", "--processes", "4", "--module", "web:app", "--need-app"]
    command += ["--virtualenv", sys.prefix, "--die-on-term"]
    return [*command, "--max-requests", str(RECYCLED_AFTER), "--min-worker-lifetime", "0"]


def _uvicorn(address: str) -> list[str]:
    host, _, port = address.partition(":")
    command = [sys.executable, "-m", "uvicorn", "--host", host, "--port", port, "--workers", "3", "--no-access-log"]
    return [*command, "--limit-max-requests", str(RECYCLED_AFTER), "asynchronous:app"]


SERVERS: dict[str, Command] = {
    "gunicorn, sync workers": _gunicorn(4, "sync", "web:app"),
    "gunicorn, gthread workers": _gunicorn(2, "gthread", "--threads", "4", "--preload", "web:app"),
    "uWSGI": _uwsgi,
    "uvicorn": _uvicorn,
    "gunicorn, uvicorn workers": _gunicorn(3, "uvicorn_worker.UvicornWorker", "asynchronous:app"),
}


def workers_of(server: int) -> list[int]:
    """The processes that a server has started and that serve."""
    children = map(int, Path(f"/proc/{server}/task/{server}/children").read_text().split())
    return [pid for pid in children if state_of(pid) not in "ZX" and not _is_resource_tracker(pid)]


def _is_resource_tracker(pid: int) -> bool:
    try:
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def check(name: str, folder: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    board, log = folder / "web.board", folder / "server.log"
    environment = {"TALLYBOARD": str(board), "PYTHONPATH": str(APPLICATIONS)}
    with running(SERVERS[name](address), log, environment) as server:
        until(lambda: server.poll() is not None or answers(f"http://{address}/items/1"), f"{name} to answer")
        assert server.poll() is None, log.read_text()
        load = Load(address)
        before = counted(values(board))
        first = set(workers_of(server.pid))
        seen = set(first)
        load.send(REQUESTS, lambda _begun: seen.update(workers_of(server.pid)))
        after_recycling = values(board)
        exact = counted(after_recycling) - before
        print(f"{name}: {load.done} of {load.begun} answered, {exact:.0f} counted, by {len(seen)} workers or more")
        # uvicorn closes connections that it has accepted and not read when a worker has had its number.
        assert load.done == exact, log.read_text()[-2000:]
        assert load.begun - load.done <= len(seen) * CLIENTS, "more was lost than the workers that went had in hand"
        assert seen - first, "no worker was recycled"

        killed: list[int] = []

        def kill(begun: int) -> None:
            workers = workers_of(server.pid)
            if begun > (len(killed) + 1) * REQUESTS // (KILLS + 2) and len(killed) < KILLS and workers:
                with suppress(ProcessLookupError):
                    os.kill(random.choice(workers), signal.SIGKILL)
                    killed.append(begun)

        load.send(REQUESTS, kill)
        until(lambda: in_progress(values(board)) == 0, "nothing to be in progress")
        at_end = values(board)
        total = counted(at_end) - before
        print(f"{name}: {len(killed)} workers killed, {load.done} answered <= {total:.0f} counted <= {load.begun} sent")
        assert len(killed) >= KILLS
        assert load.done <= total <= load.begun
        assert set(at_end) == set(after_recycling), "the workers have left series behind"
    assert_sound(board)


def counted(samples: dict[Series, float]) -> float:
    return sum(value for (name, _), value in samples.items() if name == "http_requests_total")


def in_progress(samples: dict[Series, float]) -> float:
    return samples["http_requests_in_progress", frozenset()]


def check_all(folder: Path, names: Sequence[str] = tuple(SERVERS)) -> None:
    for place, name in enumerate(names):
        own = folder / f"server{place}"
        own.mkdir()
        check(name, own)
