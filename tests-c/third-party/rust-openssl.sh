#!/usr/bin/env bash
# The tests of the Rust crate openssl that concern TLS, against the system's libssl.
limit=500
. "$(dirname "$0")/common.sh"

release=0.10.82
command -v cargo >/dev/null || skip_all "no cargo"
[ -e /usr/include/openssl/ssl.h ] || install libssl-dev
[ -e /usr/include/openssl/ssl.h ] || skip_all "no headers of OpenSSL (package libssl-dev)"

# cargo unpacks the package where it keeps its sources; the tests are built from a copy.
crate=$store/openssl-$release
if [ ! -f "$crate/complete" ]; then
    mkdir -p "$tmp/fetch/src" && : >"$tmp/fetch/src/lib.rs"
    printf '[package]\nname = "fetch"\nedition = "2021"\n[dependencies]\nopenssl = "=%s"\n' $release >"$tmp/fetch/Cargo.toml"
    manifest=$(cd "$tmp/fetch" && timeout 120 cargo metadata --format-version 1 2>"$tmp/cargo.log" |
        grep -oE '"[^"]*/openssl-'$release'/Cargo.toml"' | head -n 1 | tr -d '"')
    [ -n "$manifest" ] || skip_all "the crate openssl cannot be fetched: $(tail -n 1 "$tmp/cargo.log")"
    rm -rf "$crate" && cp -r "${manifest%/*}" "$crate" && touch "$crate/complete"
fi
binary=$(cd "$crate" && timeout 400 cargo test -j 2 --lib --no-run --target-dir "$store/openssl-target" 2>&1 |
    tee "$tmp/cargo.log" | sed -n 's/.*Executable .*(\(.*\))/\1/p')
[ -x "$binary" ] || { tail -n 5 "$tmp/cargo.log"; skip_all "the crate openssl does not build"; }
ldd "$binary" | grep -q libssl || skip_all "the crate openssl was linked without a shared libssl"

# Each test in a process of its own: one that aborts takes no other with it.
run_suite() {
    local name chosen=ssl
    [ -z "$quick" ] || chosen=session
    cd "$crate" || return
    for name in $("$binary" --list "$chosen" 2>/dev/null | sed -n 's/: test$//p'); do
        if fronted 30 "$binary" --exact "$name" >/dev/null 2>&1; then echo "ok $name"; else echo "FAIL $name"; fi
    done
}

same_results run_suite "$([ -n "$quick" ] && echo 3 || echo 50)"
finish
