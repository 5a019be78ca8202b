"""A Starlette application that counts its requests: for uvicorn. Many of them are under way at once in each worker."""

from __future__ import annotations

import asyncio
import time

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tallyboard import Counter, Gauge, Histogram

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "endpoint", "status"])
SECONDS = Histogram("http_request_seconds", "Time that a request took.", ["endpoint"])
IN_PROGRESS = Gauge("http_requests_in_progress", "Requests being worked on.", multiprocess_mode="livesum")


class Counted:
    """Middleware that counts a request as its answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                REQUESTS.labels(scope["method"], scope["endpoint"].__name__, message["status"]).inc()
            await send(message)

        started = time.perf_counter()
        with IN_PROGRESS.track_inprogress():
            await self.app(scope, receive, counted)
        SECONDS.labels(scope["endpoint"].__name__).observe(time.perf_counter() - started)


async def item(request: Request) -> JSONResponse:
    await asyncio.sleep(0.002)
    number = request.path_params["number"]
    return JSONResponse({"number": number, "price": number % 97})


app = Starlette(routes=[Route("/items/{number:int}", item)], middleware=[Middleware(Counted)])
