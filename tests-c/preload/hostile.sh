#!/usr/bin/env bash
# Processes that are hard on a library in front of another one: before main(), after exit(),
# over fork(), with libssl loaded late, privately or not at all. The programs are in hostile/.
limit=240
. "$(dirname "$0")/common.sh"

need cc gcc libc6-dev
need openssl openssl
echo '#include <openssl/ssl.h>' | cc -E -x c - >/dev/null 2>&1 || install libssl-dev
echo '#include <openssl/ssl.h>' | cc -E -x c - >/dev/null 2>&1 || skip_all "no OpenSSL headers (package libssl-dev)"
make_certificate
export CERT=$cert KEY=$key
src=$here/hostile

build() { # build NAME CC_ARGUMENT...
    local name=$1
    shift
    cc -std=gnu11 -Wall -Wno-deprecated-declarations -O1 "$@" -o "$tmp/$name" 2>"$tmp/cc.log" && return
    cat "$tmp/cc.log"
    fail "$name does not compile"
}
tls='-lssl -lcrypto -pthread -ldl'

build body.so -shared -fPIC "$src/body.c" $tls
build before.so -shared -fPIC -DIN_CONSTRUCTOR "$src/body.c" $tls
build main "$src/main.c" "$tmp/body.so" -Wl,-rpath,"$tmp"
build constructor -Wl,--no-as-needed "$src/empty.c" "$tmp/before.so" -Wl,-rpath,"$tmp"
build plugin "$src/plugin.c" -ldl
for name in fork at_exit behind small_stack; do build $name "$src/$name.c" $tls; done
build static -static "$src/empty.c"
build plain "$src/empty.c"
build nothing.so -shared -fPIC -x c /dev/null

# sees CASE RESUMED COMMAND...: ends well, resumes so many times 5 of 5, prints the same on
# both sides, and on neither anything that the program did not write.
sees() {
    local case=$1 resumed=$2 status
    shift 2
    fronted 60 "$@" >"$tmp/$case.$side" 2>"$tmp/$case.$side.err"
    status=$?
    expect "$case: exit status" "$status" 0
    [ "$resumed" = - ] || expect "$case: clients that resumed five of five" "$(grep -c ' 1N 5R$' "$tmp/$case.$side")" "$resumed"
    expect "$case: on standard error" "$(tr '\n' ' ' <"$tmp/$case.$side.err" | cut -c1-300)" ""
    [ "$side" = with ] && [ -f "$tmp/$case.without" ] || return 0
    cmp -s "$tmp/$case.without" "$tmp/$case.with" && ok "$case: prints the same as without" && return
    fail "$case: prints something else than without"
    diff "$tmp/$case.without" "$tmp/$case.with" | sed 's/^/     /'
}

# A case whose counters must have moved: no exit handler of the program is in the way.
counted() {
    new_stats
    sees "$@"
    in_front stored hits
}

life() {
    counted main 2 "$tmp/main"
    counted constructor 2 "$tmp/constructor"
    counted late_and_private 4 "$tmp/plugin" "$tmp/body.so"
    counted small_stack 2 "$tmp/small_stack"
    counted exit_handlers 3 "$tmp/at_exit"
    counted behind_our_back 3 "$tmp/behind"
}

forks() {
    counted fork - "$tmp/fork"
    counted fork_of_threads - "$tmp/fork" threads
    sees fork_of_busy_threads - "$tmp/fork" busy
}

# A process without TLS must not notice: the same output, the same status, silence.
bystanders() {
    new_stats
    sees no_libssl - "$tmp/plain"
    sees static - "$tmp/static"
    sees children - sh -c 'ls / >/dev/null; echo "$(printf a | cat)"; perl -e "print qq(perl\n)"'
    fronted 10 sh -c 'exit 41'
    expect "the exit status of a shell" $? 41
    fronted 10 sh -c 'kill -TERM $$' 2>/dev/null
    expect "the exit status of a killed shell" $? 143
    expect "statistics of processes without TLS" "$(ls "$stats" 2>/dev/null)" ""
    sees child_with_libssl - sh -c 'openssl version | cat; openssl dgst -sha256 /dev/null'
    [ "$side" = without ] || system_calls
}

# What loading costs a bystander, against an empty library in our place.
system_calls() {
    command -v strace >/dev/null || install strace
    command -v strace >/dev/null || { skip "system calls: no strace"; return; }
    local ours empty most=30
    ours=$(count_system_calls "$lib") empty=$(count_system_calls "$tmp/nothing.so")
    [ "$empty" -gt 0 ] || { skip "system calls: strace does not work here"; return; }
    # It attaches to what is shared, too: it may be confined before its first call.
    is_shared_here && most=60
    expect_that "system calls of a bystander: $ours, with an empty library $empty: at most $most more" \
        test "$((ours - empty))" -le $most
    fronted 10 strace -f -e trace=clone,clone3,socket,connect,write -o "$tmp/strace.log" "$tmp/plain" >/dev/null
    expect "a bystander's threads, sockets, and writes but its own" \
        "$(grep -cE 'clone|socket|connect|write\([^1]' "$tmp/strace.log")" 0
}
count_system_calls() {
    timeout 10 strace -f -E LD_PRELOAD="$1" -o "$tmp/strace.log" "$tmp/plain" >/dev/null 2>&1
    grep -cE '^[0-9]+ +[a-z_0-9]+\(' "$tmp/strace.log"
}

# A program with more rights than its caller: it must not write where the caller says. The
# loader drops LD_PRELOAD itself there, so the library comes by linking.
secure_program() {
    [ "$side" = with ] || return 0
    [ -f "$root/include/openssl/ssl.h" ] || { skip "setgid program: no include/openssl/ssl.h"; return; }
    cp "$lib" "$tmp/libsslcache.so.0"
    build secure -I"$root/include" "$src/secure.c" "$tmp/libsslcache.so.0" -Wl,-rpath,"$tmp" || return
    new_stats
    preload= fronted 10 "$tmp/secure" >"$tmp/secure.out"
    expect "an ordinary program" "$(cat "$tmp/secure.out")" "secure 0, added 1"
    expect_that "an ordinary program writes its statistics" test -s "$stats"

    cp "$tmp/secure" "$tmp/setgid"
    chgrp nogroup "$tmp/setgid" 2>/dev/null && chmod 2755 "$tmp/setgid" || { skip "setgid program: not root"; return; }
    new_stats
    preload= SSLCACHE_VERBOSE=1 fronted 10 "$tmp/setgid" >"$tmp/secure.out" 2>"$tmp/secure.err"
    grep -q 'secure 1' "$tmp/secure.out" || { skip "setgid program: the kernel ignores the bit here"; return; }
    expect "a setgid program" "$(cat "$tmp/secure.out")" "secure 1, added 1"
    expect "a setgid program writes no statistics" "$(ls "$stats" 2>/dev/null)" ""
    expect "a setgid program is silent" "$(cat "$tmp/secure.err")" ""
}

scenario() {
    life
    forks
    bystanders
    secure_program
}

on_both_sides scenario
finish
