#!/usr/bin/env bash
# The protocols of the arena, in every interleaving, with a death after every step.
#
# Models that would take many minutes are bounded more tightly; ARENA_LOOM_WHOLE=1 tests/ci/loom.sh runs them whole.
set -euo pipefail
cd "$(dirname "$0")/../.."
# Apart, or each change between the two kinds of atomics would rebuild everything.
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")/loom
export CARGO_TARGET_DIR
export RUSTFLAGS="--cfg arena_loom"
models=(cargo test --quiet --release --locked -p tallyboard --lib model)
# A filter that matches nothing would pass, too. Not by a pipe: a grep that has seen enough breaks it.
list=$("${models[@]}" -- --list)
[[ $list == *": test"* ]] || { echo "loom.sh: there are no models" >&2; exit 1; }
# A process each: threads would wait for each other's mappings, which loom makes many of.
set -x
sed --quiet 's/: test$//p' <<<"$list" | xargs --max-procs="$(nproc)" --replace "${models[@]}" -- --exact {}
