"""The judge `promtool check metrics`: Prometheus's own reader of text, and its advice about names.

Its reader must take every body. Its advice is about what a program calls its metrics, which an exporter passes on as it
is; each piece of advice that is no fault of the exporter's is named here, and any other is a mismatch.
"""

from __future__ import annotations

import re
import subprocess

from oracle.mismatch import MismatchError

THE_PROGRAMS_OWN = [
    # A program that gives no help has none.
    r"no help text",
    r'counter metrics should have "_total" suffix',
    r'non-counter metrics should not have "_total" suffix',
    r'non-histogram(?: and non-summary)? metrics should not have "_(?:bucket|count|sum)" suffix',
    r'non-histogram metrics should not have "le" label',
    r'non-summary metrics should not have "quantile" label',
    r"metric names should not contain ':'",
    r"metric name should not include type '\w+'",
    r"metric names should be written in 'snake_case' not 'camelCase'",
    r"label names should be written in 'snake_case' not 'camelCase'",
    r"metric names should not contain abbreviated units",
]
ADVICE = re.compile(r"\S+ (?:" + "|".join(THE_PROGRAMS_OWN) + ")")
ADVISED = 3
"""The exit code if there is advice."""


def judge(content: bytes) -> None:
    """Raises `MismatchError` if it does not take the body, or has advice for the exporter."""
    done = subprocess.run(["promtool", "check", "metrics"], input=content, capture_output=True, timeout=60)
    said = [line for line in (done.stdout + done.stderr).decode().split("\n") if line]
    others = [line for line in said if not ADVICE.fullmatch(line)]
    if done.returncode not in (0, ADVISED) or others:
        raise MismatchError(f"promtool check metrics: {done.returncode}: {(others or said)[0]}")
