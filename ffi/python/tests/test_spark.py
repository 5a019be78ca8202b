"""What is taken to executors. Real ones are in the repository's tests/spark."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tallyboard import spark


def test_the_archive_is_the_package_as_a_python_without_it_sees_it(tmp_path: Path) -> None:
    archive = spark.archive(tmp_path / "packed.zip")
    assert archive == str(tmp_path / "packed.zip")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "executor")
    program = """
from tallyboard import Counter, backend
counter = Counter("packed", "Counts.")
counter.inc()
print(counter.value(), counter.__class__.__module__, backend.__file__)
"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": "executor", "TALLYBOARD": "private"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == f"1.0 tallyboard.counter {tmp_path}/executor/tallyboard/backend.py\n"


def test_an_archive_that_spark_would_not_unpack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"should end in \.zip"):
        spark.archive(tmp_path / "packed.tar")


def test_the_configuration() -> None:
    assert spark.configuration("/tmp/a.zip", TALLYBOARD="jobs", TALLYBOARD_DIR="/run/jobs") == {
        "spark.archives": "/tmp/a.zip#tallyboard-package",
        "spark.executorEnv.PYTHONPATH": "tallyboard-package",
        "spark.executorEnv.TALLYBOARD": "jobs",
        "spark.executorEnv.TALLYBOARD_DIR": "/run/jobs",
    }
    assert spark.configuration() == {}
    with pytest.raises(ValueError, match="TALLYBORD is no variable"):
        spark.configuration(TALLYBORD="jobs")


def test_spark_connect_is_told_what_to_do() -> None:
    class Session:
        """Has what a session of Spark Connect has: no context."""

    with pytest.raises(TypeError, match="in the driver's program"):
        spark.check(Session())
