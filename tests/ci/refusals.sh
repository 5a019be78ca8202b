#!/usr/bin/env bash
# Bar 8: small filesystems, broken boards and other users' boards are refused in plain words.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.refusals
