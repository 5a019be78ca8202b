#!/usr/bin/env bash
# An update's cost as a ratio to a bare fetch_add, as users gate it in their own CI.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.bench_gate
