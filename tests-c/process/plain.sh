# nothing odd: what the other scripts show would mean nothing if this failed
build plain plain.c -lssl -lcrypto
same 20 ./plain
same_debug 20 ./plain
# Without the library nobody writes statistics: it was really in front above.
written=$(ended 20 SSLCACHE_STATS=1 LD_PRELOAD="$lib" ./plain | grep -c '(interposed)$' || true)
is_same 'the library was in front' 2 "$written"
