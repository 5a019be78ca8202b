#!/usr/bin/env bash
# Each crate that would be published packs, and `tallyboard` depends on nothing it need not.
set -euo pipefail
cd "$(dirname "$0")/../.."
set -x
# Together, since the others depend on a version of `tallyboard` that the registry may not have yet. Without building
# them again: the other steps have done that.
cargo package --quiet --locked --allow-dirty --no-verify -p tallyboard -p tallyboard-exporter -p tallyboard-ffi
# Whoever does not ask for the facade `metrics` does not get it.
[[ $(cargo tree --locked -p tallyboard --edges normal --prefix none | grep -c '^metrics ') == 0 ]]
[[ $(cargo tree --locked -p tallyboard --edges normal --prefix none --features metrics | grep -c '^metrics ') == 1 ]]
