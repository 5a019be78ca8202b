#!/usr/bin/env bash
# A PySpark job's counters are exact in Prometheus, through a restart of the exporter.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m spark.harness
