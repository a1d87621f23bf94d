#!/usr/bin/env bash
# nginx: each kind of ssl_session_cache, one and two workers, a short timeout, a reload
# while clients come. Tickets are off: the session lies in the cache or nowhere.
limit=300
. "$(dirname "$0")/common.sh"

need nginx nginx-light
make_certificate

# serve CACHE [WORKERS [DIRECTIVE...]]
serve() {
    local cache=$1 workers=${2:-1}
    shift; [ $# -eq 0 ] || shift
    free_port
    cat >"$tmp/nginx.conf" <<CONF
daemon off;
user root;
worker_processes $workers;
pid $tmp/nginx.pid;
error_log $tmp/error.log notice;
events { worker_connections 256; }
http {
    access_log $tmp/access.log;
    client_body_temp_path $tmp/body; proxy_temp_path $tmp/proxy; fastcgi_temp_path $tmp/fastcgi;
    uwsgi_temp_path $tmp/uwsgi; scgi_temp_path $tmp/scgi;
    ssl_certificate $cert;
    ssl_certificate_key $key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets off;
    ssl_session_cache $cache;
    $*
    server {
        listen 127.0.0.1:$port ssl;
        location / { return 200 "\$ssl_session_reused \$ssl_protocol\n"; }
    }
}
CONF
    : >"$tmp/error.log"
    start_server nginx -c "$tmp/nginx.conf" -p "$tmp"
}

# Every process must go as it was told: no signal but ours, no alert, exit code 0.
stop_cleanly() {
    stop_server QUIT
    expect "$1: exit status" "$status" 0
    expect "$1: workers that died" "$(grep -cE 'exited on signal|\[(alert|emerg|crit)\]' "$tmp/error.log")" 0
}

# resumes CACHE WORKERS EXPECTED
resumes() {
    serve "$1" "$2" || return
    local what="$1, $2 worker(s)"
    if [ "$2" -eq 1 ]; then
        expect "$what, TLS 1.2 -reconnect, no tickets" "$(six_reconnects -no_ticket)" "$3"
        expect "$what, TLS 1.2 -reconnect" "$(six_reconnects)" "$3"
    fi
    expect "$what, TLS 1.2" "$(six_handshakes tls1_2 -no_ticket)" "$3"
    expect "$what, TLS 1.3" "$(six_handshakes tls1_3)" "$3"
    stop_cleanly "$what"
}

# Each worker has a cache of its own: which one a client meets is chance, but it is met.
two_builtin() {
    new_stats
    serve builtin:1000 2 || return
    many_connections 2 reuse tls1_2
    expect_that "builtin:1000, 2 workers: both fresh and reused ($fresh, $reused)" test "$reused" -gt 50
    stop_cleanly "builtin:1000, 2 workers"
}

builtin() {
    new_stats
    resumes builtin:1000 1 "1N 5R"
    in_front stored hits
    [ "$side" = without ] || expect "each resumption is one hit" "$(counter hits)" 20
    resumes builtin:5 1 "1N 5R"
}

# A cache of size 2 keeps one session: of four, only the last one can be resumed.
tiny() {
    serve builtin:2 || return
    local seen= n
    for n in 1 2 3 4; do handshake tls1_2 "$tmp/tiny.$n" -no_ticket >/dev/null; done
    for n in 4 3 2 1; do seen=$seen$(handshake tls1_2 "$tmp/tiny.$n" -no_ticket); done
    rm -f "$tmp"/tiny.*
    # (Where processes share, the others have not left.)
    if is_shared_here; then
        expect "builtin:2: newest first" "$seen" RRRR
    else
        expect "builtin:2: newest first" "$seen" RNNN
    fi
    stop_cleanly builtin:2
}

expiry() {
    serve builtin:1000 1 "ssl_session_timeout 2s;" || return
    local seen protocol session
    for protocol in tls1_2 tls1_3; do
        session=$tmp/expiry.$protocol
        rm -f "$session"
        seen=$(handshake $protocol "$session")$(handshake $protocol "$session")
        sleep 3.5
        expect "timeout 2s, $protocol: now, at once, later" "$seen$(handshake $protocol "$session")" NRN
    done
    stop_cleanly "timeout 2s"
}

workers_of() { cat /proc/"$server"/task/*/children 2>/dev/null; }
replaced() { local now; now=$(workers_of); [ -n "$now" ] && [ "$(wc -w <<<"$now")" -eq 2 ] && [ "${now%% *}" != "$old" ]; }

# New workers, new cache; the old ones finish their clients and exit.
reload() {
    new_stats
    serve "$1" 2 || return
    timeout 20 openssl s_time -connect "127.0.0.1:$port" -reuse -tls1_2 -www / -time 4 >"$tmp/load.log" 2>&1 &
    local load=$!
    for _ in 1 2; do
        sleep 1
        old=$(workers_of)
        old=${old%% *}
        kill -HUP "$server"
        wait_for 8 replaced || fail "$1: old workers stay after a reload"
    done
    wait "$load"
    expect "$1: s_time through two reloads ends with" $? 0
    expect "$1: full and resumed after the reloads" "$(six_handshakes tls1_3 | tail -n 1 | grep -cE '^[1-6]N')" 1
    stop_cleanly "$1, reloads"
    in_front hits
}

# Many sessions through a cache that is always full.
churn() {
    serve builtin:100 || return
    many_connections 2 new tls1_2
    expect_that "builtin:100: $fresh full handshakes" test "$fresh" -gt 200
    many_connections 2 reuse tls1_3
    expect "builtin:100, s_time -reuse, TLS 1.3: new" "$fresh" 0
    expect_that "builtin:100: $reused resumed" test "$reused" -gt 200
    stop_cleanly builtin:100
}

scenario() {
    resumes off 1 "6N 0R"
    resumes none 1 "6N 0R"
    builtin
    resumes shared:SSL:1m 1 "1N 5R"
    resumes shared:SSL:1m 2 "1N 5R"
    resumes "builtin:1000 shared:SSL:1m" 1 "1N 5R"
    resumes "builtin:1000 shared:SSL:1m" 2 "1N 5R"
    two_builtin
    tiny
    expiry
    churn
    reload builtin:1000
}

on_both_sides scenario
finish
