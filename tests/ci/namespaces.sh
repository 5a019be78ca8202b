#!/usr/bin/env bash
# Bar 6 of the exporter: users, PIDs and mounts of their own for everybody, one directory in common: exact.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.namespaces
