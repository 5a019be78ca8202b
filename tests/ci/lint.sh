#!/usr/bin/env bash
# Clippy has nothing to remark, in the code with every feature, the tests and the benches.
set -euo pipefail
cd "$(dirname "$0")/../.."
# The accelerator's build does not depend on the Python that happens to run here.
export PYO3_NO_PYTHON=1
set -x
cargo clippy --quiet --workspace --all-targets --features tallyboard/metrics,tallyboard-ffi/python --locked -- -D warnings
