"""The dashboard and the alert rules that are shipped, in a real Prometheus that scrapes `tallyboard demo`.

Every query of the dashboard parses and finds something, every rule is evaluated without an error, and every metric
that a rule names is one that the exporter has, so that no rule waits for a name that nobody writes any more.

Usage: python -m live.monitoring
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from rig.exporter import free_port
from rig.processes import running, until
from rig.prometheus import Prometheus
from rig.scratch import scratch

EXPORTER = Path(__file__).resolve().parents[2] / "exporter"
PACKAGING = EXPORTER / "packaging"
RULES = [PACKAGING / "alerts" / name for name in ("tallyboard.rules.yml", "phases.rules.yml")]
VARIABLES = {"$job": ".+", "$instance": ".+", "$__rate_interval": "10s", "$__range": "1m"}
"""What Grafana would put in."""
METRIC = re.compile(r"\b(?:tallyboard_\w+|records_\w+_total|phase_seconds\w*)\b")
ON_EVENTS = {"tallyboard_board_unlinked_total", "tallyboard_family_overflows_total"}
"""What is shown from the first time on that it happens."""


def queries() -> Iterator[tuple[str, str]]:
    """The title of each panel of the dashboard, and its queries as Prometheus gets them."""
    dashboard = json.loads((PACKAGING / "grafana" / "tallyboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            assert "$" not in expression, f"{panel['title']}: a variable is left in {expression}"
            yield panel["title"], expression


def main() -> None:
    with scratch("monitoring") as folder:
        address = f"127.0.0.1:{free_port()}"
        demo = running(["tallyboard", "demo", "--web.listen-address", address], folder / "demo.log")
        with demo, Prometheus(folder, address, RULES) as prometheus:
            until(lambda: prometheus.vector("rate(records_grouped_total[10s]) > 0"), "the last phase to count")

            asked = 0
            for title, expression in queries():
                found = prometheus.vector(expression)
                assert found, f"{title}: nothing for {expression}"
                assert any(math.isfinite(value) for _, value in found), f"{title}: no number for {expression}"
                asked += 1
            assert asked > 20, f"the dashboard has {asked} queries"
            print(f"dashboard: {asked} queries, each with an answer", flush=True)

            until(lambda: all(rule["health"] != "unknown" for rule in prometheus.rules()), "each rule to be evaluated")
            rules = prometheus.rules()
            for rule in rules:
                assert rule["health"] == "ok", f"{rule['name']}: {rule.get('lastError')}"
                assert rule["state"] != "firing", f"{rule['name']} fires on a sound demo"
            named = {name for rule in rules for name in METRIC.findall(rule["query"])}
            assert len(named) > 10, named
            source = "".join(file.read_text() for file in (EXPORTER / "src").glob("self_metrics/**/*.rs"))
            for name in sorted(named):
                there = f'"{name}"' in source if name in ON_EVENTS else prometheus.vector(name)
                assert there, f"no rule can see {name}: the exporter does not have it"
            print(f"alerts: {len(rules)} rules evaluated, over {len(named)} metrics that are there", flush=True)


if __name__ == "__main__":
    main()
