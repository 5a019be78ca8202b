#!/usr/bin/env bash
# `tallyboard top` in a real tmux: numbers change, sort, filter, pages and resizing work, the terminal is given back.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.top "$@"
