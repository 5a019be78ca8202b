"""Runs a job on executors whose Python has no tallyboard, and holds `tallyboard.spark` to what it says of them.

Usage: python -m spark.executors [--records N]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import tallyboard

from rig.command import Series, assert_sound, parse
from rig.exporter import Exporter
from rig.processes import running, until
from rig.scratch import scratch
from spark.harness import spark_home

EXECUTORS = 3
STREAM_FILES = 3

# What an executor runs in the place of Python. Its number is the name of the folder that it works in.
PYTHON = """#!/bin/sh
without() {{ echo "$PYTHONPATH" | tr : '\\n' | grep -v tallyboard-package | tr '\\n' :; }}
case $TEST_BROKEN-${{PWD##*/}} in
    package-0) export PYTHONPATH="$(without)" ;;
    package-1) export PYTHONPATH="{folder}/other:$PYTHONPATH" ;;
    package-2) export TALLYBOARD=off ;;
    board-0) export TALLYBOARD=private ;;
    board-1) export TALLYBOARD={folder}/open/foreign.board ;;
    board-2) export TALLYBOARD={folder}/elsewhere.board ;;
esac
exec {python} "$@"
"""

BROKEN = {
    ("package", "0"): "the package is missing: No module named 'tallyboard'",
    ("package", "1"): "the package is 0.0.7 from",
    ("package", "2"): "TALLYBOARD is off",
    ("board", "0"): "TALLYBOARD is private",
    ("board", "1"): "there is no board: ",
    ("board", "2"): "jobs.board; let it serve that file",
}
"""What is to be said of an executor, by the way in which it is broken and its number."""


def python_without_tallyboard(folder: Path) -> Path:
    """A Python with everything that this one has, except the package."""
    environment = folder / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    (packages,) = environment.glob("lib/python3*/site-packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "tallyboard" not in entry.name:
            (packages / entry.name).symlink_to(entry)
    return environment / "bin" / "python"


def prepare(folder: Path, records: int) -> dict[str, str]:
    """Writes what the job works on, and returns the environment of its driver."""
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    package = folder / "other" / "tallyboard"
    shutil.copytree(Path(tallyboard.__file__).parent, package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    init = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text(init.replace(f'"{tallyboard.__version__}"', '"0.0.7"'))
    stream = folder / "stream"
    stream.mkdir()
    for number in range(STREAM_FILES):
        (stream / f"{number}.txt").write_text("".join(f"{line}\n" for line in range(records)))
    script = folder / "executor-python"
    script.write_text(PYTHON.format(folder=folder, python=python_without_tallyboard(folder)))
    script.chmod(0o755)
    java = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    properties = {
        "spark.master": f"local-cluster[{EXECUTORS},1,512]",
        "spark.executor.memory": "512m",
        "spark.executor.extraJavaOptions": f"'{java}'",
        "spark.driver.extraJavaOptions": f"'{java}'",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(folder),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.speculation": "false",
        "spark.sql.shuffle.partitions": "3",
    }
    settings = " ".join(f"--conf {name}={value}" for name, value in properties.items())
    return {
        "SPARK_HOME": str(spark_home(folder)),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": str(script),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": f"{settings} pyspark-shell",
        "TALLYBOARD": str(folder / "jobs.board"),
    }


def check_broken(report: dict[str, list[dict[str, object]]]) -> None:
    for (way, number), words in BROKEN.items():
        (executor,) = [each for each in report[way] if each["id"] == number]
        (problem,) = executor["problems"]
        print(f"executor {number}: {problem}")
        assert words in problem, f"executor {number} should say: {words}"


def check_sound(executors: list[dict[str, object]], board: Path) -> None:
    assert [each["id"] for each in executors] == [str(number) for number in range(EXECUTORS)], executors
    for each in executors:
        assert each["problems"] == [], each
        assert each["board"] == str(board), each
        assert each["version"] == tallyboard.__version__, each
        assert each["user"] == os.geteuid(), each
    backends = {each["backend"] for each in executors}
    print(f"{len(executors)} sound executors count on one board, by {', '.join(map(str, backends))}")


def check_counts(samples: dict[Series, float], records: int) -> None:
    def sample(name: str, **labels: str) -> float:
        return samples[name, frozenset(labels.items())]

    for by in ("udf", "pandas_udf", "map_in_pandas", "mapPartitions"):
        counted = sample("records_total", by=by)
        print(f"{by}: {records} records, {counted:.0f} counted")
        assert counted == records, f"{by} is not exact"
    assert sample("batch_records_sum", by="pandas_udf") == records
    assert sample("streamed_total") == STREAM_FILES * records, "the stream's records are not exact"
    assert sample("stream_batches_total") == STREAM_FILES, "the stream's batches are not exact"
    assert not [name for name, _ in samples if name.startswith("tallyboard_spark_check")], "the check left a series"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=20_000)
    options = arguments.parse_args()
    with scratch("spark-executors") as folder:
        board, log, report = folder / "jobs.board", folder / "job.log", folder / "report.json"
        environment = prepare(folder, options.records)
        with Exporter(board, folder / "exporter.log") as exporter:
            exporter.start()
            script = Path(__file__).with_name("executors_job.py")
            command = [sys.executable, str(script), str(folder), str(options.records), exporter.url, str(report)]
            with running(command, log, environment) as job:
                until(lambda: job.poll() is not None, "the job to end", 300)
                if job.returncode != 0:
                    print(f"the job's last words:\n{log.read_text()[-6000:]}", file=sys.stderr)
            assert job.returncode == 0, f"the job exited {job.returncode}"
            checks = json.loads(report.read_text())
            check_broken(checks)
            check_sound(checks[""], board)
            check_counts(parse(exporter.scrape()), options.records)
        assert_sound(board)


if __name__ == "__main__":
    main()
