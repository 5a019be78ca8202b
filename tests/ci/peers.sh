#!/usr/bin/env bash
# Observe, lookup and encode against the Rust peers, in interleaved rounds of one run.
set -euo pipefail
cd "$(dirname "$0")/.."
set -x
cargo run --quiet --release --locked -p tallyboard-benches --bin tallyboard-benches
