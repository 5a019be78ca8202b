"""A PySpark job whose executors get the package from Spark, written as a user of Tallyboard would write it.

The metrics are declared here and used in a UDF, in pandas UDFs, in `mapPartitions` and in a stream. The executors'
Python is one that has no tallyboard: what they have is what `tallyboard.spark` brings.

Usage: executors_job.py FOLDER RECORDS EXPORTER REPORT. Writes a JSON report: what `check` says, first of executors
that the test breaks in six ways, then of sound ones.
"""

# Without postponed annotations: pandas_udf reads them.
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.functions import col, pandas_udf, udf
from pyspark.sql.types import LongType
from tallyboard import Counter, Histogram
from tallyboard import spark as tallyboard_spark

RECORDS = Counter("records_total", "Records worked on.", ["by"])
BATCH_RECORDS = Histogram("batch_records", "Records in a batch of pandas'.", ["by"], buckets=[1, 10, 100, 1000])
STREAM_BATCHES = Counter("stream_batches_total", "Batches of the stream that the driver was given.")
STREAMED = Counter("streamed_total", "Records of the stream.")


# Not deterministic as far as Spark may know: it evaluates other UDFs twice where it thinks that this is cheaper.
@udf(returnType=LongType())
def doubled(number: int) -> int:
    RECORDS.labels("udf").inc()
    return 2 * number


@pandas_udf(LongType())
def halved(numbers: pd.Series) -> pd.Series:
    RECORDS.labels("pandas_udf").inc(len(numbers))
    BATCH_RECORDS.labels("pandas_udf").observe(len(numbers))
    return numbers // 2


def even(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        RECORDS.labels("map_in_pandas").inc(len(batch))
        yield batch[batch.id % 2 == 0]


def squared(rows: Iterable[Row]) -> Iterator[int]:
    counter = RECORDS.labels(by="mapPartitions")
    for row in rows:
        counter.inc()
        yield row.id**2


@udf(returnType=LongType())
def streamed(line: str) -> int:
    STREAMED.inc()
    return int(line)


def on_batch(batch: DataFrame, _number: int) -> None:
    STREAM_BATCHES.inc()
    batch.write.format("noop").mode("append").save()


def compute(frame: DataFrame) -> None:
    for each in (doubled.asNondeterministic(), halved.asNondeterministic()):
        frame.select(each(col("id"))).write.format("noop").mode("overwrite").save()
    frame.mapInPandas(even, "id long").write.format("noop").mode("overwrite").save()
    frame.rdd.mapPartitions(squared).count()


def stream(spark: SparkSession, source: Path, checkpoint: Path) -> None:
    lines = spark.readStream.option("maxFilesPerTrigger", "1").text(str(source))
    numbers = lines.select(streamed.asNondeterministic()(col("value")))
    query = (
        numbers.writeStream.foreachBatch(on_batch)
        .option("checkpointLocation", str(checkpoint))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()


def main(folder: Path, records: int, exporter: str, report: Path) -> None:
    archive = tallyboard_spark.archive(folder / "tallyboard.zip")
    settings = tallyboard_spark.configuration(archive, TALLYBOARD=str(folder / "jobs.board"))
    spark = SparkSession.builder.config(map=settings).getOrCreate()

    checks = {}
    for way in ("package", "board", ""):
        # The test's own: the Python of the executors is a script that reads it.
        spark.sparkContext.environment["TEST_BROKEN"] = way
        checks[way] = [asdict(executor) for executor in tallyboard_spark.check(spark, exporter)]
    report.write_text(json.dumps(checks))

    compute(spark.range(records).repartition(6))
    stream(spark, folder / "stream", folder / "checkpoint")
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
