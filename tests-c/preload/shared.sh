#!/usr/bin/env bash
# nginx with several workers, and SSLCACHE_SHARED: what is resumed across them, and over reloads,
# restarts, kills and an upgrade of the program; early data, which is accepted once; virtual hosts,
# whose sessions are their own. What nginx does by itself in the same place is seen, too.
limit=240
. "$(dirname "$0")/common.sh"
. "$here/reach/measure.inc"
compile early
need curl curl

# --- nginx ------------------------------------------------------------------------------

need nginx nginx-light
client=(--to-the-end --send $'GET / HTTP/1.0\r\n\r\n')
before_http= in_server= more_servers=

# serve CACHE WORKERS [DIRECTIVE]: tickets are off unless the directives say otherwise.
configure() {
    cat >"$tmp/nginx.conf" <<CONF
daemon ${daemon-off};
user www-data;
worker_processes $2;
pid $tmp/nginx.pid;
error_log $tmp/error.log notice;
$before_http
events { worker_connections 512; }
http {
    log_format early '\$ssl_early_data \$pid \$uri';
    access_log $tmp/access.log early;
    client_body_temp_path $tmp/body; proxy_temp_path $tmp/proxy; fastcgi_temp_path $tmp/fastcgi;
    uwsgi_temp_path $tmp/uwsgi; scgi_temp_path $tmp/scgi;
    ssl_certificate $cert;
    ssl_certificate_key $key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache $1;
    ${3-ssl_session_tickets off;}
    server {
        listen 127.0.0.1:$port ssl reuseport;
        server_name localhost;
        $in_server
        location / { return 200 "\$ssl_session_reused \$pid\n"; }
    }
    $more_servers
}
CONF
}
serve() {
    free_port
    configure "$@"
    : >"$tmp/error.log"
    start
}
start() { start_server "$(command -v nginx)" -c "$tmp/nginx.conf" -p "$tmp"; }
reload() { kill -HUP "$server"; }

# Every process must go as it was told.
stop_cleanly() {
    stop_server QUIT
    expect "$1: exit status" "$status" 0
    expect "$1: workers that died" "$(grep -cE 'exited on signal [^9]|\[(alert|emerg|crit)\]' <(grep -v 'signal 9' "$tmp/error.log"))" 0
}

# share_with NAME [SET]: what all that is started from here on has in its environment.
share_with() {
    unset SSLCACHE_SET
    export SSLCACHE_SHARED=$shm/$1,size=1m
    [ -z "${2-}" ] || export SSLCACHE_SET=$2
}

curl_pages() { # curl_pages VERSION: six pages over six connections, and how often each was resumed
    local page=https://localhost:$port/
    curl -s --cacert "$cert" --resolve "localhost:$port:127.0.0.1" -H 'Connection: close' \
        --tlsv1.$1 --tls-max 1.$1 "$page" "$page" "$page" "$page" "$page" "$page" |
        awk '{ n[$1]++ } END { print n["."] + 0 "N " n["r"] + 0 "R" }'
}

# what WHAT RESUMED: with all clients
all_clients() {
    expect "$1, TLS 1.2, openssl" "$(six_handshakes tls1_2)" "$2"
    expect "$1, TLS 1.3, openssl" "$(six_handshakes tls1_3)" "$2"
    expect "$1, TLS 1.2, openssl without tickets" "$(six_handshakes tls1_2 -no_ticket)" "$2"
    expect "$1, curl" "$(curl_pages 2) $(curl_pages 3)" "$2 $2"
}

# --- Workers ----------------------------------------------------------------------------

resumed_by_workers() { # CACHE WORKERS SET RESUMED WHAT
    share_with "workers.$2" "$3"
    serve "$1" "$2" || return
    all_clients "$5, $2 workers" "$4"
    stop_cleanly "$5, $2 workers"
}

workers() {
    resumed_by_workers builtin:1000 4 "" "1N 5R" "builtin"
    resumed_by_workers none 2 cache=on "1N 5R" "none, cache=on"
    # nginx has a cache of its own: with cache=on it is asked for what is not in ours.
    resumed_by_workers shared:SSL:1m 2 cache=on "1N 5R" "shared, cache=on"
    resumed_by_workers none 2 "" "6N 0R" "none: not helped without cache=on"
    resumed_by_workers off 2 cache=on "1N 5R" "off, cache=on"
}

