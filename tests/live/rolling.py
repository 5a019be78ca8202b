"""A deploy that changes a histogram's buckets, while programs count and scrapes go on.

Processes of the old version count; those of the new one come beside them, and an old one starts once more; then only
new ones are left. Every scrape is read by promtool, the new definition is shown from its first scrape to the last, its
counts are exact, nothing is refused, and the old definition is gone when its series are.

Usage: python -m live.rolling [--seconds N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from rig.command import Series, parse, succeed
from rig.exporter import Exporter
from rig.processes import until
from rig.scrapes import Scrapes
from rig.scratch import scratch

NAME = "rolling_seconds"
BUCKETS = {"old": (1.0, 2.0, 5.0), "new": (0.5, 1.0, 2.5, 5.0, 10.0)}
VALUES = (0.25, 0.75, 1.5, 2.25, 4.0, 7.0, 30.0)
"""What is observed, in turn."""
PROCESSES = 4
TELL = 60
"""Seconds after which a process that was told to end and did not has failed. No measure of anything."""


def work(version: str) -> None:
    """What a process of one version does: it counts until its input ends, then says what."""
    from tallyboard import Histogram

    waits = Histogram(NAME, "How long it took.", ["path"], buckets=BUCKETS[version])
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    observed = dict.fromkeys(VALUES, 0)
    while not ended.is_set():
        for value in VALUES:
            waits.labels("/").observe(value)
            observed[value] += 1
        if sum(observed.values()) == len(VALUES):
            print("ready", flush=True)
        time.sleep(0.001)
    print(json.dumps(list(observed.values())), flush=True)


class Process:
    """A process that counts."""

    def __init__(self, board: Path, version: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "live.rolling", "--work", version],
            env={**os.environ, "TALLYBOARD": str(board)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> None:
        """Waits until it has registered and counted."""
        assert self._child.stdout is not None
        assert self._child.stdout.readline() == "ready\n"

    def end(self) -> list[int]:
        """How often it has observed each of `VALUES`."""
        said, _ = self._child.communicate(timeout=TELL)
        assert self._child.returncode == 0
        observed: list[int] = json.loads(said)
        return observed

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()


class Definitions(Scrapes):
    """Scrapes that show one definition whole, and whose counts do not go down while it is shown."""

    def __init__(self, exporter: Exporter) -> None:
        super().__init__()
        self._exporter = exporter
        self.versions: list[str] = []
        """The definitions shown, each once for as long as it was shown."""
        self._count = 0.0

    def one(self) -> None:
        body = self._exporter.scrape()
        done = subprocess.run(["promtool", "check", "metrics"], input=body.encode(), capture_output=True, timeout=TELL)
        remarks = done.stdout.decode() + done.stderr.decode()
        assert (done.returncode, remarks) == (0, ""), f"promtool: {done.returncode}\n{remarks}\n{body}"
        samples = parse(body)
        bounds = buckets(samples)
        if not bounds:
            return
        shown = [version for version, known in BUCKETS.items() if {*bounds} == {*known, float("inf")}]
        assert len(shown) == 1, f"buckets of neither version: {sorted(bounds)}"
        count = bounds[float("inf")]
        if self.versions[-1:] != shown:
            self.versions += shown
            self._count = 0.0
        assert count >= self._count, "a count went down"
        self._count = count


def buckets(samples: dict[Series, float]) -> dict[float, float]:
    """The histogram's cumulative counts by upper bound."""
    return {float(dict(labels)["le"]): value for (name, labels), value in samples.items() if name == f"{NAME}_bucket"}


def own(samples: dict[Series, float], name: str) -> float:
    """What the exporter says about the board, over all labels."""
    return sum(value for (found, _), value in samples.items() if found == name)


def deploy(board: Path, exporter: Exporter, scrapes: Definitions, seconds: float) -> None:
    started: list[Process] = []

    def start(version: str) -> Process:
        process = Process(board, version)
        started.append(process)
        process.ready()
        return process

    try:
        old = [start("old") for _ in range(PROCESSES)]
        scrapes.more()
        new = []
        for place in range(PROCESSES):
            new.append(start("new"))
            scrapes.more()
            # It is replaced while another old one starts: two of the four, so that both versions go on.
            if place % 2:
                old.pop(0).end()
                old.append(start("old"))
                scrapes.more()
        time.sleep(seconds)
        hidden = own(parse(exporter.scrape()), "tallyboard_family_hidden_series")
        assert hidden == 1, f"{hidden} series of the old definition are hidden"
        for process in old:
            process.end()
        scrapes.more()
        print(f"old processes have ended after {scrapes.done} scrapes", flush=True)
        # The new ones change theirs all the time.
        until(lambda: succeed(board, "expire", "--ttl", "2s") == "1 series expired\n", "the old series to expire")
        until(
            lambda: own(parse(exporter.scrape()), "tallyboard_board_families") == 1,
            "the old definition to be reclaimed",
        )
        observed = [sum(each) for each in zip(*(process.end() for process in new), strict=True)]
    finally:
        for process in started:
            process.kill()
    scrapes.more()
    samples = parse(exporter.scrape())
    expected = {
        bound: sum(times for value, times in zip(VALUES, observed, strict=True) if value <= bound)
        for bound in (*BUCKETS["new"], float("inf"))
    }
    assert buckets(samples) == expected, f"{buckets(samples)} and not {expected}"
    assert own(samples, f"{NAME}_count") == sum(observed)
    total = sum(value * times for value, times in zip(VALUES, observed, strict=True))
    assert own(samples, f"{NAME}_sum") == total, "the values are sums of powers of two, so that no sum is rounded"
    assert own(samples, "tallyboard_board_refused_total") == 0, "something was refused"
    assert own(samples, "tallyboard_family_hidden_series") == 0
    assert scrapes.versions == ["old", "new"], f"shown, in this order: {scrapes.versions}"
    print(f"{sum(observed)} observations by the new version are exact after {scrapes.done} scrapes", flush=True)


def main(seconds: float) -> None:
    with scratch("rolling") as folder:
        board = folder / "rolling.board"
        with Exporter(board, folder / "exporter.log") as exporter:
            exporter.start()
            with Definitions(exporter) as scrapes:
                deploy(board, exporter, scrapes, seconds)
            scrapes.check()
            exporter.stop()
            said = [line for line in exporter.log.read_text().splitlines() if "more than one definition" in line]
            assert len(said) == 1, f"the log tells of it {len(said)} times"
        # The rows of those that ended last.
        succeed(board, "check", "--repair")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=3.0, help="how long both versions count side by side")
    arguments.add_argument("--work", choices=BUCKETS, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.work:
        work(given.work)
    else:
        main(given.seconds)
