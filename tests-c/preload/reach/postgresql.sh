# PostgreSQL: a process for each connection; it switches cache and tickets off. (Its client library
# never resumes.)
title="PostgreSQL"
best="none: it resumes nothing"
postgres=/usr/lib/postgresql/15/bin
[ -x $postgres/postgres ] || install postgresql-15
[ -x $postgres/postgres ] || skip_all "postgres is missing (package postgresql-15)"
client=(--starttls postgres --wait 100)
user=nobody
also=num_tickets=2 # it has set 0
data=$tmp/postgres

configure() {
    [ ! -d "$data" ] || return 0
    command install -d -o nobody -m 700 "$data"
    setpriv --reuid=nobody --clear-groups $postgres/initdb -A trust -N -D "$data" >"$tmp/initdb.log" 2>&1
    command install -o nobody -m 600 "$cert" "$data/server.crt"
    command install -o nobody -m 600 "$key" "$data/server.key"
}
start() {
    start_server setpriv --reuid=nobody --clear-groups $postgres/postgres -D "$data" -p "$port" \
        -c listen_addresses=127.0.0.1 -c ssl=on -c unix_socket_directories= -c shared_buffers=1MB
}
reload() { kill -HUP "$server"; }