# What outlives what: the sessions of before, in per cent.
lives() {
    local what
    share_with lives "${3-}"
    serve "$1" 4 "${4-ssl_session_tickets off;}" || return
    expect "$2: TLS 1.2, TLS 1.3, a client like a browser" "$(xargs <<<"$(steady)")" "$5"
    for what in after_reload kill_one after_kill after_restart; do
        "$what" >"$tmp/one"
        seen="$(cat "$tmp/one")"
        expect "$2: $what" "$seen" "$6"
    done
    stop_cleanly "$2"
}

# With tickets the sessions are with the clients, and the key goes with a reload.
tickets_stay() {
    share_with tickets cache=on
    serve none 2 "" || return
    expect "tickets on, cache=on" "$(xargs <<<"$(steady)")" "100 100"
    after_reload >"$tmp/one"
    expect "tickets on, cache=on: not helped over a reload" "$(cat "$tmp/one")" 0
    stop_cleanly "tickets on"
}

kill_one() {
    local all; all=$(workers_of)
    kill -9 ${all%% *}
    wait_for 5 one_came "$all"
    kept
}
one_came() { [ "$(workers_of)" != "$1" ] && [ "$(workers_of | wc -w)" -eq "$(wc -w <<<"$1")" ]; }

# The program is replaced while it runs: what it keeps of its environment is what it is told to.
upgrade() {
    share_with upgrade cache=on
    before_http="env LD_PRELOAD; env SSLCACHE_SHARED; env SSLCACHE_SET; env SSLCACHE_STATS;"
    # (One that has not left its parent takes no part in it.)
    daemon=on serve none 2 || return
    before_http=
    wait_for 5 gone "$server"
    forget "$server"
    server=$(cat "$tmp/nginx.pid") servers+=("$server")
    steady >/dev/null
    kill -USR2 "$server"
    wait_for 5 test -s "$tmp/nginx.pid.oldbin" || { fail "upgrade: no second master"; return; }
    wait_for 5 test -s "$tmp/nginx.pid"
    local old=$server new; new=$(cat "$tmp/nginx.pid")
    kill -QUIT "$old"
    wait_for 10 gone "$old"
    forget "$old"
    server=$new servers+=("$new")
    expect "upgraded (USR2): the sessions of before" "$(kept)" 100
    kill -QUIT "$new"
    wait_for 10 gone "$new" || fail "upgrade: the new master stays"
    forget "$new"
}

# --- Early data -------------------------------------------------------------------------

taken() { grep -c "^1 [0-9]* /round$1\$" "$tmp/access.log"; }
taken_by() { grep '^1 .*/round' "$tmp/access.log" | cut -d' ' -f2 | sort -u | wc -l; } # workers

# early ROUNDS REPLAYS FLIGHT: sets `seen`: how often was early data taken, from "1 1 1" on.
early() {
    local n
    : >"$tmp/access.log"
    timeout 60 "$tmp/early" "$port" "$@" || fail "early data: the client"
    sleep 0.2
    seen=
    for n in $(seq "$1"); do seen="$seen$(taken "$n")"; done
}

early_data() {
    local flight=$tmp/flight ones=1111111111111111
    share_with early "cache=on replay=off"
    in_server="ssl_early_data on;" serve "$1" 4 || return
    early 16 1 "$flight"
    if [ "$side" = without ]; then
        expect_that "$1, early data: who comes to another worker has sent it in vain ($seen)" test "$seen" != $ones
    else
        expect "$1, early data: taken, on whichever worker" "$seen" $ones
        expect_that "$1, early data: by several workers" test "$(taken_by)" -gt 1
    fi
    early 8 64 "$flight"
    if [ "$side" = without ]; then
        expect_that "$1, early data: nginx takes the same bytes again and again ($seen)" test "$seen" != 11111111
    else
        expect "$1, early data: how many of 64 at once, in 8 rounds" "$seen" 11111111
    fi
    before=$(workers_of); reload; wait_for 10 replaced
    early 0 64 "$flight"
    expect "$1, early data: the same bytes after a reload" "$(taken 8)" 0
    stop_cleanly "$1, early data"
    start || return
    early 0 64 "$flight"
    expect "$1, early data: the same bytes after a restart" "$(taken 8)" 0
    stop_cleanly "$1, early data"
}

