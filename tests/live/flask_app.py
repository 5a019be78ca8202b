"""A Flask application that counts with prometheus_client, as the documentation of its multiprocess mode has it.

There is nothing of Tallyboard's in it: `live.drop_in` runs it with the drop-in and without.
"""

from __future__ import annotations

from flask import Flask, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

app = Flask(__name__)
REQUESTS = Counter("requests", "Requests that were answered.", ["endpoint"])
SECONDS = Histogram("request_seconds", "Time that an answer took.", ["endpoint"])
RUNNING = Gauge("requests_running", "Requests that are being answered.", multiprocess_mode="livesum")


@app.route("/work")
def work() -> str:
    with RUNNING.track_inprogress(), SECONDS.labels("work").time():
        REQUESTS.labels("work").inc()
        return "done"


@app.route("/metrics")
def metrics() -> Response:
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
