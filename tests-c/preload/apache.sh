#!/usr/bin/env bash
# Apache mod_ssl: its own session cache behind new/get/remove callbacks, and the two ways
# to switch it off. mod_ssl itself comes by dlopen.
limit=120
. "$(dirname "$0")/common.sh"

need apache2 apache2-bin
modules=/usr/lib/apache2/modules
[ -f $modules/mod_ssl.so ] || skip_all "no mod_ssl"
make_certificate

serve() { # serve CACHE
    free_port
    rm -rf "$tmp/run" && mkdir -p "$tmp/run" && chmod 777 "$tmp/run"
    local load= name
    for name in mpm_event authz_core socache_shmcb ssl; do
        load="$load
LoadModule ${name}_module $modules/mod_$name.so"
    done
    mkdir -p "$tmp/htdocs" && echo hello >"$tmp/htdocs/index.html"
    cat >"$tmp/apache.conf" <<CONF
$load
ServerRoot $tmp/run
ServerName localhost
PidFile $tmp/run/pid
DefaultRuntimeDir $tmp/run
Mutex posixsem
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
User www-data
Group www-data
Listen 127.0.0.1:$port
ErrorLog $tmp/run/error.log
DocumentRoot $tmp/htdocs
<Directory $tmp/htdocs>
Require all granted
</Directory>
SSLSessionCache $1
SSLSessionTickets off
<VirtualHost *:$port>
SSLEngine on
SSLCertificateFile $cert
SSLCertificateKeyFile $key
</VirtualHost>
CONF
    start_server apache2 -f "$tmp/apache.conf" -DFOREGROUND
}

children() { cat /proc/"$server"/task/*/children; }
restarted() { [ "$(children | wc -w)" -eq 1 ] && [ "$(children)" != "$old" ] && is_listening "$port"; }

resumes() { # resumes CACHE EXPECTED
    serve "$1" || { tail -n 3 "$tmp/run/error.log"; return; }
    local what=${1%%:*}
    expect "$what, TLS 1.2 -reconnect, no tickets" "$(six_reconnects -no_ticket)" "$2"
    expect "$what, TLS 1.2" "$(six_handshakes tls1_2)" "$2"
    expect "$what, TLS 1.3" "$(six_handshakes tls1_3)" "$2"
    old=$(children)
    kill -USR1 "$server" # a graceful restart: a new context, the old one goes
    wait_for 10 restarted || fail "$what: the old child stays"
    expect "$what, after a graceful restart" "$(six_handshakes tls1_3)" "$2"
    expect "$what, children that died" "$(grep -cE 'exit signal|seg' "$tmp/run/error.log")" 0
    stop_server
    expect "$what, exit status" "$status" 0
}

scenario() {
    resumes "shmcb:$tmp/run/cache(512000)" "1N 5R"
    # Apache's callbacks answer; the internal cache is off, so there are no hits to count.
    if [ "$side" = with ]; then
        expect_that "in front: the library opened its statistics" test -e "$stats"
    else
        expect_that "no statistics without the library" test ! -e "$stats"
    fi
    resumes none "6N 0R"
    resumes nonenotnull "6N 0R"
}

on_both_sides scenario
finish
