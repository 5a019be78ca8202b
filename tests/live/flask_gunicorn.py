"""gunicorn's configuration for `flask_app.py`: workers that are replaced, as the documentation of the multiprocess mode
has it."""

from __future__ import annotations

import gc
from typing import Any

from prometheus_client import multiprocess

workers = 4
max_requests = 50
preload_app = True
loglevel = "warning"


def when_ready(_server: Any) -> None:
    """Called in the master before it makes workers. What is there now, a worker that ends does not go through: that
    would copy its pages."""
    gc.freeze()


def child_exit(_server: Any, worker: Any) -> None:
    """Called in the master when a worker has ended."""
    multiprocess.mark_process_dead(worker.pid)
