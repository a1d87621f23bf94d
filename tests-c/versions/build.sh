#!/usr/bin/env bash
# Builds other releases of libssl and libcrypto, each once.
set -u

usage() {
    cat <<'END'
usage: tests-c/versions/build.sh [BUILD ...]

Builds the named releases (default: all) under target/versions/BUILD/: lib/ with the shared
libraries, include/ with that release's own headers. One that is there already is left alone.

  1.1.1w  3.4.1  3.5.5  4.0.3   as upstream links them: libssl's calls of its own functions stay inside (-Bsymbolic)
  3.5.5-plain                   3.5.5 linked without -Bsymbolic, as Debian does: those calls can be interposed

The sources come from crates.io, in the crate openssl-src, through cargo.

  --list   the names of the builds
  --help   this text
END
}

builds=(1.1.1w 3.4.1 3.5.5 3.5.5-plain 4.0.3)
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/target/versions

# The release of the crate openssl-src that packs a release of OpenSSL.
crate() {
    case $1 in
        1.1.1w) echo 111.28.2+1.1.1w ;;
        3.4.1) echo 300.4.2+3.4.1 ;;
        3.5.5) echo 300.5.5+3.5.5 ;;
        4.0.3) echo 400.0.2+4.0.3 ;;
    esac
}

# Brings the crate of a release to $out/crates/RELEASE/vendor.
fetch() {
    local package=$out/crates/$1
    [ -d "$package/vendor/openssl-src/openssl" ] && return
    mkdir -p "$package/src"
    : >"$package/src/lib.rs"
    cat >"$package/Cargo.toml" <<END
[package]
name = "openssl-release"
version = "0.0.0"
edition = "2021"
[workspace]
[dependencies]
openssl-src = "=$(crate "$1")"
END
    (cd "$package" && cargo vendor --quiet --no-delete vendor) >/dev/null
}

# Lays a source tree at $2 that can be configured. The crates of later releases leave out the script
# that writes the linker's list of exports; it has been the same since 3.4.1.
unpack() {
    local release=$1 tree=$2
    fetch "$release" || return 1
    rm -rf "$tree"
    mkdir -p "$(dirname "$tree")"
    cp -a "$out/crates/$release/vendor/openssl-src/openssl" "$tree" || return 1
    [ -f "$tree/util/mkdef.pl" ] && return
    fetch 3.4.1 && cp "$out/crates/3.4.1/vendor/openssl-src/openssl/util/mkdef.pl" "$tree/util/"
}

# Less to compile, and faster: nothing left out here has a part in a session.
options() {
    echo shared no-tests no-cms no-ts -O1
    case $1 in
        3.* | 4.*) echo no-docs no-module no-legacy no-cmp ;;
    esac
    case $1 in
        3.5.* | 4.*) echo no-ml-dsa no-slh-dsa ;;
    esac
}

# Builds the release in $1 in the tree $2, linked as upstream links.
compile() {
    cd "$2" || return 1
    # shellcheck disable=SC2046 # words
    perl ./Configure linux-x86_64 --prefix=/nowhere --openssldir=/nowhere/ssl $(options "$1") || return 1
    make -j2 build_generated && make -j2 libcrypto.so libssl.so
}

# Links the tree's two libraries once more, with calls between exported functions left to the dynamic linker.
link_plainly() {
    cd "$1" || return 1
    rm -f libcrypto.so* libssl.so*
    sed -i 's/-Wl,-Bsymbolic//g' Makefile
    make -j2 libcrypto.so libssl.so
}

# Copies what programs need out of the tree $1 to the build $2.
collect() {
    local tree=$1 build=$out/$2 library
    rm -rf "$build.new" "$build"
    mkdir -p "$build.new/lib" "$build.new/include"
    cp -a "$tree"/libcrypto.so* "$tree"/libssl.so* "$build.new/lib/" || return 1
    cp -a "$tree/include/openssl" "$build.new/include/" || return 1
    for library in libcrypto libssl; do
        [ -e "$build.new/lib/$library.so" ] || return 1
    done
    mv "$build.new" "$build"
}

is_symbolic() { readelf -d "$out/$1/lib/libssl.so" | grep -q SYMBOLIC; }

make_build() {
    local build=$1 release=${1%-plain} tree=$out/trees/${1%-plain}
    if [ ! -e "$tree/libssl.so" ]; then
        unpack "$release" "$tree" && (compile "$release" "$tree") || return 1
    fi
    if [ "$build" != "$release" ]; then
        (link_plainly "$tree") || return 1
    fi
    collect "$tree" "$build" || return 1
    if [ "$build" = "$release" ]; then is_symbolic "$build"; else ! is_symbolic "$build"; fi
}

wanted=()
for argument in "$@"; do
    case $argument in
        --list) printf '%s\n' "${builds[@]}"; exit 0 ;;
        --help | -h) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
    esac
    [[ " ${builds[*]} " == *" $argument "* ]] || { echo "build.sh: no build $argument" >&2; exit 2; }
    wanted+=("$argument")
done
[ ${#wanted[@]} -gt 0 ] || wanted=("${builds[@]}")

status=0
for build in "${wanted[@]}"; do
    [ -e "$out/$build/lib/libssl.so" ] && continue
    began=$SECONDS
    mkdir -p "$out"
    if make_build "$build" >"$out/$build.log" 2>&1; then
        echo "built $build in $((SECONDS - began)) s"
    else
        echo "build.sh: $build did not build; see $out/$build.log" >&2
        status=1
    fi
done
exit $status
