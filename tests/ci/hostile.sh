#!/usr/bin/env bash
# Bar 6 of robustness: truncated, overwritten and replaced boards harm neither the exporter nor what else it serves.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.hostile
