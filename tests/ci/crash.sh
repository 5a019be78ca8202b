#!/usr/bin/env bash
# Processes that die by SIGKILL or stop for a while at every step of the protocols that has a name, and at random ones.
set -euo pipefail
cd "$(dirname "$0")/../.."
# Apart, because every crate is built in another way: with the named steps in it.
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")/crash
export CARGO_TARGET_DIR
export RUSTFLAGS="--cfg arena_crash"
set -x
cargo test --quiet --locked -p tallyboard --lib crash::
cargo test --quiet --locked -p tallyboard-tests --test crash
