#!/usr/bin/env bash
# 200 scrapers, 20 slow readers and 1,000 silent connections at once, and everybody who asks is served.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.crowd
