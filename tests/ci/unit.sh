#!/usr/bin/env bash
# Every crate's tests: units, properties, the C ABI from C and C++, workers killed and stopped.
set -euo pipefail
cd "$(dirname "$0")/../.."
set -x
cargo test --quiet --workspace --features tallyboard/metrics --locked
