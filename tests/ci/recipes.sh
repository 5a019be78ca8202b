#!/usr/bin/env bash
# Counts are exact under gunicorn, uWSGI, uvicorn, Celery and multiprocessing while they recycle their workers and lose some.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh python -m recipes.run
