#!/usr/bin/env bash
# The .deb on a machine with systemd: hardened, socket-activated, shared by a group, safe from logind, purged.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR=$target PATH=$target/tools/bin:$PATH
if ! type -P cargo-deb >/dev/null; then
    # The same program without optimizations and what a debugger reads: half of the work to build, and there is
    # little for it to do.
    echo "+ cargo install --debug cargo-deb, into $target/tools" >&2
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 cargo install --quiet --locked --debug --version 3.8.0 \
        --root "$target/tools" --target-dir "$target/tools/build" cargo-deb
    rm -rf "$target/tools/build"
fi

set -x
systemd-analyze security --offline=true --threshold=15 exporter/packaging/systemd/tallyboard.service | tail -n 1
cargo build --quiet --release --locked -p tallyboard-exporter -p tallyboard-ffi -p tallyboard-tests --bins --lib
package=$(exporter/packaging/debian/build.sh --fast)
{ set +x; } 2>/dev/null

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The same program writes the same pages.
"$target/release/tallyboard" generate "$folder/again" >/dev/null
diff --recursive "$target/release/packaging" "$folder/again"
rm -r "$folder/again"

cp "$package" tests/packaging/inside.sh "$target/release/worker" "$folder"
chmod 755 "$folder" "$folder/worker"
code=0
tests/packaging/machine.sh "$folder" || code=$?
cat "$folder/log"
exit "$code"
