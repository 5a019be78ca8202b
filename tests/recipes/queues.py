"""Celery's prefork workers: exact while they are replaced, and between what was begun and done when they are killed."""

from __future__ import annotations

import os
import random
import signal
import sys
from contextlib import suppress
from pathlib import Path

from celery import Celery

from recipes.ledger import Ledger
from recipes.servers import APPLICATIONS, TESTS
from rig.command import Series, assert_sound, values
from rig.processes import running, until

TASKS = 400
REPLACED_AFTER = 20
WORKERS = 4
KILLS = 5


def check_all(folder: Path) -> None:
    board, log, ledger, socket = folder / "queue.board", folder / "celery.log", Ledger(folder), folder / "redis.socket"
    broker = f"redis+socket://{socket}"
    redis = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    celery = [sys.executable, "-m", "celery", "--app", "tasks", "worker", "--pool", "prefork"]
    celery += ["--concurrency", str(WORKERS), "--max-tasks-per-child", str(REPLACED_AFTER), "--loglevel", "WARNING"]
    environment = {
        "TALLYBOARD": str(board),
        "RECIPE_FOLDER": str(folder),
        "RECIPE_BROKER": broker,
        "PYTHONPATH": f"{APPLICATIONS}{os.pathsep}{TESTS}",
    }
    with (
        running(redis, folder / "redis.log"),
        running(celery, log, environment) as worker,
        Celery(broker=broker) as app,
    ):
        seen: set[int] = set()

        def children() -> list[int]:
            assert worker.poll() is None, log.read_text()
            now = [int(pid) for pid in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()]
            seen.update(now)
            return now

        def send(tasks: int) -> None:
            for number in range(tasks):
                app.send_task("tasks.send", ("invoice" if number % 4 else "reminder",))

        until(lambda: socket.exists(), "Redis to listen")
        send(TASKS)
        until(lambda: children() and ledger.counts()[0] == TASKS, "all tasks to be done")
        samples = values(board)
        exact = letters(samples)
        print(f"Celery: {TASKS} tasks, {exact:.0f} counted, by {len(seen)} workers or more")
        assert exact == samples["letter_seconds_count", frozenset()] == TASKS, log.read_text()[-2000:]
        assert len(seen) > WORKERS, "no worker was replaced"

        send(TASKS)
        for kill in range(1, KILLS + 1):
            due = TASKS + kill * TASKS // (KILLS + 2)
            until(lambda due=due: children() and ledger.counts()[1] >= due, f"{due} tasks to be begun")
            # It may have given up its place by itself meanwhile.
            with suppress(ProcessLookupError):
                os.kill(random.choice(children()), signal.SIGKILL)
        # Whether a task whose worker has died is begun again is Celery's affair. Those of the living end.
        until(lambda: app.connection().default_channel.client.llen("celery") == 0, "all tasks to be taken")
        worker.terminate()
        worker.wait(60)
        samples = values(board)
        done, begun = ledger.counts()
        total = letters(samples)
        print(f"Celery: {KILLS} workers killed, {done} tasks done <= {total:.0f} counted <= {begun} begun")
        assert done <= total <= begun
        assert begun - done <= KILLS, "a task has not ended that nobody killed"
        assert samples["letters_running", frozenset()] == 0, "a killed worker still counts as running"
    assert_sound(board)


def letters(samples: dict[Series, float]) -> float:
    return sum(value for (name, _), value in samples.items() if name == "letters_sent_total")
