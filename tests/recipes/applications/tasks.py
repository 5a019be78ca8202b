"""Celery tasks that count themselves. `ledger` is the test's own bookkeeping."""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery import Celery
from tallyboard import Counter, Gauge, Histogram

from recipes.ledger import Ledger

LETTERS = Counter("letters_sent_total", "Letters sent.", ["kind"])
SECONDS = Histogram("letter_seconds", "Time that a letter took.")
RUNNING = Gauge("letters_running", "Letters being written.", multiprocess_mode="livesum")

ledger = Ledger(Path(os.environ["RECIPE_FOLDER"]))
app = Celery("tasks", broker=os.environ["RECIPE_BROKER"])
app.conf.task_ignore_result = True


@app.task
@RUNNING.track_inprogress()
@SECONDS.time()
def send(kind: str) -> None:
    with ledger.entry():
        time.sleep(0.005)
        LETTERS.labels(kind).inc()
