#!/usr/bin/env bash
# 10 million label sets that come and go on one board, by processes that are killed.
# Arguments are for tests/src/bin/churn.rs: --sets N, --kills N.
set -euo pipefail
cd "$(dirname "$0")/../.."
set -x
cargo run --quiet --release --locked -p tallyboard-tests --bin churn -- "$@"
