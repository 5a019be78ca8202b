#!/usr/bin/env bash
# Gauges over processes that die, in one PID namespace and in several.
# Arguments are for tests/live/gauges.py: --deaths N.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.gauges "$@"
