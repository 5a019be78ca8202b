#!/usr/bin/env bash
# `inc`, `labels` and `observe` through ctypes against the multiprocess mode of prometheus_client, in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python ../benches/python_client.py --min-inc 2.5 --min-labels 1.5 --min-observe 2.5
