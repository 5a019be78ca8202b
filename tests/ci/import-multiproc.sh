#!/usr/bin/env bash
# What prometheus_client's files say in multiprocess mode, the exporter shows after `import-multiproc`, counted once.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m live.import_multiproc
