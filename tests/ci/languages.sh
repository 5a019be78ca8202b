#!/usr/bin/env bash
# PHP, Ruby and Go count on one board, each with its example, and exactly; without a board they run on.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
for example in ffi/examples/records.{php,rb,go}; do
    lines=$(grep --count . "$example")
    ((lines <= 20)) || {
        echo "$example has $lines lines; an example to copy has 20 at most" >&2
        exit 1
    }
done
set -x
cargo build --quiet --release --locked -p tallyboard-exporter -p tallyboard-ffi --bins --lib
{ set +x; } 2>/dev/null

# In one place at every run: Go keeps what it has built for the next, with where the library was.
prefix=$target/languages
rm -rf "$prefix"
ffi/install.sh "$prefix" "$target/release"
export LD_LIBRARY_PATH=$prefix/lib PKG_CONFIG_PATH=$prefix/lib/pkgconfig
# Boards belong on a tmpfs.
folder=$(mktemp -d /dev/shm/tallyboard-languages.XXXXXX)
trap 'rm -rf "$folder"' EXIT
unset TALLYBOARD_DIR TALLYBOARD_RSEQ
export GOCACHE=$target/go GOFLAGS=-buildvcs=false
go build -o "$folder/records-go" ffi/examples/records.go

programs=(
    "php ffi/examples/records.php"
    "ruby -W ffi/examples/records.rb"
    "$folder/records-go"
)

export TALLYBOARD=$folder/languages.v1.board
for program in "${programs[@]}"; do
    # Two at once: the sum is exact.
    pids=()
    for records in 1000 234; do
        $program "$records" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid"
    done
done
counted=$("$target/release/tallyboard" dump | grep --invert-match '^#' | sort)
expected='records_loaded_total{source="go"} 1234
records_loaded_total{source="php"} 1234
records_loaded_total{source="ruby"} 1234'
if [[ $counted != "$expected" ]]; then
    printf 'the board has\n%s\nand not\n%s\n' "$counted" "$expected" >&2
    exit 1
fi
"$target/release/tallyboard" check --repair

# Where there can be no board, the work is done all the same, and standard error says why nothing is counted.
export TALLYBOARD=$folder/nowhere/languages.v1.board
for program in "${programs[@]}"; do
    said=$($program 5 2>&1)
    [[ $said == *"not counting: the directory $folder/nowhere does not exist"*"counted 5 records" ]] || {
        echo "$program, without a board, said: $said" >&2
        exit 1
    }
done
echo "PHP, Ruby and Go: 1,234 records each, exact, and none of them stopped for want of a board"
