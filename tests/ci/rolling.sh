#!/usr/bin/env bash
# A deploy that changes a histogram's buckets loses, refuses and breaks nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.rolling
