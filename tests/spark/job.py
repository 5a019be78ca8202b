"""A PySpark job that counts the records it works on, written as a user of Tallyboard would write it.

The metrics are declared here, at the top of the driver script, and used in a lambda, in a `mapPartitions`, in a
UDF and in an aggregation. Nothing is set up in the workers. `ledger` is the test's own bookkeeping.

Usage: job.py RECORDS TASKS REPORT. Writes a JSON report: the records that came out of each phase, and how many
tasks failed, as Spark tells.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import ledger
from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
from pyspark.sql.types import IntegerType
from tallyboard import Counter, Histogram

RECORDS_LOADED = Counter("records_loaded_total", "Records read from the file and parsed.")
RECORDS_PROJECTED = Counter("records_projected_total", "Records cut down to the fields that are needed.")
RECORDS_LINKED = Counter("records_linked_total", "Records linked to their category.")
RECORDS_GROUPED = Counter("records_grouped_total", "Records added to their group.")
PHASE_SECONDS = Histogram("phase_seconds", "Time one record took in a phase.", ["phase"])

CATEGORIES = 50
T = TypeVar("T")
R = TypeVar("R")


def parse(line: str) -> tuple[int, str, float]:
    number, product, amount = line.split(",")
    return int(number), product, float(amount)


def in_phase(phase: str, counter: Counter, work: Callable[[T], R], record: T) -> R:
    with ledger.entry(phase), PHASE_SECONDS.labels(phase).time():
        result = work(record)
        counter.inc()
    return result


def project(records: Iterator[tuple[int, str, float]]) -> Iterator[tuple[str, float]]:
    seconds = PHASE_SECONDS.labels(phase="projecting")
    for _number, product, amount in records:
        with ledger.entry("projecting"), seconds.time():
            projected = product.strip(), round(amount, 2)
            RECORDS_PROJECTED.inc()
        yield projected


# Not deterministic as far as Spark may know: it evaluates other UDFs twice where it thinks that this is cheaper.
@udf(returnType=IntegerType())
def category(product: str) -> int:
    with ledger.entry("linking"), PHASE_SECONDS.labels("linking").time():
        RECORDS_LINKED.inc()
        return hashlib.sha256(product.encode()).digest()[0] % CATEGORIES


def add_to_group(group: tuple[int, float], amount: float) -> tuple[int, float]:
    with ledger.entry("grouping"), PHASE_SECONDS.labels("grouping").time():
        RECORDS_GROUPED.inc()
        return group[0] + 1, group[1] + amount


def main(records: str, tasks: int, report: str) -> None:
    spark = SparkSession.builder.getOrCreate()
    context = spark.sparkContext
    context.addPyFile(str(Path(__file__).with_name("ledger.py")))

    # Every phase is kept once it is computed, and an action ends it, so that no record goes through a phase twice.
    lines = context.textFile(records, tasks)
    loaded = lines.map(lambda line: in_phase("loading", RECORDS_LOADED, parse, line))
    loaded.persist(StorageLevel.MEMORY_AND_DISK)
    counts = {"loading": loaded.count()}
    projected = loaded.mapPartitions(project).persist(StorageLevel.MEMORY_AND_DISK)
    counts["projecting"] = projected.count()
    frame = spark.createDataFrame(projected, "product string, amount double")
    linked = frame.withColumn("category", category.asNondeterministic()("product")).persist()
    counts["linking"] = linked.count()
    groups = linked.rdd.map(lambda row: (row.category, row.amount)).aggregateByKey(
        (0, 0.0), add_to_group, lambda one, other: (one[0] + other[0], one[1] + other[1]), numPartitions=8
    )
    counts["grouping"] = sum(size for _category, (size, _amount) in groups.collect())

    tracker = context.statusTracker()
    stages = [stage for job in tracker.getJobIdsForGroup() for stage in tracker.getJobInfo(job).stageIds]
    failed = sum(info.numFailedTasks for stage in stages if (info := tracker.getStageInfo(stage)))
    spark.stop()
    Path(report).write_text(json.dumps({"counts": counts, "failed_tasks": failed}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
