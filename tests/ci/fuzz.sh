#!/usr/bin/env bash
# Broken boards crash nothing, and boards agree with a model: the fuzz targets over their corpus, then a while longer.
#
#   tests/ci/fuzz.sh [SECONDS [TARGET...]]
#
# runs each target (all of arena/fuzz/fuzz_targets) for SECONDS, 20 if not given. The seed is the same each time unless
# FUZZ_SEED is set, so for hours take another:  FUZZ_SEED=$RANDOM tests/ci/fuzz.sh 14400 board_bytes
# What it finds is kept in target/fuzz/found/TARGET, and goes on from there the next time with SECONDS. What is worth
# keeping for all is brought into the corpus with the command that is printed at the end. An input that fails is
# written to target/fuzz/artifacts; the target, given its path, runs it again.
#
# The stable toolchain instruments the code, so that no nightly one is needed; libFuzzer itself is built by the C++
# compiler. cargo-fuzz, where it is installed, finds the same targets in arena/ and adds AddressSanitizer, under which
# the fork of each input that writes is several times slower.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
seconds=${1:-20}
targets=("${@:2}")
if ((${#targets[@]} == 0)); then
    mapfile -t targets < <(basename --suffix=.rs --multiple arena/fuzz/fuzz_targets/*.rs)
fi
host=$(rustc -vV | sed -n 's/^host: //p')
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz
export CARGO_TARGET_DIR
# Files of boards, which a crash would leave behind.
TALLYBOARD_FUZZ_DIR=$(mktemp --directory /dev/shm/tallyboard-fuzz.XXXXXX)
export TALLYBOARD_FUZZ_DIR
trap 'rm -rf "$TALLYBOARD_FUZZ_DIR"' EXIT
# What cargo-fuzz passes, less the sanitizer.
instrumented=(
    --cfg fuzzing
    -Ccodegen-units=1
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
)
cargo fmt --manifest-path arena/fuzz/Cargo.toml --check
# With --target, so that build scripts and procedural macros are left alone.
built=(--quiet --release --locked --manifest-path arena/fuzz/Cargo.toml --target "$host")
export RUSTFLAGS="${instrumented[*]}"
(
    set -x
    cargo clippy "${built[@]}" -- -D warnings
    cargo build "${built[@]}"
)
cd "$CARGO_TARGET_DIR"
mkdir -p artifacts
for target in "${targets[@]}"; do
    binary=$CARGO_TARGET_DIR/$host/release/$target
    corpus=$root/arena/fuzz/corpus/$target
    # A gate starts from the same inputs each time; who gave a time goes on from what was found.
    found=found/$target
    (($# > 0)) || found=$TALLYBOARD_FUZZ_DIR/$target
    mkdir -p "$found"
    options=(
        -seed="${FUZZ_SEED:-1}"
        -timeout=20
        -rss_limit_mb=1024
        -malloc_limit_mb=256
        -max_len=4096
        -len_control=0
        -artifact_prefix=artifacts/
        -verbosity=1
    )
    log=$target.log
    for phase in "-runs=0" "-max_total_time=$seconds"; do
        echo "+ $target $phase"
        if ! "$binary" "${options[@]}" "$phase" "$found" "$corpus" >"$log" 2>&1; then
            grep --max-count=3 --after-context=3 -E 'panicked|ERROR:' "$log" || true
            tail --lines=5 "$log"
            echo "$target failed: all of it is in $CARGO_TARGET_DIR/$log, the input in $CARGO_TARGET_DIR/artifacts"
            exit 1
        fi
        grep -E '^(#[0-9]+[[:space:]]+DONE|Done)' "$log"
    done
    if (($# > 0)); then
        echo "to keep what was found:  $binary -merge=1 -max_len=4096 $corpus $PWD/$found"
    fi
done
