# callbacks that do not return: C++ exceptions, longjmp, pthread_cancel, pthread_exit
build unwind unwind.cpp -lssl -lcrypto -pthread

# both_builds LABEL EXPECTED COMMAND...: interposed.
both_builds() {
    is_same "$1" "$2" "$(ended 20 LD_PRELOAD="$lib" "${@:3}")"
    is_same "$1 (debug build)" "$2" "$(ended 20 LD_PRELOAD="$debug" "${@:3}")"
}

# The same program on the library alone. That does not depend on the release of libssl.
standalone=()
if [ -z "$libssl" ]; then
    include=$(realpath "$here/../../include")
    build standalone unwind.cpp -DSTANDALONE -I"$include" "$lib" -lcrypto -pthread
    build alone unwind_alone.cpp -I"$include" "$lib" -pthread
    mkdir -p "$bin/release" "$bin/debug"
    ln -sf "$lib" "$bin/release/libsslcache.so.0"
    ln -sf "$debug" "$bin/debug/libsslcache.so.0"
    mapfile -t standalone < <(ended 20 LD_LIBRARY_PATH=release ./standalone list)
fi
# by_itself LABEL EXPECTED COMMAND...: standalone.
by_itself() {
    local directory
    for directory in release debug; do
        is_same "$1 (standalone, $directory)" "$2" "$(ended 20 LD_LIBRARY_PATH=$directory "${@:3}")"
    done
}

# How many are left where a release has taken out all of them before it calls back for the first, or 1.1.1
# gives back each reference at once.
declare -A left=(
    ['remove flush']='left 7 full 0' ['remove flush_all']='left 9 full 0' ['remove auto_flush']='left 263 full 0'
    ['remove evict']='left 10 full 0' ['remove evict_several']='left 8 full 2'
    ['remove evict_in_handshake']='left 10 full 0' ['remove evict_after_get']='left 9 full 1'
    ['session_free flush']='left 0 full 0' ['session_free evict']='left 10 full 0'
)
goes_on='add 1 number +1 remove 1 visits 12 flushed to 0'
while read -r pair; do
    # How it ends is the same as on libssl alone, and all goes on afterwards. On libssl alone not always:
    # where it calls back with a lock held, the lock stays locked.
    expected=$(ended 20 ./unwind $pair)
    [ -z "$libssl" ] || expected=$(sed "s/left .*/${left[$pair]:-&}/" <<<"$expected")
    expected=$(sed "s/ full.*/& $goes_on/; s/\$/, another $goes_on/" <<<"$expected")
    both_builds "unwind $pair" "$expected" ./unwind $pair on
    if printf '%s\n' "${standalone[@]}" | grep -qxF "$pair"; then
        by_itself "unwind $pair" "$expected" ./standalone $pair on
    fi
done < <(ended 20 ./unwind list)

# Nothing of the application's runs while an exception passes: a second one would end the process.
always=$(for way in thrown jumped cancelled exited; do
    echo "$way: 3 adds: removals 3 frees 0 left 10, 10 flushes: removals 13 frees 0 left 0," \
        "free: $way removals 20 frees 6, no remove_cb: $way frees 1 left 0, $goes_on"
done)
both_builds 'unwind always' "$always" ./unwind always

# A callback in a callback leaves into the outer one, which goes on.
same 20 ./unwind nested
same_debug 20 ./unwind nested

# No call of ours is a point where a thread is cancelled, not even one that writes statistics.
pending=" $goes_on, left 0, cancelled at the end"
same 20 ./unwind pending
for setting in SSLCACHE_STATS=1 SSLCACHE_STATS="$bin/statistics"; do
    is_same "unwind pending, ${setting%%=*}" "$pending" \
        "$(ended 20 "$setting" LD_PRELOAD="$debug" ./unwind pending | grep -v '^sslcache: \|^  ')"
done

if [ -z "$libssl" ]; then
    by_itself 'unwind always' "$always" ./standalone always
    by_itself 'unwind nested' "$(ended 20 ./unwind nested)" ./standalone nested
    by_itself 'unwind pending' "$pending" ./standalone pending
    # Of what a full cache lets go one has not left, where it is shared.
    evicted=10
    [ -z "$shared" ] || evicted=9
    by_itself unwind_alone "$(for way in thrown jumped cancelled exited; do
        echo "flush: $way, left 8, flushed to 0, visits 12"
        echo "evict: $way, left $evicted, flushed to 0, visits 12"
        echo "remove: $way, left 10, flushed to 0, visits 12"
        echo "free: $way, visits 12"
        for call in read write print; do echo "$call: $way, left 11, flushed to 0, visits 12"; done
    done | sort)" sh -c './alone | sort'
fi
