#!/usr/bin/env bash
# `tallyboard textfile` feeds the textfile collector of a real node_exporter: each count, no torn file, ends well.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.textfile "$@"
