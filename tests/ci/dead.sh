#!/usr/bin/env bash
# 10,000 processes that are dead behind a board do not slow its scrapes.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.dead --max-ratio 1.1
