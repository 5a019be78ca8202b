#!/usr/bin/env bash
# `tallyboard demo` serves growing counters while workers die, and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.demo
