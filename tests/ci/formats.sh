#!/usr/bin/env bash
# A real Prometheus reads text, OpenMetrics and protobuf, escaped names and all, and has what was counted.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.formats
