#!/usr/bin/env bash
# CPU time and memory of worker processes that are killed: never falls, within what the kernel says, and only theirs.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.workers "$@"
