#!/usr/bin/env bash
# A PySpark job's counters are exact while 24 of its Python workers are killed in the middle of a task.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m spark.harness --kills 24
