# memory runs out: no function ends the process, each says what libssl says, and all is well when there is some again
# Programs that use every function, with the library alone, with libcrypto beside it, and in front of libssl.
here_is() { # NAME LIBRARY: where the programs of that name find the library
    mkdir -p "$bin/$1"
    ln -sf "$2" "$bin/$1/libsslcache.so.0"
}
with() { # NAME LIBRARY: builds the programs for the library
    here_is "$1" "$2"
    local to=(-pthread "$2" -Wl,-rpath,"$bin/$1")
    build "$1/alone" memory_every.c -DALONE -I"$root/include" "${to[@]}"
    build "$1/beside" memory_every.c -DALONE -DCRYPTO -I"$root/include" "${to[@]}" -lcrypto
    build "$1/front" memory_every.c -DCRYPTO -idirafter "$root/include" "${to[@]}" -lssl -lcrypto
}

# Each function is called by the program.
is_called() { # PROGRAM
    local missing
    missing=$(comm -23 <(nm -D --defined-only "$lib" | awk '{print $3}' | sort) <(nm -D -u "$bin/$1" | awk '{print $2}' |
        sed 's/@.*//' | sort))
    is_same "$1 calls every function" 'not called:' "not called:$missing"
}

with release "$lib"
with debug "$debug"
for program in release/alone release/front; do is_called $program; done
# What goes wrong is said in bad; what the library itself says is kept beside.
none_ends_badly() { # PROGRAM HOW [VARIABLE=VALUE...]
    local log=$1.$2${3:+.${3%%=*}}.err
    is_same "$1: $2${3:+ (with ${3%%=*})}" '0 of the runs ended badly' \
        "$(ended 120 "${@:3}" sh -c "exec ./$1 $2 2>$log")"
}
for program in alone beside front; do
    for how in only from each storm; do none_ends_badly release/$program $how; done
    for how in each storm; do none_ends_badly debug/$program $how; done
done
# What is said for the user's sake takes no memory that must be there either.
for program in alone front; do
    none_ends_badly release/$program only SSLCACHE_STATS="$bin/statistics" SSLCACHE_VERBOSE=1
done

# A library that came late has nothing of its own in a thread that was there.
build late memory_late.c -pthread -lssl -lcrypto
for keys in 0 40; do
    for library in "$lib" "$debug"; do
        is_same "loaded late, with $keys keys: $(basename "$(dirname "$library")")" \
            "$(printf 'added 1\n%.0s' 1 2 3 4; echo 'made 1, removed 1, 4 removals')" \
            "$(ended 20 ./late "$library" $keys)"
    done
done

# The same answers and the same errors as libssl 3.0 gives; other releases queue others.
release=$(printf '#include <openssl/opensslv.h>\nOPENSSL_VERSION_TEXT\n' | ${CC:-cc} -E -P "${flags[@]}" - |
    sed -n 's/^"OpenSSL \([0-9]*\.[0-9]*\).*/\1/p')
if [ "$release" = 3.0 ]; then
    build answers memory_answers.c -lssl -lcrypto
    build release/answers memory_answers.c -I"$root/include" "$lib" -Wl,-rpath,"$bin/release" -lcrypto
    # (Where processes share, another allocation of an add is the first, and the session is added, for this one alone.)
    [ -n "$shared" ] || same 20 ./answers
    is_same 'answers of the library alone' "$(ended 20 ./answers)" "$(ended 20 ./release/answers)"
else
    skip "the errors that are queued: compared with libssl 3.0, not $release"
fi
