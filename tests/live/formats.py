"""Issue 4, bar 1: a real Prometheus reads the same from OpenMetrics and from protobuf, and both are what was counted.

Prometheus 2 asks for OpenMetrics; with its native histograms turned on it asks for protobuf first. Names that it cannot
read are on the board too: one of them unescaped would fail the whole scrape.

Usage: python -m live.formats
"""

from __future__ import annotations

from pathlib import Path

from rig.command import Series, succeed, values
from rig.exporter import Exporter
from rig.prometheus import Prometheus
from rig.scratch import scratch

ADDED_BY_PROMETHEUS = {"instance", "job"}


def fill(board: Path) -> None:
    """One family of each kind, with labels and names that need care."""
    succeed(board, "inc", "jobs_total", "3", "--label", 'queue=a "b" \\ ü', "--help-text", "Jobs.")
    succeed(board, "inc", "disk.reads_total", "7", "--label", "disk.name=sda")
    succeed(board, "set", "größe", "-1.5")
    for seconds in ("0.02", "0.3", "7"):
        succeed(board, "observe", "wait.seconds", seconds)


def read(prometheus: Prometheus, names: set[str]) -> dict[Series, float]:
    """The newest sample of each series of these names."""
    found: dict[Series, float] = {}
    for name in names:
        for labels, value in prometheus.vector(f'{{__name__="{name}"}}'):
            own = {label: text for label, text in labels.items() if label not in ADDED_BY_PROMETHEUS | {"__name__"}}
            found[name, frozenset(own.items())] = value
    return found


def main() -> None:
    with scratch("formats") as folder, Exporter(folder / "formats.board", folder / "exporter.log") as exporter:
        exporter.start()
        fill(folder / "formats.board")
        expected = values(folder / "formats.board")
        turned_on: dict[str, list[str]] = {"OpenMetrics": [], "protobuf": ["native-histograms"]}
        for what, features in turned_on.items():
            place = folder / what
            place.mkdir()
            with Prometheus(place, exporter.address, features=features) as prometheus:
                found = read(prometheus, {name for name, _ in expected})
                assert found == expected, f"{what}: {found} instead of {expected}"
                print(f"{what}: Prometheus has {len(found)} samples, each as it was counted", flush=True)


if __name__ == "__main__":
    main()
