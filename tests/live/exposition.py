"""promtool and prometheus_client's parsers accept what the exporter serves, and read what was counted.

With label values of quotes, backslashes, newlines and any other UTF-8, and numbers from the smallest to the largest.

Usage: python -m live.exposition
"""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from rig.command import Series, succeed
from rig.exporter import Exporter
from rig.scratch import scratch

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
AWKWARD = [
    '"',
    "\\",
    "\n",
    "\\n",
    '\\"',
    '"}',
    'a\nb\\c"d',
    "",
    " ",
    "\t",
    "\r\n",
    "\r",
    "#",
    "# EOF",
    "{",
    "}",
    ",",
    "=",
]
AWKWARD += [
    "\x01",
    "\x7f",
    "\x85",
    "\u2028",
    "\ufeff",
    "é",
    "e\u0301",
    "漢字",
    "🦀",
    "\U0010ffff",
    "\uffff",
    "x" * 200,
    "NaN",
    "+Inf",
]
# prometheus_client's parser ends an exemplar's labels at any brace, and takes an escaped quote for a quote.
TRACES = [text for text in AWKWARD if not set(text) & set('"{}\\')]
NUMBERS = [0.0, -0.0, 1.0, 0.1, 1 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1e-7, 123456789.123]
NUMBERS += [1e16, 2.0**53, 1e21, 1e22, 1e-5, math.inf, -math.inf, math.nan]
INTEGERS = [0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63, 2**64 - 1]


def any_text(chance: random.Random) -> str:
    """Any characters but NUL, which C has no way to say, and surrogates, which are none."""
    characters = []
    while len(characters) < chance.randrange(1, 20):
        code = chance.choice((chance.randrange(1, 128), chance.randrange(1, 0x110000)))
        if not 0xD800 <= code < 0xE000:
            characters.append(chr(code))
    return "".join(characters)


