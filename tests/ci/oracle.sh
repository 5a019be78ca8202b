#!/usr/bin/env bash
# 500 boards by chance, in every format and escaping scheme, are read back exactly by others' parsers.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m oracle
