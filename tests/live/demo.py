"""Bar 1: `tallyboard demo` serves counters that grow while workers die, loses none, and leaves nothing behind.

The first run ends by itself after 30 s; the second is ended with SIGINT, as by Ctrl-C.

Usage: python -m live.demo
"""

from __future__ import annotations

import re
import signal
import subprocess
import urllib.request
from contextlib import suppress
from pathlib import Path

from rig.command import parse
from rig.exporter import answers, free_port
from rig.processes import running, session_members, until
from rig.scratch import scratch

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


def run(folder: Path, by_itself: bool) -> None:
    """One demo from start to end, scraped all the time."""
    log = folder / f"demo-{'duration' if by_itself else 'interrupt'}.log"
    address = f"127.0.0.1:{free_port()}"
    url = f"http://{address}/metrics"
    command = ["tallyboard", "demo", "--web.listen-address", address, *(["--duration", "30s"] if by_itself else [])]
    with running(command, log, {"TALLYBOARD_DIR": str(folder)}) as demo:

        def served() -> bool:
            assert demo.poll() is None, log.read_text()
            return answers(url)

        until(served, "the demo to serve")
        seen = [scrape(url)]
        grown = [0] * len(COUNTERS)
        scrapes = 1
        # Ends with the demo, or when every counter has grown twenty times.
        while not ended_within(demo, 0.05):
            try:
                seen.append(scrape(url))
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
    for name, done, counted, begun in books:
        print(f"{name}: done {done} <= counted {counted} <= begun {begun}")
        assert 0 < number(done) <= number(counted) <= number(begun)
    for name, last, book in zip(COUNTERS, seen[-1], books, strict=True):
        assert last <= number(book[2]), f"{name} was served as {last} and then counted as {book[2]}"
    assert number(killed[1]) > 0, "nobody was killed"
    print(
        f"{scrapes} scrapes, each counter grew in {min(grown)} of them or more, {killed[1]} workers killed", flush=True
    )


def main() -> None:
    with scratch("demo") as folder:
        run(folder, by_itself=True)
        run(folder, by_itself=False)


if __name__ == "__main__":
    main()