def fill(texts: Iterable[str]) -> dict[Series, float]:
    """Counts on the default board and returns what must be read from it."""
    # Not above: the board is opened at the first metric, and its name is only known by then.
    from tallyboard import Counter, Enum, Gauge, Histogram, Info, Summary

    expected: dict[Series, float] = {}

    def expect(name: str, labels: dict[str, str], value: float) -> None:
        expected[name, frozenset(labels.items())] = value

    counter = Counter("texts", 'Help with a \\ backslash, a "quote",\na second line and 漢字.', ["text", "other"])
    for number, text in enumerate(texts):
        counter.labels(text, text[::-1]).inc(number)
        expect("texts_total", {"text": text, "other": text[::-1]}, number)
    gauge = Gauge("level_celsius", "Levels.", ["number"], unit="celsius")
    for value in NUMBERS:
        gauge.labels(repr(value)).set(value)
        expect("level_celsius", {"number": repr(value)}, value)
    whole = Counter("whole_total", "Whole numbers.", ["number"])
    for value in INTEGERS:
        # One increment is a whole number below 2^63; the sum is one below 2^64.
        for third in (value // 3, value // 3, value - 2 * (value // 3)):
            whole.labels(str(value)).inc(third)
        expect("whole_total", {"number": str(value)}, float(value))
    histogram = Histogram("wait_seconds", "Durations.", ["queue"], buckets=(0.1, 1, 2.5))
    summary = Summary("size_bytes", "Sizes.", ["queue"])
    described = Info("described", "With any text.", ["number"])
    phase = Enum("phase", "Of any name.", ["number"], states=[text for text in AWKWARD if text])
    for number, text in enumerate(AWKWARD):
        counter.labels("traced", str(number)).inc(exemplar={"trace_id": text[:100]} if text in TRACES else None)
        expect("texts_total", {"text": "traced", "other": str(number)}, 1)
        described.labels(number).info({"text": text, "other.text": text[::-1]})
        expect("described_info", {"number": str(number), "text": text, "other_text": text[::-1]}, 1)
        if text:
            phase.labels(number).state(text)
            for state in filter(None, AWKWARD):
                expect("phase", {"number": str(number), "phase": state}, float(state == text))
    for queue in ('"quoted"', "back\\slash\n"):
        for value in (0.1, 0.25, 2.0, 7.0):
            histogram.labels(queue).observe(value)
            summary.labels(queue).observe(value)
        for bound, count in (("0.1", 1), ("1.0", 2), ("2.5", 3), ("+Inf", 4)):
            expect("wait_seconds_bucket", {"queue": queue, "le": bound}, count)
        for name in ("wait_seconds", "size_bytes"):
            expect(f"{name}_count", {"queue": queue}, 4)
            expect(f"{name}_sum", {"queue": queue}, 9.35)
    return expected


def read(parse: Callable[[str], Iterable[Metric]], body: str) -> dict[Series, float]:
    """All samples, with `le` in one spelling: 1 and 1.0 are the same bound."""
    found: dict[Series, float] = {}
    for family in parse(body):
        for sample in family.samples:
            labels = dict(sample.labels)
            if "le" in labels and labels["le"] != "+Inf":
                labels["le"] = str(float(labels["le"]))
            series = (sample.name, frozenset(labels.items()))
            assert series not in found, f"{series} is there twice"
            found[series] = sample.value
    return found


def compare(what: str, found: dict[Series, float], expected: dict[Series, float]) -> None:
    """Every expected sample is there with exactly its value: the same bits, but for NaN, which is just NaN."""
    for series, value in expected.items():
        assert series in found, f"{what}: {series} is missing"
        read_back = found[series]
        same = math.isnan(read_back) if math.isnan(value) else repr(float(read_back)) == repr(float(value))
        assert same, f"{what}: {series} is {read_back!r}, not {value!r}"
    names = {name for name, _ in expected}
    more = [series for series in found if series[0] in names and series not in expected]
    assert not more, f"{what}: {more} came from nowhere"
    print(f"{what}: {len(expected)} samples read back exactly, of {len(found)}", flush=True)


def promtool(what: str, body: str) -> None:
    """`promtool check metrics` neither fails nor has anything to remark."""
    done = subprocess.run(["promtool", "check", "metrics"], input=body.encode(), capture_output=True, timeout=60)
    remarks = done.stdout.decode() + done.stderr.decode()
    assert (done.returncode, remarks) == (0, ""), f"promtool check metrics, {what}: {done.returncode}\n{remarks}"
    print(f"{what}: promtool check metrics has nothing to remark", flush=True)


def content_type(exporter: Exporter, accept: str) -> str:
    """What the exporter says it sends."""
    request = urllib.request.Request(exporter.url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as response:
        return str(response.headers["Content-Type"])


def check(board: Path, exporter: Exporter) -> None:
    chance = random.Random(9)
    os.environ["TALLYBOARD"] = str(board)
    texts = dict.fromkeys([*AWKWARD, *(any_text(chance) for _ in range(500))])
    expected = fill(texts)

    text, openmetrics = exporter.scrape(), exporter.scrape(OPENMETRICS)
    assert content_type(exporter, "").startswith("text/plain; version=0.0.4")
    assert content_type(exporter, OPENMETRICS).startswith("application/openmetrics-text; version=1.0.0")
    promtool("text", text)
    compare("text", read(parse_text, text), expected)
    compare("OpenMetrics", read(parse_openmetrics, openmetrics), expected)
    samples = [sample for family in parse_openmetrics(openmetrics) for sample in family.samples]
    traces = [sample.exemplar.labels["trace_id"] for sample in samples if sample.exemplar]
    assert sorted(traces) == sorted(text[:100] for text in TRACES), f"exemplars: {traces}"
    print(f"OpenMetrics: {len(traces)} exemplars read back exactly")
    promtool("dump", succeed(board, "dump", "--format", "text"))
    dumped = read(parse_openmetrics, succeed(board, "dump", "--format", "openmetrics"))
    compare("dump --format openmetrics", dumped, expected)

    whole = next(
        family for family in json.loads(succeed(board, "dump", "--json"))["families"] if family["name"] == "whole_total"
    )
    read_back = sorted(series["value"] for series in whole["series"])
    assert read_back == INTEGERS, f"dump --json: {read_back}"
    print(f"dump --json: {len(INTEGERS)} whole numbers to 2^64 - 1 read back exactly")


def main() -> None:
    with scratch("exposition") as folder, Exporter(folder / "exposition.board", folder / "exporter.log") as exporter:
        exporter.start()
        check(folder / "exposition.board", exporter)


if __name__ == "__main__":
    main()
