#!/usr/bin/env bash
# Updates make no syscalls, counted by strace.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.syscalls
