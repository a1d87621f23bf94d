# functions taken from libssl's own handle, and a program in which libssl comes first: as if we were not there
build handles handles.c -ldl
build by_name by_name.c -lssl -lcrypto
build linked_handles handles.c -DLINKED -Wl,--no-as-needed -lssl -lcrypto -ldl
so=$(basename "$(realpath "$libssl_dir/libssl.so")")
for program in ./handles ./linked_handles; do
    for what in count settings handshakes; do same 60 $program $what "$so"; done
done
same_debug 60 ./handles settings "$so"

# A program linked the other way round, which says so when asked.
cp "$lib" "$bin/libsslcache.so.0"
build behind plain.c -lssl -lcrypto -Wl,--no-as-needed -L"$bin" -l:libsslcache.so.0 -Wl,-rpath,"$bin"
is_same 'behind libssl nothing happens' "$(ended 20 ./behind)" "$(ended 20 SSLCACHE_STATS=1 ./behind)"
is_same 'and verbose says why' 'not in front: libssl comes first: yes' \
    "$(ended 20 SSLCACHE_VERBOSE=1 ./behind | sed -n 's/^sslcache: \(not in front: libssl comes first: \).*libssl.*/\1yes/p')"
is_same 'in front it says which libssl' 'interposed: in front of: yes' \
    "$(ended 20 SSLCACHE_VERBOSE=1 LD_PRELOAD="$lib" ./by_name |
        sed -n 's/^sslcache: \(interposed: in front of\) .*libssl.*/\1: yes/p')"
# libssl calls itself through us, or not: then nothing of that context comes our way.
expected="sslcache: a context is left alone: its functions are taken from libssl's own handle"
got=$(ended 20 SSLCACHE_VERBOSE=1 LD_PRELOAD="$lib" ./handles settings "$so" | grep '^sslcache: a ' || true)
readelf -d "$libssl_dir/$so" | grep -q SYMBOLIC && got="${got:-nothing}" expected=nothing
is_same 'a context that is half ours is left alone, and verbose says so' "$expected" "$got"
# By name, without the loader's handle, the library is in front: both constructors.
written=$(ended 20 SSLCACHE_STATS=1 LD_PRELOAD="$lib" ./by_name | grep -c '(interposed)$' || true)
is_same 'what is called by name is attached' 2 "$written"
