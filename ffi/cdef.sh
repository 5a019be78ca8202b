#!/bin/sh
# Writes include/tallyboard.h without comments and preprocessor lines, for foreign-function
# interfaces that read declarations of C but have no preprocessor: PHP's FFI, LuaJIT, cffi.
#
#     ffi/cdef.sh >ffi/include/tallyboard.cdef.h
#
# The same text from every compiler: white space is ours.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
header=$here/include/tallyboard.h

echo '/* Made from tallyboard.h, which documents everything, by ffi/cdef.sh. Do not edit. */'
# Numbers that are macros there. `sizeof` initialisers cannot be had so: set struct_size by hand.
echo 'enum {'
sed -n 's/^#define \(TB_[A-Z_]*\) \([0-9][0-9]*\)$/\1 = \2,/p' "$header"
echo '};'
# One declaration or field a line.
sed '/^#include/d' "$header" | "${CC:-cc}" -E -P -x c - | tr '\n\t' '  ' |
    sed -e 's/  */ /g' -e 's/^ //' -e 's/; /;\n/g' -e 's/{ /{\n/g' -e 's/, \(TB_[A-Z_]* =\)/,\n\1/g' -e 's/ }/\n}/g' -e 's/ *$//'
