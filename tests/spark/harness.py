"""Runs the PySpark job against `tallyboard serve` and a real Prometheus, and holds Prometheus to the exact counts.

The exporter is stopped and started again in the middle of the job. With `--kills N`, N Python workers are killed
with SIGKILL in the middle of a task, evenly over the phases; then a counter must lie between what the workers' own
ledgers say was done and what they say was begun. Without it, every record was counted exactly once.

Usage: python -m spark.harness [--records N] [--tasks N] [--kills N]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pyspark

from rig.command import assert_sound
from rig.exporter import Exporter
from rig.processes import running, session_members, state_of, until
from rig.prometheus import Prometheus
from rig.scratch import scratch
from spark import ledger
from spark.ledger import PHASES

COUNTERS = {
    "loading": "records_loaded_total",
    "projecting": "records_projected_total",
    "linking": "records_linked_total",
    "grouping": "records_grouped_total",
}
"""The counter of each phase."""
SLACK_SECONDS = 0.1
"""How long before the exporter stopped a scrape that found it gone may have begun."""

DECLARED_LABELS: dict[str, set[str]] = {
    **{counter: set() for counter in COUNTERS.values()},
    "phase_seconds_bucket": {"phase", "le"},
    "phase_seconds_count": {"phase"},
    "phase_seconds_sum": {"phase"},
}
"""The label names that the job declares, by sample."""


def write_records(file: Path, records: int) -> None:
    """The job's input: a number, a product and an amount in each line."""
    chance = random.Random(records)
    with file.open("w") as lines:
        for number in range(records):
            lines.write(f"{number},product-{chance.randrange(5000):04}, {chance.random() * 100:.4f}\n")


def spark_home(folder: Path) -> Path:
    """A Spark home of the test's own: executors keep their work folders in it, not among the Python packages."""
    home = folder / "spark-home"
    home.mkdir()
    for entry in Path(pyspark.__file__).parent.iterdir():
        if entry.name != "work":
            (home / entry.name).symlink_to(entry)
    return home


def spark_environment(folder: Path, board: Path, ledgers: Path, kills: int) -> dict[str, str]:
    """What the driver gets, and the executors and workers inherit."""
    properties = {
        "spark.master": "local-cluster[2,2,1024]",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(folder),
        # A worker that the test kills fails its task; the job must outlive all of them, and nothing else.
        "spark.task.maxFailures": str(kills + 1),
        # A second copy of a slow task would count its records twice.
        "spark.speculation": "false",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Python's own rows and not Arrow's, so that the workers need no pyarrow.
        "spark.sql.execution.pythonUDF.arrow.enabled": "false",
    }
    settings = " ".join(f"--conf {name}={value}" for name, value in properties.items())
    return {
        "SPARK_HOME": str(spark_home(folder)),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": f"{settings} pyspark-shell",
        "TALLYBOARD": str(board),
        ledger.FOLDER_VARIABLE: str(ledgers),
    }


