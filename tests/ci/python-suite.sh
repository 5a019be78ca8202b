#!/usr/bin/env bash
# The suite of prometheus_client's surface holds for that package itself and, unmodified, for it on a board.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=(pytest -q -p no:cacheprovider --rootdir ../ffi/python ../ffi/python/tests/suite)
set -x
# The reference: it shows that the tests are right, and fails at each limitation of its multiprocess mode.
./with-venv.sh "${suite[@]}" --subject=prometheus_client
# tallyboard itself is what tests/ci/python.sh gives to the same tests.
TALLYBOARD_BACKEND=native ./with-venv.sh "${suite[@]}" --subject=drop-in
TALLYBOARD_BACKEND=ctypes ./with-venv.sh "${suite[@]}" --subject=drop-in
