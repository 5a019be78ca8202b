"""Debian's Chromium without a window, and everything it says about a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright


@contextmanager
def browser() -> Iterator[Browser]:
    """Runs until the end of the block."""
    expect.set_options(timeout=60_000)
    program = shutil.which("chromium")
    assert program is not None, "there is no `chromium`; install Debian's package of that name"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program)
        try:
            yield chromium
        finally:
            chromium.close()


class Look:
    """One page, with what was wrong about it and what it asked for."""

    def __init__(self, chromium: Browser, url: str, **settings: object) -> None:
        self.context: BrowserContext = chromium.new_context(reduced_motion="reduce", **settings)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.url = url
        self.remarks: list[str] = []
        """What the console said, and errors that nobody caught."""
        self.requests: list[str] = []
        self.received = 0
        """Bytes of all bodies that came so far."""
        self.page.on("console", lambda message: self.remarks.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.remarks.append(f"uncaught: {error}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self._session = self.context.new_cdp_session(self.page)
        self._session.send("Network.enable")
        self._session.send("Performance.enable")
        self._session.on("Network.dataReceived", self._count)
        self.page.goto(url)

    def _count(self, data: dict[str, int]) -> None:
        self.received += data["dataLength"]

    def __enter__(self) -> Look:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def busy_seconds(self) -> float:
        """How long the page's thread has worked so far."""
        metrics = {
            metric["name"]: metric["value"] for metric in self._session.send("Performance.getMetrics")["metrics"]
        }
        return float(metrics["TaskDuration"])

    def assert_clean(self) -> None:
        """Nothing was said, and nobody else was asked."""
        assert not self.remarks, f"the page says: {self.remarks}"
        strangers = {request for request in self.requests if not request.startswith((self.url, "data:"))}
        assert not strangers, f"the page asks others: {strangers}"
