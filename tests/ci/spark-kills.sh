#!/usr/bin/env bash
# Bar 2: the same while 24 of the job's Python workers are killed in the middle of a task.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m spark.harness --kills 24
