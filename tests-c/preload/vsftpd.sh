#!/usr/bin/env bash
# vsftpd with require_ssl_reuse: every data connection must resume the session of its control
# connection, or the transfer is refused. One process for each client, in a chroot.
limit=90
. "$(dirname "$0")/common.sh"

need vsftpd vsftpd
need curl curl
make_certificate
exit_by_handlers

mkdir -p "$tmp/ftp" "$tmp/empty"
chmod 755 "$tmp/ftp" "$tmp/empty"
head -c 200000 /dev/urandom >"$tmp/ftp/file"
chmod 644 "$tmp/ftp/file"

serve() {
    free_port
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
pasv_min_port=30000
pasv_max_port=30999
xferlog_enable=NO
ssl_enable=YES
allow_anon_ssl=YES
force_anon_data_ssl=YES
force_anon_logins_ssl=YES
ssl_tlsv1=YES
ssl_ciphers=HIGH
rsa_cert_file=$cert
rsa_private_key_file=$key
require_ssl_reuse=$1
CONF
    start_server vsftpd "$tmp/vsftpd.conf"
}

ftp() { # ftp VERSION CURL_OPTION...: without the library
    local version=$1
    shift
    timeout 30 curl -sS --ssl-reqd --cacert "$cert" --tlsv1.$version --tls-max 1.$version \
        --resolve "localhost:$port:127.0.0.1" "$@" 2>"$tmp/curl.log"
}

scenario() {
    serve YES || return
    local version url=ftp://localhost:$port
    for version in 2 3; do
        expect "TLS 1.$version: six listings" "$(ftp $version "$url/" "$url/" "$url/" "$url/" "$url/" "$url/" | grep -c file)" 6
        ftp $version "$url/file" "$url/file" "$url/file" "$url/file" >"$tmp/got"
        expect "TLS 1.$version: four files over one control connection" \
            "$(wc -c <"$tmp/got") $(head -c 200000 "$tmp/got" | cmp - "$tmp/ftp/file" && echo same)" "800000 same"
        ftp $version --no-sessionid "$url/file" >"$tmp/got"
        expect "TLS 1.$version: a client that does not resume is refused" "$(wc -c <"$tmp/got")" 0
    done
    stop_server
    in_front stored
}

on_both_sides scenario
finish
