#!/usr/bin/env bash
# The Python package, installed as a user installs it, does what its own tests say: natively, and by ctypes.
set -euo pipefail
cd "$(dirname "$0")/.."
tests=(pytest -q -p no:cacheprovider --rootdir ../ffi/python)
# Apart: each test of the suite reads the whole board, which the others have filled.
suite=../ffi/python/tests/suite
others=(../ffi/python/tests --ignore "$suite")
set -x
# An error where there is no accelerator: what follows would not show that it counts.
TALLYBOARD_BACKEND=native ./with-venv.sh python -W error -c "import tallyboard"
./with-venv.sh "${tests[@]}" "${others[@]}"
./with-venv.sh "${tests[@]}" "$suite"
# Building is the same for both.
TALLYBOARD_BACKEND=ctypes ./with-venv.sh "${tests[@]}" "${others[@]}" --ignore ../ffi/python/tests/test_setup.py
TALLYBOARD_BACKEND=ctypes ./with-venv.sh "${tests[@]}" "$suite"
