#!/usr/bin/env bash
# mypy --strict and pyright see the same types in tallyboard as in prometheus_client, and remark on nothing in its use.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m typed.check
