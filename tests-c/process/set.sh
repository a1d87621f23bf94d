# SSLCACHE_SET: what it decides happens, the application reads back its own values
build set set.c -lssl -lcrypto
same 20 ./set

alone=$(ended 20 ./set)
# decides LINE SET EXPECTED: with that setting, what the program says about one thing.
decides() {
    local said
    said=$(ended 20 SSLCACHE_SET="$2" LD_PRELOAD="$lib" ./set)
    is_same "$2: $1" "$1: $3" "$(grep "^$1: " <<<"$said")"
    is_same "$2: what the application reads" "$(head -n 3 <<<"$alone")" "$(head -n 3 <<<"$said")"
}
own='a timeout of its own'
decides 'TLS 1.2' tickets=off '6 tickets or ids of 6 handshakes, 3 sessions kept, good for 900 s, resumed'
decides 'TLS 1.3' tickets=off '12 tickets or ids of 6 handshakes, 3 sessions kept, good for 900 s, resumed'
decides 'TLS 1.2' 'size=3 tickets=off' '6 tickets or ids of 6 handshakes, 2 sessions kept, good for 900 s, resumed'
decides 'TLS 1.3' 'size=1k,tickets=off' '12 tickets or ids of 6 handshakes, 12 sessions kept, good for 900 s, resumed'
decides 'TLS 1.3' 'num_tickets=1 tickets=off size=0' '6 tickets or ids of 6 handshakes, 6 sessions kept, good for 900 s, resumed'
decides 'TLS 1.3' num_tickets=0 '0 tickets or ids of 6 handshakes, 0 sessions kept, good for 900 s, not resumed'
decides 'TLS 1.2' timeout=5m '6 tickets or ids of 6 handshakes, 0 sessions kept, good for 300 s, resumed'
decides "$own" 'timeout=5m tickets=off' '6 tickets or ids of 6 handshakes, 3 sessions kept, good for 300 s, resumed'
decides "$own" 'timeout=800 tickets=off' '6 tickets or ids of 6 handshakes, 3 sessions kept, good for 500 s, resumed'
decides 'TLS 1.2' timeout=1h '6 tickets or ids of 6 handshakes, 0 sessions kept, good for 900 s, resumed'
decides 'TLS 1.2' 'timeout=1h unsafe' '6 tickets or ids of 6 handshakes, 0 sessions kept, good for 3600 s, resumed'
decides "$own" 'unsafe timeout=1h tickets=off' '6 tickets or ids of 6 handshakes, 3 sessions kept, good for 3600 s, resumed'
decides 'TLS 1.2' 'tickets=off cache=off' '0 tickets or ids of 6 handshakes, 0 sessions kept, good for 900 s, not resumed'

# One bad word, and nothing of it counts; what is wrong is said once.
keys='size, timeout, tickets, num_tickets, cache, replay, unsafe'
is_same 'a bad word' "sslcache: SSLCACHE_SET=tickets=off sise=3: no key that there is in word 2; there are $keys; taken as nothing
$alone" "$(ended 20 SSLCACHE_SET='tickets=off sise=3' LD_PRELOAD="$lib" ./set)"

# It is told where one looks.
is_same 'SSLCACHE_VERBOSE tells' 'sslcache: set for every context: size=20000 timeout=86400' \
    "$(ended 20 SSLCACHE_VERBOSE=1 SSLCACHE_SET=size=20k,timeout=1d LD_PRELOAD="$lib" ./set | grep 'set for')"
is_same 'SSLCACHE_STATS tells' '(interposed) with tickets=off num_tickets=2' \
    "$(ended 20 SSLCACHE_STATS=1 SSLCACHE_SET='num_tickets=2 tickets=off' LD_PRELOAD="$lib" ./set | grep -o '(interposed).*' | sort -u)"
