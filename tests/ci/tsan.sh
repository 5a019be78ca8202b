#!/usr/bin/env bash
# The arena's threads under ThreadSanitizer, with every update on the shared plane.
#
# What it sees: all atomic and plain accesses of the arena's code and of std, which is built for it (-Zbuild-std), by
# the threads of one process: on the board, in the handles, bindings and boards that a process keeps, and in the
# successor boards that threads find at once. The 16-byte swap of the shared plane is assembly, which it does not look
# into: `--cfg arena_tsan` lets pair.rs tell it of each (src/pair.rs, `sanitizer`).
#
# What it does not see: other processes, although they share the board. Restartable sequences, which are assembly on
# memory that one CPU writes: TALLYBOARD_RSEQ=off leaves them out. Fences: it takes no order from them, which could make
# it tell of races that are none, were anything but atomics ordered by them. And it never says that an ordering is too
# weak for atomics: that is what the loom models are for. A swap that fails is told as if it had released.
#
# Exit code 77 says that this machine has no nightly toolchain with rust-src, which it needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! rustc +nightly --version; then
    echo "not run: ThreadSanitizer needs a nightly toolchain (rustup toolchain install nightly --component rust-src)"
    exit 77
fi
if [[ ! -e $(rustc +nightly --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock ]]; then
    echo "not run: ThreadSanitizer needs std's source (rustup component add rust-src --toolchain nightly)"
    exit 77
fi
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")/tsan
export CARGO_TARGET_DIR
export RUSTFLAGS="-Zsanitizer=thread --cfg arena_tsan"
export TALLYBOARD_RSEQ=off
# Each race is told, and fails its test's process in the end.
export TSAN_OPTIONS="exitcode=66"
tests=(cargo +nightly test --quiet --locked -Zbuild-std --target "$host" -p tallyboard)

# It must be able to fail: a race on purpose is found.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
(set -x; "${tests[@]}" --lib --no-run)
if "${tests[@]}" --lib -- --ignored --exact pair::tests::a_race >"$log" 2>&1; then
    cat "$log"
    echo "tsan.sh: a race on purpose was not found" >&2
    exit 1
fi
grep --quiet "WARNING: ThreadSanitizer: data race" "$log" || { cat "$log"; exit 1; }

set -x
# Everything that begins threads; what only begins processes has nothing for it to see.
"${tests[@]}" --lib -- --skip rseq
"${tests[@]}" --test threads --test board --test hostile
# Its runtime has a handler of its own for the SIGBUS that is nobody's.
"${tests[@]}" --test guard -- --skip a_sigbus_that_is_no_boards_still_kills
