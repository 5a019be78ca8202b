#!/usr/bin/env bash
# Issue 4, bar 1: a real Prometheus reads text, OpenMetrics and protobuf, escaped names and all, and has what was counted.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.formats
