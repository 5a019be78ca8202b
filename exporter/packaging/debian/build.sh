#!/bin/sh
# Builds the Debian package, with its manual pages and completions, and prints where it is.
# Needs cargo-deb (cargo install cargo-deb) and dpkg-dev.
#
#     exporter/packaging/debian/build.sh [--fast]      more of the command line of cargo-deb
set -eu
cd "$(dirname "$0")/../../.."

built=${CARGO_TARGET_DIR:-target}/release
cargo build --quiet --release --locked -p tallyboard-exporter
rm -rf "$built/packaging"
"$built/tallyboard" generate "$built/packaging" >&2
cargo deb --quiet --no-build --locked --strip -p tallyboard-exporter "$@"
