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
# A SIGBUS is for the handler under test, or kills as without the sanitizer.
export ASAN_OPTIONS="handle_sigbus=0"
set -x
# With --target, so that build scripts and procedural macros are left alone.
RUSTFLAGS="-Zsanitizer=address --cfg arena_asan" cargo +nightly test --quiet --locked --target "$host" -p tallyboard --lib --tests
