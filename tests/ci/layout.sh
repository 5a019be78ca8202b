#!/usr/bin/env bash
# A reader written from LAYOUT.md alone agrees with dump --json on every value of a live board.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m layout.compare
