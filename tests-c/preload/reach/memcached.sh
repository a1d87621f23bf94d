# memcached -Z: one process with threads.
title="memcached"
best='`-o ssl_session_cache`'
one_process=1
need memcached memcached
memcached --help 2>&1 | grep -q -- '--enable-ssl' || skip_all "this memcached has no TLS"
client=(--to-the-end --send $'version\r\nquit\r\n')

configure() { cached=; [ "$1" != best ] || cached=,ssl_session_cache; }
start() {
    start_server memcached -u nobody -l 127.0.0.1 -p "$port" -t 2 -Z \
        -o "ssl_chain_cert=$cert,ssl_key=$key$cached"
}
