#!/usr/bin/env bash
# promtool and prometheus_client's parsers read back what was counted, whatever the labels hold.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.exposition
