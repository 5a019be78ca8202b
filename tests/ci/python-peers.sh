#!/usr/bin/env bash
# Updates natively, by ctypes and by the drop-in against both modes of prometheus_client, in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python ../benches/python_client.py --min-inc 12 --min-observe 20 --min-labels 8 --min-ctypes-inc 2.5 \
    --min-dropin-inc 1
