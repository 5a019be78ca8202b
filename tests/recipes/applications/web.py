"""A Flask application that counts its requests: for gunicorn and uWSGI. Nothing in it knows of their workers."""

from __future__ import annotations

import time

from flask import Flask, Response, jsonify, request
from tallyboard import Counter, Gauge, Histogram

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "endpoint", "status"])
SECONDS = Histogram("http_request_seconds", "Time that a request took.", ["endpoint"])
IN_PROGRESS = Gauge("http_requests_in_progress", "Requests being worked on.", multiprocess_mode="livesum")

app = Flask(__name__)


@app.get("/items/<int:number>")
@IN_PROGRESS.track_inprogress()
@SECONDS.labels("item").time()
def item(number: int) -> Response:
    time.sleep(0.002)
    return jsonify(number=number, price=number % 97)


@app.after_request
def count(response: Response) -> Response:
    REQUESTS.labels(request.method, request.endpoint, response.status_code).inc()
    return response
