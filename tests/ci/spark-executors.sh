#!/usr/bin/env bash
# Spark brings the package to executors that lack it, counts there are exact, and a check says what is wrong on which.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m spark.executors
