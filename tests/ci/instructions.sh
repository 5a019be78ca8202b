#!/usr/bin/env bash
# Lookup, encoding and the shared plane take no more instructions than agreed, by callgrind.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
cargo build --quiet --release --locked -p tallyboard-benches --bin instructions
./with-venv.sh bash -c 'python -m live.instructions "$(dirname "$(command -v tallyboard)")/instructions"'
