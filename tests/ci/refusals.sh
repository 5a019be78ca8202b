#!/usr/bin/env bash
# Small filesystems, broken boards and other users' boards are refused in plain words.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.refusals
