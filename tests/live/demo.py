"""`tallyboard demo` serves counters that grow while workers die, loses none, and leaves nothing behind.

Besides what the demo says of itself, the workers' ledgers are read here: for each counter, what was done before a
scrape is in it, and what is in it has been begun after it.

The first run ends by itself after 30 s; the second is ended with SIGINT, as by Ctrl-C.

Usage: python -m live.demo
"""

from __future__ import annotations

import re
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from live.demo_ledgers import Ledgers
from rig.command import parse
from rig.exporter import answers, free_port
from rig.processes import running, session_members, until
from rig.scratch import scratch

WORKERS = 24
COUNTERS = ("records_loaded_total", "records_projected_total", "records_linked_total", "records_grouped_total")
BOOKS = re.compile(r"^(\w+) +([\d,]+) done ≤ +([\d,]+) counted ≤ +([\d,]+) begun$", re.MULTILINE)
KILLED = re.compile(r"^([\d,]+) workers killed, no count lost$", re.MULTILINE)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def scrape(url: str) -> list[float]:
    """The four counters, as a Prometheus would see them."""
    with urllib.request.urlopen(url, timeout=10) as response:
        samples = parse(response.read().decode())
    return [samples.get((name, frozenset()), 0.0) for name in COUNTERS]


def ended_within(demo: subprocess.Popen[str], seconds: float) -> bool:
    """Waits so long at most. It leaves the CPUs to the demo, which scrapes without a pause would not."""
    with suppress(subprocess.TimeoutExpired):
        demo.wait(seconds)
    return demo.returncode is not None


class Audit:
    """Scrapes held against the ledgers."""

    def __init__(self, url: str, ledgers: Ledgers, has_ended: Callable[[], bool]) -> None:
        self._url = url
        self._ledgers = ledgers
        self._has_ended = has_ended
        self.below = 0
        """Scrapes that were at least what was done."""
        self.between = 0
        """Those of them that were at most what was begun, too, which needs every ledger there ever was."""

    def scrape(self) -> list[float]:
        """One scrape, held against what was done before it and what had been begun after it."""
        done = self._ledgers.done()
        served = scrape(self._url)
        begun = self._ledgers.begun(self._has_ended)
        for name, low, value in zip(COUNTERS, done, served, strict=True):
            assert low <= value, f"{name} was served as {value} after {low} were done: counts were lost"
        self.below += min(done) > 0
        if begun is not None and self._ledgers.missed() == 0:
            for name, value, high in zip(COUNTERS, served, begun, strict=True):
                assert value <= high, f"{name} was served as {value} before {high} were begun: counts were invented"
            self.between += min(done) > 0
        return served


def run(folder: Path, by_itself: bool) -> None:
    """One demo from start to end, scraped all the time."""
    log = folder / f"demo-{'duration' if by_itself else 'interrupt'}.log"
    address = f"127.0.0.1:{free_port()}"
    url = f"http://{address}/metrics"
    command = ["tallyboard", "demo", "--web.listen-address", address, *(["--duration", "30s"] if by_itself else [])]
    environment = {"TALLYBOARD_DIR": str(folder)}
    with Ledgers(folder, WORKERS) as ledgers, running(command, log, environment) as demo:

        def served() -> bool:
            assert demo.poll() is None, log.read_text()
            return answers(url)

        until(served, "the demo to serve")
        audit = Audit(url, ledgers, lambda: demo.poll() is not None)
        seen = [audit.scrape()]
        grown = [0] * len(COUNTERS)
        scrapes = 1
        # Ends with the demo, or when every counter has grown twenty times.
        while not ended_within(demo, 0.05):
            try:
                seen.append(audit.scrape())
            except TimeoutError:
                raise
            except OSError:
                break  # It is about to end.
            scrapes += 1
            for counter, (before, now) in enumerate(zip(*seen, strict=True)):
                assert now >= before, f"{COUNTERS[counter]} went down from {before} to {now}"
                grown[counter] += now > before
            seen.pop(0)
            if not by_itself and min(grown) >= 20:
                demo.send_signal(signal.SIGINT)
                break
        code = demo.wait(30)
        left = session_members(demo.pid)
        missed, (done, begun) = ledgers.missed(), ledgers.last()
    said = log.read_text()
    assert code == 0, f"the demo exited {code}: {said}"
    assert not left, f"the demo left processes: {left}"
    files = [file.name for file in folder.iterdir() if file.suffix != ".log"]
    assert not files, f"the demo left files: {files}"
    assert min(grown) >= 20, f"the counters grew only {grown} times in {scrapes} scrapes"

    killed = KILLED.search(said)
    books = BOOKS.findall(said)
    assert killed is not None, said
    assert [book[0] for book in books] == list(COUNTERS), said
    for (name, *numbers), our_done, our_begun in zip(books, done, begun, strict=True):
        its_done, counted, its_begun = map(number, numbers)
        print(f"{name}: done {its_done:,} <= counted {counted:,} <= begun {its_begun:,}")
        assert 0 < its_done <= counted <= its_begun
        # We read the same ledgers.
        same = our_done == its_done and our_begun == its_begun
        fewer = our_done <= its_done and our_begun <= its_begun
        assert same or (missed and fewer), f"{name}: the ledgers say done {our_done}, begun {our_begun}"
    for name, last, book in zip(COUNTERS, seen[-1], books, strict=True):
        assert last <= number(book[2]), f"{name} was served as {last} and then counted as {book[2]}"
    assert number(killed[1]) > 0, "nobody was killed"
    # Where too much runs beside, a worker may live and die unseen, and only the lower bound can be told from then on.
    assert audit.below >= 10, f"only {audit.below} scrapes could be held against what was done"
    assert audit.between > 0, f"no scrape could be held against what was begun; {missed} workers were missed"
    print(
        f"{audit.below} scrapes were at least what the ledgers said was done, {audit.between} of them at most what was"
        f" begun; {missed} workers came and went unseen"
    )
    print(
        f"{scrapes} scrapes, each counter grew in {min(grown)} of them or more, {killed[1]} workers killed", flush=True
    )


def main() -> None:
    with scratch("demo") as folder:
        run(folder, by_itself=True)
        run(folder, by_itself=False)


if __name__ == "__main__":
    main()
