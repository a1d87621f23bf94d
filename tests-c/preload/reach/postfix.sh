# Postfix: a process for some connections, executed by a master that cleans the environment.
title="Postfix, smtps"
best="tickets, keys by tlsmgr"
need postfix postfix
postfix=/usr/lib/postfix/sbin
[ -x $postfix/master ] || skip_all "Postfix lies elsewhere"
worker=smtpd
client=(--to-the-end --send $'QUIT\r\n')
mkdir -p "$tmp/postfix" "$tmp/spool" "$tmp/lib" && chmod 755 "$tmp/postfix" "$tmp/spool"
chown postfix "$tmp/lib"

configure() {
    cat >"$tmp/postfix/main.cf" <<CONF
compatibility_level = 3.6
queue_directory = $tmp/spool
data_directory = $tmp/lib
daemon_directory = $postfix
inet_interfaces = 127.0.0.1
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
smtpd_tls_security_level = may
smtpd_tls_cert_file = $cert
smtpd_tls_key_file = $key
maillog_file = $tmp/spool/mail.log
maillog_file_prefixes = $tmp
import_environment = MAIL_CONFIG TZ LD_PRELOAD SSLCACHE_SHARED SSLCACHE_SET SSLCACHE_VERBOSE
CONF
    cat >"$tmp/postfix/master.cf" <<CONF
127.0.0.1:$port inet n - n - 2 smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
CONF
    MAIL_CONFIG=$tmp/postfix $postfix/postfix-script check 2>/dev/null
    mkdir -p "$tmp/spool"/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace,pid,public,maildrop}
    chown postfix "$tmp/spool"/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace,public,maildrop}
}
start() { start_server env MAIL_CONFIG="$tmp/postfix" $postfix/master -d -c "$tmp/postfix"; }
reload() { kill -HUP "$server"; }
