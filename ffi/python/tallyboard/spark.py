"""Spark: the package on every executor, and a check that says what is wrong on which.

Counting needs nothing of this: a metric that is declared in the driver script and used in a
function that runs elsewhere counts there, on the board of that machine. The executors' Python has
to have the package, and an exporter has to run beside them.

Where the package cannot be installed on the machines, Spark brings it::

    from tallyboard import spark as tallyboard_spark

    archive = tallyboard_spark.archive("/tmp/tallyboard.zip")
    settings = tallyboard_spark.configuration(archive, TALLYBOARD="jobs")
    spark = SparkSession.builder.config(map=settings).getOrCreate()
    for executor in tallyboard_spark.check(spark):
        print(executor)
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from . import __version__, lowlevel, spark_probe

EXPORTER = "http://localhost:10777/metrics"
"""Where `tallyboard serve` answers if it is not told otherwise."""

_FOLDER = "tallyboard-package"

# How long each task holds its place in a round, so that the next ones go to other executors.
_ROUNDS_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Executor:
    """What `check` found on one executor. As text it is one line, with a line for each problem."""

    host: str
    id: str
    """Spark's; 'driver' where tasks run in the driver (`local[…]`)."""
    user: int
    """The user id that its Python workers have."""
    python: str
    """The version of its Python."""
    version: str | None
    """The version of the package; None where there is none."""
    backend: str | None
    """'native' or 'ctypes'."""
    board: str | None
    """The board's file; None where there is none."""
    problems: tuple[str, ...]
    """What is wrong and what to do; empty: it counts, and the exporter shows it."""

    def __str__(self) -> str:
        state = f"counts on {self.board} ({self.backend})" if self.board else "does not count"
        head = f"executor {self.id} on {self.host}, user {self.user}: {state}"
        return "\n  ".join((head, *self.problems))


def archive(path: str | os.PathLike[str]) -> str:
    """Writes this package, as it is installed here, into a zip for `--archives`; returns its path.

    It serves executors of the same processor and any Python that the package supports. Not for
    `--py-files`: Python cannot load a library from within a zip.

    Errors: `ValueError` for a path that does not end in `.zip`, by which Spark knows what to do
    with it; `lowlevel.LibraryUnusable` where the package here has no library to take along;
    `OSError`.
    """
    file = Path(path)
    if file.suffix != ".zip":
        raise ValueError(f"{file} should end in .zip: Spark unpacks by the name")
    package = Path(__file__).parent
    if not list(package.glob("*.so")):
        raise lowlevel.LibraryUnusable(
            f"there is no library in {package}: make the archive on the executors' system, with "
            "the package of its wheel"
        )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for each in sorted(package.rglob("*")):
            if each.is_file() and "__pycache__" not in each.parts:
                packed.write(each, each.relative_to(package.parent))
    return str(file)


def configuration(archive: str | None = None, **environment: str) -> dict[str, str]:
    """Spark's settings for the executors: for `SparkSession.builder.config(map=…)` or `--conf`.

    `archive` is what `archive()` has written, or the same on a filesystem that all machines reach;
    None where they have the package. `environment` is what the executors get of this package's
    variables, as `TALLYBOARD="jobs"`; they do not get the driver's.

    A job that has settings of these names has to join them: `spark.archives` by a comma,
    `spark.executorEnv.PYTHONPATH` by a colon.

    Errors: `ValueError` for a variable that is none of this package's.
    """
    settings = {}
    if archive is not None:
        settings["spark.archives"] = f"{archive}#{_FOLDER}"
        # Relative: executors and their workers run in the folder that archives are unpacked in.
        settings["spark.executorEnv.PYTHONPATH"] = _FOLDER
    for name, value in environment.items():
        if name != "TALLYBOARD" and not name.startswith("TALLYBOARD_"):
            raise ValueError(f"{name} is no variable of tallyboard's: they begin with TALLYBOARD")
        settings[f"spark.executorEnv.{name}"] = value
    return settings


def check(spark: Any, exporter: str | None = EXPORTER) -> list[Executor]:
    """Runs a small task on every executor and says what each counts on and what is wrong there.

    The task counts into a series of its own, looks for it in what `exporter` shows, and removes it.
    `exporter` is the address of `tallyboard serve` as it is seen from an executor; None: it is not
    asked for.

    Cost: a job of some tasks for each core, and more of them, for some seconds, where other
    jobs keep executors busy. An executor that no task could reach is told of at the end.

    Errors: `TypeError` for a session of Spark Connect, which does not tell its executors; what
    Spark raises where it cannot run a job.
    """
    context = getattr(spark, "_sc", None)
    if context is None:
        raise TypeError("Spark Connect does not tell its executors: check in the driver's program")
    # The driver is among them. With local[…] it is the only one, and is the executor.
    expected = max(len(context._jsc.sc().statusTracker().getExecutorInfos()) - 1, 1)
    tasks = 2 * max(context.defaultParallelism, expected)
    found: dict[tuple[str, int], Executor] = {}
    # By value: the executors may not have this package.
    cloudpickle: Any = import_module("pyspark.cloudpickle")
    cloudpickle.register_pickle_by_value(spark_probe)
    try:
        for hold_seconds in _ROUNDS_SECONDS:
            probe = spark_probe.Probe(__version__, exporter, hold_seconds)
            for report in context.parallelize(range(tasks), tasks).map(probe).collect():
                process = report.pop("process")
                found[report["host"], process] = Executor(**report)
            if len(found) >= expected:
                break
    finally:
        cloudpickle.unregister_pickle_by_value(spark_probe)
    executors = sorted(found.values(), key=lambda each: (each.host, each.id))
    if len(found) < expected:
        executors.append(_unreached(expected - len(found)))
    return executors


def _unreached(executors: int) -> Executor:
    problem = (
        f"no task reached {executors} more: they are busy or lost; check again when they are idle"
    )
    return Executor("?", "?", -1, "", None, None, None, (problem,))
