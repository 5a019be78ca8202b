#!/usr/bin/env bash
# The page at / in a real Chromium: live, searchable, by keyboard, asks nobody else; also with 100,000 series.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.page
