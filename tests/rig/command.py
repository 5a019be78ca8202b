"""The `tallyboard` command line, and what it prints."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

Series = tuple[str, frozenset[tuple[str, str]]]
"""A sample's name and its labels."""


def tallyboard(board: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `tallyboard ARGUMENTS` on a board and returns what it printed and its exit code, unchecked."""
    done = subprocess.run(
        ["tallyboard", *arguments],
        env={**os.environ, "TALLYBOARD": str(board), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    # Decoded here: `text=True` would also turn a carriage return in a label value into a newline.
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def succeed(board: Path, *arguments: str) -> str:
    """As `tallyboard`, for what must work: returns its standard output."""
    done = tallyboard(board, *arguments)
    if done.returncode != 0:
        raise AssertionError(f"tallyboard {' '.join(arguments)} exited {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def parse(text: str) -> dict[Series, float]:
    """The samples of Prometheus text, as prometheus_client reads them."""
    samples: dict[Series, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series = (sample.name, frozenset(sample.labels.items()))
            assert series not in samples, f"{series} is there twice"
            samples[series] = sample.value
    return samples


def values(board: Path) -> dict[Series, float]:
    """Every sample on a board, read through `tallyboard dump`."""
    return parse(succeed(board, "dump", "--format", "text"))


def assert_sound(board: Path) -> None:
    """`tallyboard check --repair` leaves no fault: what the dead left is given back, nothing else is wrong."""
    succeed(board, "check", "--repair")
