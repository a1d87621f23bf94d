# contexts in memory that processes share: made in one, used and freed in another
build shared_memory shared_memory.c -lssl -lcrypto -pthread
for how in made_after_fork made_before_fork address_again; do same 30 ./shared_memory $how; done
# Memory of the program's own, which nobody shares: attached as usual.
same 30 ./shared_memory private
written=$(ended 30 SSLCACHE_STATS=1 LD_PRELOAD="$lib" ./shared_memory private | grep -c '(interposed)$' || true)
is_same 'private memory of its own is no reason to stay away' 2 "$written"
