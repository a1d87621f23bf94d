# Dovecot: a login process for each connection, in a chroot, executed by a master that cleans the
# environment.
title="Dovecot, imaps"
best="none: its login processes share nothing"
need dovecot dovecot-core dovecot-imapd
[ -x /usr/lib/dovecot/imap-login ] || skip_all "no imap-login (package dovecot-imapd)"
worker=imap-login
client=(--to-the-end --send $'a LOGOUT\r\n')

configure() {
    cat >"$tmp/dovecot.conf" <<CONF
base_dir = $tmp/run
protocols = imap
log_path = $tmp/dovecot.log
ssl = required
ssl_cert = <$cert
ssl_key = <$key
default_internal_user = dovecot
default_login_user = dovenull
import_environment = TZ LD_PRELOAD SSLCACHE_SHARED SSLCACHE_SET SSLCACHE_VERBOSE
passdb {
  driver = static
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = $port
    ssl = yes
  }
}
CONF
}
# The login processes are in their chroot before their first call: by then the memory has to be there.
start() {
    [ -z "$preload" ] || fronted 10 openssl ciphers >/dev/null
    start_server dovecot -F -c "$tmp/dovecot.conf"
}
reload() { kill -HUP "$server"; }
