#!/usr/bin/env bash
# Counts are exact among users, PID and mount namespaces that have nothing but a directory in common.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.namespaces
