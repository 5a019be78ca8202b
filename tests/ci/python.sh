#!/usr/bin/env bash
# The Python package, installed as a user installs it, does what its own tests say.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
./with-venv.sh pytest -q -p no:cacheprovider --rootdir ../ffi/python ../ffi/python/tests
