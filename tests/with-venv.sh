#!/usr/bin/env bash
# Runs a command in tests/ with target/venv and the release binaries first on its PATH.
# Makes or renews them where they are missing or older than what they are made from.
#
#   tests/with-venv.sh python -m live.accounting
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
venv=$target/venv

if ! cmp --silent tests/requirements.txt "$venv/requirements.txt"; then
    echo "+ pip install --requirement tests/requirements.txt, into $venv" >&2
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/requirements.txt
    cp tests/requirements.txt "$venv/requirements.txt"
fi

cargo build --quiet --release --locked -p tallyboard-exporter -p tallyboard-ffi -p tallyboard-tests --bins --lib
# Only what goes into the package: its own build leaves files in ffi/python.
sources=(arena/src arena/Cargo.toml ffi/src ffi/build.rs ffi/Cargo.toml ffi/python/tallyboard ffi/python/*.{md,pth,py,toml} Cargo.toml Cargo.lock)
if [[ ! -e $venv/package ]] || [[ -n $(find "${sources[@]}" -type f -newer "$venv/package" -print -quit) ]]; then
    touch "$venv/package.new"
    echo "+ pip install ./ffi/python, into $venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps ./ffi/python
    # As old as the start of the build, so that a source changed during it counts as newer.
    mv "$venv/package.new" "$venv/package"
fi

cd tests
export PATH=$venv/bin:$target/release:$PATH
# A caller's own board and settings must not decide what is tested.
unset TALLYBOARD TALLYBOARD_DIR TALLYBOARD_RSEQ
exec "$@"
