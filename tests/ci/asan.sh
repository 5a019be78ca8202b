#!/usr/bin/env bash
# The arena's tests under AddressSanitizer.
# Exit code 77 says that this machine has no nightly toolchain, which it needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! rustc +nightly --version; then
    echo "not run: AddressSanitizer needs a nightly toolchain (rustup toolchain install nightly)"
    exit 77
fi
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")/asan
export CARGO_TARGET_DIR
set -x
# With --target, so that build scripts and procedural macros are left alone.
RUSTFLAGS="-Zsanitizer=address" cargo +nightly test --quiet --locked --target "$host" -p tallyboard --lib --tests
