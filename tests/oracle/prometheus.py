"""The judge that it is all for: a real Prometheus, which scrapes the bodies and is asked what it has.

Its own parsers, of all three formats, with native histograms turned on. A body that they do not take whole fails the
scrape. Read back are all labels and values, the types, helps and units, and the number of samples. Known differences:

1. A label without a value is no label.
2. Version 2 knows no names but legacy ones: what is written for those who do, it is not asked about.
3. Version 2 reads no unit from protobuf, and no time of creation.
4. In protobuf it takes a native histogram for that, and leaves its classic buckets alone; of a family in which the
   first is no native one, it takes none for one. The exporter puts those first that are none.
5. In text, a help of nothing but blanks, or of one NUL, is none.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from oracle.blocks import blocks
from oracle.lines import Labels, base_labels, lines, total
from oracle.mismatch import MismatchError, compare
from oracle.protobuf import exponential
from oracle.truth import Body, Case, bits
from rig.processes import until
from rig.prometheus import Prometheus

CONTENT_TYPES = {
    "text": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
    "protobuf": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
}
MARK = "oracle_body"
"""The label by which a body's series are found: none on a board is called so."""
SECONDS = 8
"""Among which the scrapes are spread."""
ADDED = {"instance", "job", MARK}
SCRAPES = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
}


class _Server(ThreadingHTTPServer):
    request_queue_size = 100

    def handle_error(self, *_: object) -> None:
        """It ends in the middle of some scrapes. Those that fail before, it tells of itself."""


class _Bodies:
    """Serves each body under a path of its own."""

    def __init__(self, bodies: dict[str, Body]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = bodies[self.path]
                self.send_response(200)
                self.send_header("Content-Type", CONTENT_TYPES[body.format])
                self.send_header("Content-Length", str(len(body.content)))
                self.end_headers()
                self.wfile.write(body.content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return "{}:{}".format(*self._server.server_address[:2])

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _key(name: str, labels: Labels) -> Labels:
    """Difference 1."""
    return frozenset({**{label: value for label, value in labels if value}, "__name__": name}.items())


@dataclass
class _Known:
    """What it has of one body."""

    samples: dict[Labels, str] = field(default_factory=dict)
    native: dict[Labels, tuple[float, str, list[float]]] = field(default_factory=dict)
    """Of native histograms the count, the sum, and the counts of all buckets that are not empty, in their order."""
    meta: dict[str, tuple[str, str, str]] = field(default_factory=dict)


def _expected(case: Case, body: Body) -> _Known:
    found, _ = blocks(case, body.format, body.escaping)
    known = _Known()
    for name, block in found.items():
        # Of messages it makes the samples of text.
        line_format = "text" if body.format == "protobuf" else body.format
        written = list(lines(block, case, line_format, body.escaping, body.created))
        if not written:
            continue
        unit = "" if body.format == "protobuf" else block.unit
        # Difference 5.
        shown_help = "" if body.format == "text" and block.help.strip(" \t\0") == "" else block.help
        known.meta[name] = (block.shown_kind, shown_help, unit)
        whole = set()
        # Difference 4.
        has_classic = any(family.native is None and family.series for _, family in block.parts)
        for board, family in block.parts:
            if body.format != "protobuf" or family.native is None or has_classic:
                continue
            for series in family.series:
                base = frozenset(base_labels(board, family, series, body.escaping).items())
                shown = exponential(family.native, series.observed)
                counts = [count for _, count in sorted(shown["negative"].items(), reverse=True)]
                counts += [shown["zero_count"]] if shown["zero_count"] else []
                counts += [count for _, count in sorted(shown["positive"].items())]
                known.native[_key(name, base)] = (len(series.observed), bits(total(series.observed)), counts)
                whole.add(base)
        for line in written:
            if frozenset(pair for pair in line.labels if pair[0] != "le") not in whole:
                known.samples[_key(line.name, line.labels)] = line.value
    return known


def _found(prometheus: Prometheus) -> dict[str, _Known]:
    """By the path of each body."""
    known: dict[str, _Known] = {}
    for series in prometheus.instant(f'{{{MARK}!=""}}'):
        labels = series["metric"]
        of_body = known.setdefault(labels[MARK], _Known())
        # What it says itself of a scrape has a name of its own and no label.
        if labels["__name__"] in SCRAPES and not set(labels) - ADDED - {"__name__"}:
            continue
        key = frozenset((label, value) for label, value in labels.items() if label not in ADDED)
        if "value" in series:
            of_body.samples[key] = bits(float(series["value"][1]))
        else:
            histogram = series["histogram"][1]
            counts = [float(bucket[3]) for bucket in histogram.get("buckets", [])]
            of_body.native[key] = (float(histogram["count"]), bits(float(histogram["sum"])), counts)
    for family in prometheus.metadata():
        of_body = known.setdefault(family["target"][MARK], _Known())
        of_body.meta[family["metric"]] = (family["type"], family["help"], family["unit"])
    return known


def judge(cases: Sequence[Case], folder: Path) -> tuple[list[str], int]:
    """What is wrong with these, and how many samples were read back."""
    bodies: dict[str, tuple[Case, Body]] = {}
    for case in cases:
        for body in case.bodies:
            # Difference 2. OpenMetrics once, with all that it can say; and an empty body says nothing.
            has_all = body.created or body.format != "openmetrics"
            if body.escaping != "allow-utf-8" and has_all and body.content:
                bodies[f"/{case.seed}/{body}".replace(" ", "")] = (case, body)
    problems = []
    read = 0
    with _Bodies({path: body for path, (_, body) in bodies.items()}) as address:
        targets = [(address, {"__metrics_path__": path, MARK: path}) for path in bodies]
        with Prometheus(folder, targets, features=["native-histograms"], seconds=SECONDS) as prometheus:

            def scraped() -> list[dict[str, str]] | None:
                ways = prometheus.targets()
                late = [way for way in ways if way["health"] == "unknown" or "deadline" in way["lastError"]]
                return None if late else ways

            down = {way["labels"][MARK]: way["lastError"] for way in until(scraped, "all scrapes") if way["lastError"]}
            found = _found(prometheus)
    for path, (case, body) in bodies.items():
        try:
            if path in down:
                raise MismatchError(f"refused: {down[path]}")
            expected, known = _expected(case, body), found.get(path, _Known())
            compare("type, help and unit of the family", known.meta, expected.meta)
            compare("the sample", known.samples, expected.samples)
            compare("the native histogram", known.native, expected.native)
            read += len(expected.samples) + len(expected.native)
        except MismatchError as mismatch:
            problems.append(f"seed {case.seed}, {body}, Prometheus: {mismatch}")
    return problems, read
