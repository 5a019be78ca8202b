#!/usr/bin/env bash
# The Python wheel asks for glibc 2.17 and no more; installed without Rust, the README's example counts and is served.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.wheels "$@"
