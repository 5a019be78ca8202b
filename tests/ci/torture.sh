#!/usr/bin/env bash
# Writers in Rust, C and Python that are killed, stopped and interrupted lose and leak nothing.
# Arguments are for tests/src/bin/torture: --seconds N, --kills N, --seed N.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-../target}")
# Builds what the rest needs.
./with-venv.sh true
set -x
"${CC:-cc}" -std=c11 -O1 -Wall -Wextra -Werror -I ../ffi/include -o "$target/torture-writer" writers/torture.c \
    "$target/release/libtallyboard.a" -pthread -ldl -lm
./with-venv.sh torture --c "$target/torture-writer" --python writers/torture.py "$@"