# --- Virtual hosts (CVE-2025-23419) -----------------------------------------------------
# Two names, one certificate, one address. What was made where no certificate is asked for resumes
# nowhere where one is.

hosts() { # ON|OFF: whether the second name asks
    more_servers="server {
        listen 127.0.0.1:$port ssl; server_name asks.example;
        ssl_verify_client $1; ssl_client_certificate $cert;
        location / { return 200 \"\$ssl_client_verify\\n\"; }
    }"
}
offered_as() { # TLS NAME FROM [OPTION...]: how much of it resumes
    share --tls "$1" --name "$2" --from "$3" --rounds 2 "${@:4}"
}
# Of twenty; one of two workers may have had none before.
all_but_two() { if [ "$1" -ge 90 ]; then echo all; else echo "$1"; fi; }
fetched_as() { # TLS NAME TO [OPTION...]
    share --tls "$1" --name "$2" --to "$3" "${@:4}"
}

virtual_hosts() {
    local tls open=$tmp/open asks=$tmp/asks
    share_with hosts "$2"
    free_port
    hosts on
    configure "$1" 2
    start || return
    for tls in 1.2 1.3; do
        # Each worker learns first what a name leads to.
        fetched_as $tls asks.example $asks.$tls --cert "$both" >/dev/null
        fetched_as $tls localhost $open.$tls >/dev/null
        expect "$3, TLS $tls: each under its own name" \
            "$(all_but_two $(fetched_as $tls localhost $open.$tls))" all
        expect "$3, TLS $tls: and where a certificate is asked for" \
            "$(all_but_two $(fetched_as $tls asks.example $asks.$tls --cert "$both"))" all
        expect "$3, TLS $tls: under the name that asks for a certificate" "$(offered_as $tls asks.example $open.$tls)" 0
        expect "$3, TLS $tls: and the other way round" "$(offered_as $tls localhost $asks.$tls)" 0
        fetched_as $tls asks.example $asks.$tls --cert "$both" >/dev/null
    done
    # One that was made while nobody asked is no proof of who the client is.
    hosts off; configure "$1" 2
    before=$(workers_of); reload; wait_for 10 replaced
    for tls in 1.2 1.3; do
        expect "$3, TLS $tls: a reload without ssl_verify_client" "$(offered_as $tls asks.example $asks.$tls --cert "$both")" 0
        fetched_as $tls asks.example $asks.$tls >/dev/null
    done
    hosts on; configure "$1" 2
    before=$(workers_of); reload; wait_for 10 replaced
    for tls in 1.2 1.3; do
        expect "$3, TLS $tls: a reload with it" "$(offered_as $tls asks.example $asks.$tls)" 0
    done
    stop_cleanly "$3"
    more_servers=
}

with_us() {
    workers
    lives builtin:1000 builtin "" "ssl_session_tickets off;" "100 100" 100
    lives none "none, cache=on tickets=off" "cache=on tickets=off" "" "100 100" 100
    lives shared:SSL:1m "shared, cache=on" cache=on "ssl_session_tickets off;" "100 100" 100
    tickets_stay
    upgrade
    early_data builtin:1000
    early_data none
    virtual_hosts builtin:1000 "" "hosts, builtin"
    virtual_hosts none cache=on "hosts, none with cache=on"
}

without_us() {
    share_with none # nobody reads it
    serve builtin:1000 2 || return
    many_connections 1 reuse tls1_2
    expect_that "builtin, 2 workers: fresh ones too ($fresh, $reused)" test "$fresh" -gt 20
    stop_cleanly "builtin, 2 workers"
    early_data builtin:1000
}

scenario() { "${side}_us"; }
on_both_sides scenario
finish
