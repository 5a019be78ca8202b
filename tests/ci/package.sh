#!/usr/bin/env bash
# Each crate that would be published packs.
set -euo pipefail
cd "$(dirname "$0")/../.."
set -x
# Together, since the others depend on a version of `tallyboard` that the registry may not have yet. Without building
# them again: the other steps have done that.
cargo package --quiet --locked --allow-dirty --no-verify -p tallyboard -p tallyboard-exporter -p tallyboard-ffi
