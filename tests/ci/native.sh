#!/usr/bin/env bash
# Quantiles that a real Prometheus reads from native histograms are as exact as their buckets.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.native
