#!/usr/bin/env bash
# A Flask application with prometheus_client counts exactly on the board, unchanged, while its workers are replaced.
# Then the drop-in's tests run with the oldest prometheus_client that the package takes.
# Arguments are for tests/live/drop_in.py: --requests N --multiprocess-requests N.
set -euo pipefail
cd "$(dirname "$0")/.."
oldest=$(cd .. && realpath -m "${CARGO_TARGET_DIR:-target}")/prometheus_client-0.20.0
set -x
./with-venv.sh python -m live.drop_in "$@"
if [[ ! -d $oldest ]]; then
    ./with-venv.sh pip install --quiet --disable-pip-version-check --no-deps --target "$oldest.new" prometheus_client==0.20.0
    mv "$oldest.new" "$oldest"
fi
PYTHONPATH=$oldest ./with-venv.sh python -W error -c 'import importlib.metadata as found; assert found.version("prometheus_client") == "0.20.0"'
PYTHONPATH=$oldest ./with-venv.sh pytest -q -p no:cacheprovider --rootdir ../ffi/python ../ffi/python/tests/test_drop_in.py
