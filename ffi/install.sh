#!/bin/sh
# Installs libtallyboard, its headers and its pkg-config file.
#
#     ffi/install.sh PREFIX [BUILT]
#
# PREFIX  such as /usr/local: gets include/, lib/ and lib/pkgconfig/. With DESTDIR set, files go
#         to DESTDIR/PREFIX and still say PREFIX, as packages want it.
# BUILT   the folder with libtallyboard.so and libtallyboard.a; without it, they are built here.
set -eu

usage='usage: ffi/install.sh PREFIX [BUILT]'
prefix=${1:?"$usage"}
case $prefix in
    /*) ;;
    *) echo "install.sh: PREFIX must begin with a slash: $prefix" >&2; exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
built=${2:-}
if [ -z "$built" ]; then
    # One folder for cargo and for us: a relative one counts from where we were called.
    target=${CARGO_TARGET_DIR:-$here/../target}
    case $target in
        /*) ;;
        *) target=$PWD/$target ;;
    esac
    (cd "$here" && CARGO_TARGET_DIR=$target cargo build --release --locked -p tallyboard-ffi)
    built=$target/release
fi

# In a published package the version stands in its own Cargo.toml, in the repository in the workspace's.
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" "$here/../Cargo.toml" 2>/dev/null | head -n 1)
[ -n "$version" ] || { echo "install.sh: no version in $here/Cargo.toml" >&2; exit 1; }
abi=$(sed -n 's/^#define TB_ABI_VERSION //p' "$here/include/tallyboard.h")

to=${DESTDIR:-}$prefix
install -d "$to/include" "$to/lib/pkgconfig"
install -m 644 "$here/include/tallyboard.h" "$here/include/tallyboard.cdef.h" "$to/include/"
install -m 644 "$built/libtallyboard.a" "$to/lib/"
# A new file under the old name: programs that run keep the one they have mapped.
install -m 755 "$built/libtallyboard.so" "$to/lib/libtallyboard.so.$version"
ln -sf "libtallyboard.so.$version" "$to/lib/libtallyboard.so.$abi"
ln -sf "libtallyboard.so.$abi" "$to/lib/libtallyboard.so"
sed -e "s|@prefix@|$prefix|" -e "s|@version@|$version|" "$here/tallyboard.pc.in" >"$to/lib/pkgconfig/tallyboard.pc"
chmod 644 "$to/lib/pkgconfig/tallyboard.pc"
echo "installed libtallyboard $version in $to"
