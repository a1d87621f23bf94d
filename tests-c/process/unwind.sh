# callbacks that do not return: C++ exceptions, longjmp, pthread_cancel, pthread_exit
build unwind unwind.cpp -lssl -lcrypto -pthread
# The same program on the library alone, which the name of the library finds in either build.
include=$(realpath "$here/../../include")
for built in "$lib" "$debug"; do
    mkdir -p "$bin/$(basename "$(dirname "$built")")"
    ln -sf "$built" "$bin/$(basename "$(dirname "$built")")/libsslcache.so.0"
done
build standalone unwind.cpp -DSTANDALONE -I"$include" "$lib" -lcrypto -pthread
build alone unwind_alone.cpp -I"$include" "$lib" -pthread

# on_each_build LABEL EXPECTED COMMAND...: interposed.
on_each_build() {
    is_same "$1" "$2" "$(ended 20 LD_PRELOAD="$lib" "${@:3}")"
    is_same "$1 (debug build)" "$2" "$(ended 20 LD_PRELOAD="$debug" "${@:3}")"
}
# by_itself LABEL EXPECTED COMMAND...: standalone.
by_itself() {
    local build
    for build in "$(dirname "$lib")" "$(dirname "$debug")"; do
        build=$(basename "$build")
        is_same "$1 ($build, standalone)" "$2" \
            "$(ended 20 LD_LIBRARY_PATH="$bin/$build${libssl:+:$libssl}" "${@:3}")"
    done
}

goes_on='add 1 number +1 remove 1 visits 12 flushed to 0'
mapfile -t standalone < <(ended 20 LD_LIBRARY_PATH="$bin/$(basename "$(dirname "$lib")")${libssl:+:$libssl}" ./standalone list)
while read -r pair; do
    # How it ends is the same as on libssl alone, and all goes on afterwards. On libssl alone not always:
    # where it calls back with a lock held, the lock stays locked.
    expected=$(ended 20 ./unwind $pair | sed "s/ full.*/& $goes_on/; s/\$/, another $goes_on/")
    on_each_build "unwind $pair" "$expected" ./unwind $pair on
    if printf '%s\n' "${standalone[@]}" | grep -qxF "$pair"; then
        by_itself "unwind $pair" "$expected" ./standalone $pair on
    fi
done < <(ended 20 ./unwind list)

# Nothing of the application's runs while an exception passes: a second one would end the process.
always=$(for way in thrown jumped cancelled exited; do
    echo "$way: 3 adds: removals 3 frees 0 left 10, 10 flushes: removals 13 frees 0 left 0," \
        "free: $way removals 20 frees 6, no remove_cb: $way frees 1 left 0, $goes_on"
done)
on_each_build 'unwind always' "$always" ./unwind always
by_itself 'unwind always' "$always" ./standalone always

# No call of ours is a point where a thread is cancelled, not even one that writes statistics.
pending=" $goes_on, left 0, cancelled at the end"
same 20 ./unwind pending
for setting in SSLCACHE_STATS=1 SSLCACHE_STATS="$bin/statistics"; do
    is_same "unwind pending, ${setting%%=*}" "$pending" \
        "$(ended 20 "$setting" LD_PRELOAD="$debug" ./unwind pending | grep -v '^sslcache: \|^  ')"
done
by_itself 'unwind pending' "$pending" ./standalone pending

by_itself 'unwind_alone' "$(for way in thrown jumped cancelled exited; do
    echo "flush: $way, left 8, flushed to 0, visits 12"
    echo "evict: $way, left 10, flushed to 0, visits 12"
    echo "remove: $way, left 10, flushed to 0, visits 12"
    echo "free: $way, visits 12"
    for call in read write print; do echo "$call: $way, left 11, flushed to 0, visits 12"; done
done | sort)" sh -c './alone | sort'
