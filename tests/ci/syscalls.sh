#!/usr/bin/env bash
# Bar 4: updates make no syscalls, counted by strace.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.syscalls
