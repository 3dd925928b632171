#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds newlib (C and math library, headers) for the payloads from Debian's newlib-source, out of
# tree. Usage: newlib.sh DIR; leaves DIR/lib/libc.a, DIR/lib/libm.a and DIR/include, and a log in
# DIR/build.log. Called by guest.mk; quiet unless something fails.

set -eu

dir=$1
make=${MAKE:-make}
# Of the calling make keep the job server, not the variables set on its command line.
MAKEFLAGS=$(printf '%s' "${MAKEFLAGS:-}" | sed 's/ -- .*//')
export MAKEFLAGS
cflags='-O2 -g0 -mno-red-zone -fno-pic -fno-pie -fcf-protection=none -fno-stack-protector'
cflags="$cflags -U__linux__ -U__unix__ -ffunction-sections -fdata-sections"
cflags="$cflags -fno-asynchronous-unwind-tables"

tarball=$(find /usr/src/newlib* -name 'newlib-*.tar.*' 2>/dev/null | sort | tail -n 1)
if [ -z "$tarball" ]; then
    echo "newlib.sh: no newlib sources in /usr/src: install the package newlib-source" >&2
    exit 1
fi

rm -rf "$dir"
mkdir -p "$dir/src" "$dir/obj"
dir=$(cd "$dir" && pwd)

build()
{
    tar -xf "$tarball" -C "$dir/src" --strip-components=1
    cd "$dir/obj"
    ../src/configure --target=x86_64-elf --prefix="$dir/install" --disable-multilib \
        --disable-libgloss --disable-newlib-supplied-syscalls --disable-nls \
        --enable-newlib-io-long-long --enable-newlib-io-c99-formats \
        CC_FOR_TARGET=gcc AR_FOR_TARGET=ar RANLIB_FOR_TARGET=ranlib AS_FOR_TARGET=as \
        LD_FOR_TARGET=ld CFLAGS_FOR_TARGET="$cflags"
    "$make" all-target-newlib MAKEINFO=:
    "$make" install-target-newlib MAKEINFO=:
}

# A subshell with its own -e: "if ! build" would run the function with -e off.
set +e
(set -e; build) >"$dir/build.log" 2>&1
status=$?
set -e
if [ "$status" -ne 0 ]; then
    tail -n 20 "$dir/build.log" >&2
    echo "newlib.sh: building newlib failed, see $dir/build.log" >&2
    exit 1
fi

mv "$dir/install/x86_64-elf/lib" "$dir/install/x86_64-elf/include" "$dir"
rm -rf "$dir/src" "$dir/obj" "$dir/install"
