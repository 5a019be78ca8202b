#!/usr/bin/env bash
# The Rust sources are formatted.
set -euo pipefail
cd "$(dirname "$0")/../.."
set -x
cargo fmt --all --check
