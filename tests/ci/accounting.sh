#!/usr/bin/env bash
# 24 processes of Python and Rust lose no increment, on either update path and on both at once.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.accounting