class Killer(threading.Thread):
    """Kills workers in the middle of a record, on the job's progress and not on a clock.

    The k-th of a phase's kills is due when the phase has begun k/(2n+2) of its records: the second half is left to
    make up for looks that found nobody in the middle of a record. Victims are the workers whose ledger moved between
    two looks, in an order drawn anew each time. Each is stopped first: if its ledger then has a record that is begun
    and not done, it is killed, else it goes on and the next one is tried.
    """

    def __init__(self, ledgers: Path, kills: int, records: int, leader: int) -> None:
        super().__init__(daemon=True)
        self._ledgers = ledgers
        self._records = records
        self._leader = leader
        self._per_phase = -(-kills // len(PHASES))
        self._chance = random.Random()
        self.killed = dict.fromkeys(PHASES, 0)
        self.finish = threading.Event()

    def run(self) -> None:
        before: dict[int, int] = {}
        while not self.finish.wait(0.01):
            accounts = ledger.accounts(self._ledgers)
            now = {account.pid: sum(account.begun.values()) for account in accounts}
            at_work = [account for account in accounts if now[account.pid] > before.get(account.pid, 0)]
            before = now
            for phase in PHASES:
                begun = sum(account.begun[phase] for account in accounts)
                due = (self.killed[phase] + 1) * self._records // (2 * self._per_phase + 2)
                if self.killed[phase] < self._per_phase and due <= begun:
                    victims = self._chance.sample(at_work, len(at_work))
                    self.killed[phase] += any(self._kill(victim, phase) for victim in victims)

    def _kill(self, victim: ledger.Account, phase: str) -> bool:
        """Whether it was killed, in the middle of a record of this phase."""
        # The pid comes from a ledger; the session shows that it still is a process of this very job.
        if victim.pid not in session_members(self._leader):
            return False
        with suppress(ProcessLookupError):
            os.kill(victim.pid, signal.SIGSTOP)
            # It stands still within microseconds, and a phase may be over in a second.
            until(lambda: state_of(victim.pid) in "TZX", "a worker to stand still", pause_seconds=0.0005)
            stopped = ledger.Account(victim.file)
            in_the_middle = stopped.begun[phase] > stopped.done[phase]
            os.kill(victim.pid, signal.SIGKILL if in_the_middle else signal.SIGCONT)
            return in_the_middle
        return False


def restart_in_the_middle(
    exporter: Exporter, prometheus: Prometheus, ledgers: Path, job: subprocess.Popen[str], records: int
) -> tuple[float, float]:
    """Stops the exporter while records are loaded and starts it again when they are being linked.

    Returns when it began to stop and when it was ready again, in Unix seconds.
    """

    def done(phase: str) -> int:
        assert job.poll() is None, f"the job ended before {phase} was far enough"
        return sum(account.done[phase] for account in ledger.accounts(ledgers))

    until(lambda: done("loading") > records / 4, "a quarter of the records to be loaded", 180)
    stopped = exporter.stop()
    until(lambda: prometheus.scalar("up") == 0, "Prometheus to notice that the exporter is down")
    until(lambda: done("linking") > records / 4, "a quarter of the records to be linked", 180)
    return stopped, exporter.start()


def check_counts(prometheus: Prometheus, accounts: list[ledger.Account], counts: dict[str, int], exact: bool) -> None:
    """Compares Prometheus with the ledgers and with the job's own result. `exact`: nothing may have been done twice."""
    for phase, counter in COUNTERS.items():
        begun = sum(account.begun[phase] for account in accounts)
        done = sum(account.done[phase] for account in accounts)
        counted = prometheus.scalar(f"sum({counter})")
        timed = prometheus.scalar(f'sum(phase_seconds_count{{phase="{phase}"}})')
        resets = prometheus.scalar(f"max(resets({counter}[1h]))")
        print(
            f"{counter}: records {counts[phase]}, done {done} <= counter {counted:.0f}, timed {timed:.0f}"
            f" <= begun {begun}, resets {resets:.0f}"
        )
        assert resets == 0, f"{counter} went down"
        assert done <= counted <= begun, f"{counter} lies outside of what the workers did"
        assert done <= timed <= begun, f"phase_seconds of {phase} lies outside of what the workers did"
        assert counts[phase] <= done, f"{phase} lost records of the job itself"
        assert not exact or counted == timed == counts[phase], f"{counter} is not the number of records processed"
    assert prometheus.scalar('max(resets({__name__=~"phase_seconds_(bucket|count)"}[1h]))') == 0, "a bucket went down"


def check_labels(prometheus: Prometheus, accounts: list[ledger.Account]) -> None:
    """No series names a process, and those of the job have the labels that it declared."""
    workers = {str(account.pid) for account in accounts}
    for labels in prometheus.label_sets('{job="tallyboard"}'):
        sample = labels.pop("__name__")
        assert not workers & set(labels.values()), f"{sample} names a worker's process: {labels}"
        assert not {"pid", "process", "worker"} & set(labels), f"{sample} has a label for processes: {labels}"
        if sample in DECLARED_LABELS:
            assert set(labels) == DECLARED_LABELS[sample] | {"job", "instance"}, f"{sample} has labels {labels}"
    print(f"no label names a process, though {len(workers)} workers counted")


def check_scrapes(prometheus: Prometheus, stopped: float, ready: float) -> None:
    """Scrapes failed while the exporter was down, and at no other time."""
    scrapes = prometheus.samples('up{job="tallyboard"}')
    failed = [moment for moment, up in scrapes if up == 0]
    print(f"{len(scrapes)} scrapes, {len(failed)} failed; the exporter was down for {ready - stopped:.1f} s")
    assert failed, "the exporter was never seen down"
    # A scrape bears the time when it began, in whole milliseconds: one that began just before the stop may have come
    # to the door just after it.
    unexpected = [moment for moment in failed if not stopped - SLACK_SECONDS <= moment <= ready]
    assert not unexpected, f"scrapes failed at {unexpected}, but the exporter was down from {stopped} to {ready}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=240_000)
    arguments.add_argument("--tasks", type=int, default=64)
    arguments.add_argument("--kills", type=int, default=0)
    options = arguments.parse_args()

    with scratch("spark") as folder:
        board, records, ledgers = folder / "spark.board", folder / "records.csv", folder / "ledgers"
        ledgers.mkdir()
        write_records(records, options.records)
        job_log, output = folder / "job.log", folder / "job.json"
        script = Path(__file__).with_name("job.py")
        command = [sys.executable, str(script), str(records), str(options.tasks), str(output)]
        with Exporter(board, folder / "exporter.log") as exporter:
            exporter.start()
            environment = spark_environment(folder, board, ledgers, options.kills)
            with Prometheus(folder, exporter.address) as prometheus, running(command, job_log, environment) as job:
                killer = Killer(ledgers, options.kills, options.records, job.pid)
                if options.kills:
                    killer.start()
                try:
                    down = restart_in_the_middle(exporter, prometheus, ledgers, job, options.records)
                    until(lambda: job.poll() is not None, "the job to end", 600)
                finally:
                    killer.finish.set()
                    if job.returncode != 0:
                        print(f"the job's last words:\n{job_log.read_text()[-4000:]}", file=sys.stderr)
                assert job.returncode == 0, f"the job exited {job.returncode}"
                prometheus.wait_for_scrape_after(time.time())

                report = json.loads(output.read_text())
                counts = report["counts"]
                assert set(counts.values()) == {options.records}, f"the job itself lost records: {counts}"
                killed = sum(killer.killed.values())
                print(f"workers killed in mid-task: {killed}, tasks that failed: {report['failed_tasks']}")
                accounts = ledger.accounts(ledgers)
                check_counts(prometheus, accounts, counts, exact=options.kills == 0)
                check_labels(prometheus, accounts)
                check_scrapes(prometheus, *down)
                assert killed >= options.kills, f"only {killed} workers were killed"
                assert report["failed_tasks"] == killed, "a task failed for another reason, or a kill was not in a task"
        assert_sound(board)


if __name__ == "__main__":
    main()
