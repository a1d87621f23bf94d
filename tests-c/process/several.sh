# several libssl in one process, whatever their files are called: each caller is served by its own
build host host.c -ldl
build linked_host host.c -DOWN -lssl -lcrypto -ldl
module linked.so plugin.c -DNAME='"linked"' -lssl -lcrypto

# A copy under another name, as Python's wheels bring it. The new names are as long as the old.
real=$(realpath "$libssl_dir/libssl.so")
real_crypto=$(realpath "$libssl_dir/libcrypto.so")
soname() { readelf -d "$1" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p'; }
ssl_name=$(soname "$real") crypto_name=$(soname "$real_crypto")
other_ssl=${ssl_name/libssl/libtls} other_crypto=${crypto_name/libcrypto/libcrypta}
renamed() { # FILE RESULT
    LC_ALL=C sed "s/${ssl_name//./\\.}/$other_ssl/g; s/${crypto_name//./\\.}/$other_crypto/g" "$1" >"$bin/$2"
}
renamed "$real" "$other_ssl"
renamed "$real_crypto" "$other_crypto"
module renamed.so plugin.c -DNAME='"renamed"' -L"$bin" -l:"$other_ssl" -l:"$other_crypto" -Wl,-rpath,"$bin"
readelf -d "$bin/renamed.so" | grep -q "NEEDED.*$other_ssl" || fail 'the renamed copy is not what is linked'

same 60 ./host ./linked.so
same 60 ./host ./renamed.so
same 60 ./host ./linked.so ./renamed.so
same 60 ./host ./renamed.so ./linked.so
same 60 ./linked_host ./renamed.so
same 60 ./linked_host ./renamed.so ./linked.so
same 60 ./host -again ./renamed.so
same 60 ./host -again ./linked.so ./renamed.so
same_debug 60 ./linked_host ./renamed.so ./linked.so

# One inside a plugin, or inside the program: with visible symbols, as it comes.
static=("$libssl_dir/libssl.a" "$libssl_dir/libcrypto.a" -ldl -pthread)
if [ -f "${static[0]}" ]; then
    module private.so plugin.c -DNAME='"private"' "${static[@]}"
    module second.so plugin.c -DNAME='"second"' "${static[@]}"
    module symbolic.so plugin.c -DNAME='"symbolic"' "${static[@]}" -Wl,-Bsymbolic
    module hidden.so plugin.c -DNAME='"hidden"' "${static[@]}" -Wl,--exclude-libs,ALL
    build static_host host.c -DOWN -rdynamic "${static[@]}"
    build static_host_alone host.c -DOWN "${static[@]}"
    for plugin in private symbolic hidden; do
        same 60 ./host ./$plugin.so
        same 60 ./linked_host ./$plugin.so
        same 60 ./host ./$plugin.so ./linked.so ./renamed.so
        same 60 ./linked_host ./renamed.so ./$plugin.so
    done
    same 60 ./host ./private.so ./second.so
    same 60 ./host ./second.so ./private.so ./linked.so
    same 60 ./host -again ./private.so ./second.so
    same 60 ./static_host ./linked.so
    same 60 ./static_host ./renamed.so ./private.so
    same 60 ./static_host_alone ./linked.so ./private.so
    same_debug 60 ./host ./private.so ./second.so ./renamed.so
else
    skip 'private copies: this build has no libssl.a'
fi

# Another release beside this one.
for older in "$root"/target/versions/1.1.1*/; do
    [ -d "$older/lib" ] && [ -z "$libssl" ] || continue
    module older.so plugin.c -DNAME='"older"' -I"$older/include" -L"$older/lib" -l:libssl.so.1.1 -l:libcrypto.so.1.1 \
        -Wl,-rpath,"$older/lib"
    same 60 ./host ./older.so
    same 60 ./linked_host ./older.so
    same 60 ./host ./older.so ./linked.so ./renamed.so
done

# A copy of ourselves is no libssl.
cp "$lib" "$bin/copy.so"
alone=$(ended 60 ./linked_host ./renamed.so)
is_same 'two copies of the library in front' "$alone" "$(ended 60 LD_PRELOAD="$lib $bin/copy.so" ./linked_host ./renamed.so)"
is_same 'and of one the other way round' "$alone" "$(ended 60 LD_PRELOAD="$bin/copy.so $lib" ./linked_host ./renamed.so)"

# Who is served, and that it is served.
blocks() { grep -c '(interposed)$' || true; }
is_same 'the renamed one is served where it is alone' 2 "$(ended 60 SSLCACHE_STATS=1 LD_PRELOAD="$lib" ./host ./renamed.so | blocks)"
is_same 'of two the one that makes the first context' 2 \
    "$(ended 60 SSLCACHE_STATS=1 LD_PRELOAD="$lib" ./host ./renamed.so ./linked.so | blocks)"
is_same 'by one of two copies of the library' "$(ended 60 SSLCACHE_STATS=1 LD_PRELOAD="$lib" ./linked_host ./renamed.so | blocks)" \
    "$(ended 60 SSLCACHE_STATS=1 LD_PRELOAD="$lib $bin/copy.so" ./linked_host ./renamed.so | blocks)"
is_same 'and verbose says which' "sslcache: interposed: in front of $(realpath "$bin")/$other_ssl" \
    "$(ended 60 SSLCACHE_VERBOSE=1 LD_PRELOAD="$lib" ./host ./renamed.so | grep '^sslcache: interposed')"
