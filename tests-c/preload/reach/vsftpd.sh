# vsftpd, implicit TLS: a process for each client, in a chroot, with dropped privileges.
title="vsftpd"
best="tickets"
need vsftpd vsftpd
client=()
mkdir -p "$tmp/ftp" "$tmp/empty"

configure() {
    cat >"$tmp/vsftpd.conf" <<CONF
listen=YES
listen_address=127.0.0.1
listen_port=$port
background=NO
anonymous_enable=YES
local_enable=NO
anon_root=$tmp/ftp
nopriv_user=nobody
secure_chroot_dir=$tmp/empty
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
xferlog_enable=NO
ssl_enable=YES
implicit_ssl=YES
allow_anon_ssl=YES
ssl_tlsv1=YES
ssl_ciphers=HIGH
rsa_cert_file=$cert
rsa_private_key_file=$key
CONF
}
start() { start_server vsftpd "$tmp/vsftpd.conf"; }
reload() { kill -HUP "$server"; }
