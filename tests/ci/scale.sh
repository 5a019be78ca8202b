#!/usr/bin/env bash
# A million counters are encoded at 800 MB/s, their first byte comes at once, and they take 32 MiB beside their names.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
cargo build --quiet --release --locked -p tallyboard-benches --bin scale
./with-venv.sh bash -c 'python -m live.scale "$(dirname "$(command -v tallyboard)")/scale"'
