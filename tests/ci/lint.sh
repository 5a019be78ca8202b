#!/usr/bin/env bash
# Clippy has nothing to remark, in the code, the tests and the benches.
set -euo pipefail
cd "$(dirname "$0")/../.."
set -x
cargo clippy --quiet --workspace --all-targets --features tallyboard/metrics --locked -- -D warnings
