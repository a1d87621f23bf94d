# hitch: workers that are forked; a reload brings new ones.
title="hitch, 2 workers"
best="tickets (it has no shared cache)"
need hitch hitch
. "$reach/backend.inc"

configure() {
    cat >"$tmp/hitch.conf" <<CONF
frontend = "[127.0.0.1]:$port"
backend = "[127.0.0.1]:$backend"
pem-file = "$both"
tls-protos = TLSv1.2 TLSv1.3
workers = 2
daemon = off
user = "nobody"
CONF
}
start() { start_server hitch --config="$tmp/hitch.conf"; }
reload() { kill -HUP "$server"; }
