# stunnel: one process with threads.
title="stunnel"
best='its cache, `options = NO_TICKET`'
one_process=1
need stunnel4 stunnel4
. "$reach/backend.inc"

configure() {
    cat >"$tmp/stunnel.conf" <<CONF
foreground = yes
pid =
debug = 5
sslVersionMin = TLSv1.2
$([ "$1" != best ] || echo "options = NO_TICKET")
[tls]
accept = 127.0.0.1:$port
connect = 127.0.0.1:$backend
cert = $cert
key = $key
CONF
}
start() { start_server stunnel4 "$tmp/stunnel.conf"; }
reload() { kill -HUP "$server"; }
