# fork: in a signal handler, with thousands of contexts, beside threads that change a cache
build fork fork.c -lssl -lcrypto -pthread
ln -sf "$lib" "$bin/libsslcache.so.0"
build fork_alone fork.c -DALONE -I"$root/include" -pthread "$lib" -Wl,-rpath,"$bin"

# What a handler may interrupt without libssl's or malloc's own locks, in front.
for call in remove_and_add time_changes number flush evict; do
    same 60 ./fork signal $call 2>/dev/null
done
for call in remove_and_add time_changes number flush evict new_session new_context; do
    is_same "alone: fork signal $call" 'forked enough, 0 ended badly, then 1 in the cache' \
        "$(ended 60 ./fork_alone signal $call)"
done

stays() { is_same "$1" "$2" "$(ended 90 "${@:3}" 2>&1 | grep -v ' children found \| has its parent copy ')"; }
stays 'in front: storm' '0 children ended badly, nearly all warm, all there' LD_PRELOAD="$lib" ./fork storm
stays 'in front: storm (debug build)' '0 children ended badly, nearly all warm, all there' LD_PRELOAD="$debug" ./fork storm
stays 'alone: storm' '0 children ended badly, nearly all warm, all there' ./fork_alone storm
stays 'in front: 8000 contexts' 'few pages' LD_PRELOAD="$lib" ./fork pages 8000
