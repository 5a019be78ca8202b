#!/usr/bin/env bash
# The Python package, installed as a user installs it, does what its own tests say: natively, and by ctypes.
set -euo pipefail
cd "$(dirname "$0")/.."
tests=(pytest -q -p no:cacheprovider --rootdir ../ffi/python ../ffi/python/tests)
set -x
# An error where there is no accelerator: what follows would not show that it counts.
TALLYBOARD_BACKEND=native ./with-venv.sh python -W error -c "import tallyboard"
./with-venv.sh "${tests[@]}"
# Building is the same for both.
TALLYBOARD_BACKEND=ctypes ./with-venv.sh "${tests[@]}" --ignore ../ffi/python/tests/test_setup.py
