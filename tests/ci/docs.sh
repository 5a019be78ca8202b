#!/usr/bin/env bash
# The documentation builds without a warning.
set -euo pipefail
cd "$(dirname "$0")/../.."
set -x
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps --features tallyboard/metrics --locked
