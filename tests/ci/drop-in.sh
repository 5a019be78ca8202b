#!/usr/bin/env bash
# A Flask application with prometheus_client counts exactly on the board, unchanged, while its workers are replaced.
# Arguments are for tests/live/drop_in.py: --requests N --multiprocess-requests N.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.drop_in "$@"
