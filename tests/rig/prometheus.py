"""A real Prometheus server, with a storage of its own, that scrapes every second or so."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rig.exporter import answers, free_port
from rig.processes import running, until

CONFIGURATION = """\
global:
  scrape_interval: {seconds}s
  scrape_timeout: {seconds}s
  evaluation_interval: 1s
rule_files: {rules}
scrape_configs:
  - job_name: tallyboard
    honor_labels: {honor_labels}
    static_configs: {targets}
"""


class Prometheus:
    """Runs from the start of a `with` block to its end. `rules` are files that it evaluates every second.

    It scrapes one exporter, or several: each with the labels that its series get, and `honor_labels` then says that
    those of the exporter's own go before them. Each is scraped every so many seconds.
    """

    def __init__(
        self,
        folder: Path,
        target: str | Sequence[tuple[str, Mapping[str, str]]],
        rules: Sequence[Path] = (),
        features: Sequence[str] = (),
        seconds: int = 1,
    ) -> None:
        self._folder = folder
        self._features = features
        self._seconds = seconds
        self._honor_labels = not isinstance(target, str)
        targets = [(target, {})] if isinstance(target, str) else target
        self._targets = [{"targets": [address], "labels": dict(labels)} for address, labels in targets]
        self._rules = [str(file) for file in rules]
        self._url = ""
        self._running = ExitStack()

    def __enter__(self) -> Prometheus:
        configuration = self._folder / "prometheus.yml"
        configuration.write_text(
            CONFIGURATION.format(
                seconds=self._seconds,
                rules=json.dumps(self._rules),
                honor_labels=json.dumps(self._honor_labels),
                targets=json.dumps(self._targets),
            )
        )
        address = f"127.0.0.1:{free_port()}"
        self._url = f"http://{address}"
        log = self._folder / "prometheus.log"
        command = ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={self._folder / 'prometheus'}"]
        command += [f"--web.listen-address={address}", "--log.level=warn"]
        command += [f"--enable-feature={feature}" for feature in self._features]
        process = self._running.enter_context(running(command, log))

        def ready() -> bool:
            assert process.poll() is None, f"prometheus exited {process.returncode}: {log.read_text()}"
            return answers(f"{self._url}/-/ready")

        try:
            until(ready, "prometheus to be ready")
            until(lambda: self.vector("up == 1"), "the first scrape")
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _ask(self, path: str, **parameters: str) -> Any:
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as response:
            answer = json.load(response)
        assert answer["status"] == "success", answer
        return answer["data"]

    def instant(self, expression: str) -> list[dict[str, Any]]:
        """All that an instant query finds now, native histograms among it, as the API has it."""
        found: list[dict[str, Any]] = self._ask("query", query=expression)["result"]
        return found

    def targets(self) -> list[dict[str, Any]]:
        """Whom it scrapes, and how that went the last time."""
        found: list[dict[str, Any]] = self._ask("targets", state="active")["activeTargets"]
        return found

    def metadata(self) -> list[dict[str, Any]]:
        """Type, help and unit of each family of each target."""
        found: list[dict[str, Any]] = self._ask("targets/metadata")
        return found

    def vector(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each series that an instant query finds now."""
        return [(found["metric"], float(found["value"][1])) for found in self.instant(expression)]

    def scalar(self, expression: str) -> float:
        """The value of a query with one answer."""
        found = self.vector(expression)
        assert len(found) == 1, f"{expression} has {len(found)} answers"
        return found[0][1]

    def samples(self, selector: str) -> list[tuple[float, float]]:
        """Each sample of the one series that `selector` names in the last hour: its time in Unix seconds, its value."""
        found = self._ask("query", query=f"{selector}[1h]")["result"]
        assert len(found) == 1, f"{selector} names {len(found)} series"
        return [(time, float(value)) for time, value in found[0]["values"]]

    def label_sets(self, selector: str) -> list[dict[str, str]]:
        """The labels of every series there ever was."""
        found: list[dict[str, str]] = self._ask("series", **{"match[]": selector})
        return found

    def exemplars(self, selector: str) -> list[tuple[dict[str, str], dict[str, str], float]]:
        """Each exemplar of the last minute: the labels of its series, its own, and its value."""
        now = time.time()
        return [
            (found["seriesLabels"], exemplar["labels"], float(exemplar["value"]))
            for found in self._ask("query_exemplars", query=selector, start=str(now - 60), end=str(now + 60))
            for exemplar in found["exemplars"]
        ]

    def rules(self) -> list[dict[str, Any]]:
        """The rules that it evaluates, with what became of each."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def wait_for_scrape_after(self, moment: float) -> None:
        """Returns when a scrape that began after `moment` (Unix seconds) has been stored."""

        until(lambda: self.vector(f"timestamp(up == 1) > {moment}"), "one more scrape")
