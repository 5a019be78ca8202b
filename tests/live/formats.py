"""A real Prometheus reads the same from text, OpenMetrics and protobuf, and it is what was counted.

Prometheus 2 asks for OpenMetrics; with its native histograms turned on it asks for protobuf first. It would take text
of an exporter that has nothing else, but has no setting to ask for it: there a relay asks in its place. Names that it
cannot read are on the board too: one of them unescaped would fail the whole scrape. Where the format has exemplars, it
keeps them.

Usage: python -m live.formats
"""

from __future__ import annotations

import os
from pathlib import Path

from rig.command import Series, succeed, values
from rig.exporter import Exporter
from rig.prometheus import Prometheus
from rig.relay import Relay
from rig.scratch import scratch

ADDED_BY_PROMETHEUS = {"instance", "job"}

Exemplars = set[tuple[str, str, str, float]]
"""Of each the sample's name, the bucket, the trace, and the value. No trace has a quote: Prometheus 2 leaves it escaped
where it reads OpenMetrics."""

TRACES: Exemplars = {
    ("traced_total", "", "counted", 2.0),
    ("traced_seconds_bucket", "0.1", "näh", 0.05),
    ("traced_seconds_bucket", "+Inf", "x" * 100, 7.0),
}


def fill(board: Path) -> None:
    """One family of each kind, with labels and names that need care."""
    succeed(board, "inc", "jobs_total", "3", "--label", 'queue=a "b" \\ ü', "--help-text", "Jobs.")
    succeed(board, "inc", "disk.reads_total", "7", "--label", "disk.name=sda")
    succeed(board, "set", "größe", "-1.5")
    for seconds in ("0.02", "0.3", "7"):
        succeed(board, "observe", "wait.seconds", seconds)
    os.environ["TALLYBOARD"] = str(board)
    # Not above: the board is opened at the first metric, and its name is only known by now.
    from tallyboard import Counter, Enum, Histogram, Info

    Info("build", "Of what.", ["part"]).labels("core").info({"version": "1.2", "built.by": "ü"})
    Enum("phase", "Of it.", states=["loading", "linking"]).state("linking")
    traced = Counter("traced", "Counted.", ["part"])
    traced.labels("core").inc(2, exemplar={"trace.id": "counted"})
    traced.labels("rest").inc()
    seconds_traced = Histogram("traced_seconds", "Took.", buckets=(0.1, 1.0))
    seconds_traced.observe(0.05, exemplar={"trace.id": "näh"})
    seconds_traced.observe(7, exemplar={"trace.id": "x" * 100})


def read(prometheus: Prometheus, names: set[str]) -> dict[Series, float]:
    """The newest sample of each series of these names."""
    found: dict[Series, float] = {}
    for name in names:
        for labels, value in prometheus.vector(f'{{__name__="{name}"}}'):
            own = {label: text for label, text in labels.items() if label not in ADDED_BY_PROMETHEUS | {"__name__"}}
            found[name, frozenset(own.items())] = value
    return found


def exemplars(prometheus: Prometheus) -> Exemplars:
    """Those that it keeps."""
    return {
        (series["__name__"], series.get("le", ""), own["trace_id"], value)
        for series, own, value in prometheus.exemplars('{__name__=~"traced_.*"}')
    }


def check(
    what: str, place: Path, address: str, features: list[str], expected: dict[Series, float], traces: Exemplars
) -> None:
    place.mkdir()
    with Prometheus(place, address, features=features) as prometheus:
        found = read(prometheus, {name for name, _ in expected})
        assert found == expected, f"{what}: {found} instead of {expected}"
        print(f"{what}: Prometheus has {len(found)} samples, each as it was counted", flush=True)
        traced = exemplars(prometheus)
        assert traced == traces, f"{what}: {traced} instead of {traces}"
        print(f"{what}: Prometheus has {len(traced)} exemplars, each as it was given", flush=True)


def main() -> None:
    with scratch("formats") as folder, Exporter(folder / "formats.board", folder / "exporter.log") as exporter:
        exporter.start()
        fill(folder / "formats.board")
        expected = values(folder / "formats.board")
        with Relay(exporter.url, "text/plain;version=0.0.4") as relay:
            # What it is asked by whom, with what turned on, and the exemplars that are to come of it.
            ways: dict[str, tuple[str, list[str], Exemplars]] = {
                "text": (relay.address, [], set()),
                "OpenMetrics": (exporter.address, [], TRACES),
                "protobuf": (exporter.address, ["native-histograms"], TRACES),
            }
            for what, (address, features, traces) in ways.items():
                check(what, folder / what, address, ["exemplar-storage", *features], expected, traces)
            assert relay.types == {"text/plain; version=0.0.4; charset=utf-8; escaping=underscores"}, relay.types


if __name__ == "__main__":
    main()
