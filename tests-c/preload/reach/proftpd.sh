# ProFTPD, implicit TLS: a process for each client, in a chroot.
title="ProFTPD"
best='`TLSSessionCache shm:`'
need proftpd proftpd-core proftpd-mod-crypto
modules=/usr/lib/proftpd
[ -f $modules/mod_tls.so ] || skip_all "no mod_tls (package proftpd-mod-crypto)"
client=(--to-the-end --send $'QUIT\r\n')
mkdir -p "$tmp/ftp"

configure() {
    rm -f "$tmp/sesscache"
    cat >"$tmp/proftpd.conf" <<CONF
ModulePath $modules
LoadModule mod_tls.c
$([ "$1" != best ] || echo "LoadModule mod_tls_shmcache.c")
ServerName localhost
ServerType standalone
UseIPv6 off
DefaultAddress 127.0.0.1
SocketBindTight on
Port $port
User nobody
Group nogroup
WtmpLog off
TransferLog none
SystemLog $tmp/proftpd.log
PidFile $tmp/proftpd.pid
ScoreboardFile $tmp/scoreboard
UseReverseDNS off
TLSEngine on
TLSProtocol TLSv1.2 TLSv1.3
TLSOptions UseImplicitSSL
TLSRSACertificateFile $cert
TLSRSACertificateKeyFile $key
TLSECCertificateFile $cert
TLSECCertificateKeyFile $key
$([ "$1" != best ] || echo "TLSSessionCache shm:/file=$tmp/sesscache")
CONF
    sed -i '/TLSRSA/d' "$tmp/proftpd.conf"
}
start() { start_server proftpd -n -c "$tmp/proftpd.conf"; }
reload() { kill -HUP "$server"; }
