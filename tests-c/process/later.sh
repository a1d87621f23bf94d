# a libssl that comes when the library has been asked, or has made objects of its own: neither meets the other's
module linked.so plugin.c -DNAME='"linked"' -lssl -lcrypto
flags_without_openssl=(-O1 -g -Wall -Wextra -Werror -D_GNU_SOURCE -I"$root/include")
ln -sf "$lib" "$bin/libsslcache.so.0"
ln -sf "$debug" "$bin/libsslcache-debug.so"
"${CC:-cc}" "${flags_without_openssl[@]}" "$here/later.c" -o "$bin/later" -L"$bin" -l:libsslcache.so.0 -Wl,-rpath,"$bin" -ldl
"${CC:-cc}" "${flags_without_openssl[@]}" -DWEAK "$here/later.c" -o "$bin/weak" -ldl

plugin='linked: visit 1, added 1, holds 2, timeout 304, cipher ECDHE-ECDSA-AES256-GCM-SHA384
linked: removed 1, 0, copy decoded
linked: visit 2, added 1, holds 2, timeout 305, cipher ECDHE-ECDSA-AES256-GCM-SHA384
linked: removed 1, 1, copy decoded
given 1
linked: removed in all 3'
ours='ours: holds 2, found 1, timeout 77, decoded 1, removed 1'
for front in "" "$debug"; do
    label=${front:+ (debug build)}
    run() { ended 30 ${front:+LD_PRELOAD="$front"} "$@"; }
    # The program's own objects before, beside and after those of the plugin.
    is_same "objects of ours, then a libssl$label" "$ours
$plugin
$ours
$plugin
$ours
ours: freed" "$(run ./later objects ./linked.so)"
    # Questions alone: there is no standing yet, and the plugin's libssl is served.
    is_same "questions, then a libssl$label" "asked: 1 1 (NONE)
$plugin
asked: 1 1 (NONE)
$plugin" "$(run ./later questions ./linked.so)"
done
weak() { ended 30 SSLCACHE_STATS=1 LD_PRELOAD="$lib" ./weak "$@"; }
is_same 'weak references, then a libssl that is served' 4 "$(weak questions ./linked.so | grep -c '(interposed)$' || true)"
# A method that was asked for before there was a libssl, given to one that came.
is_same 'a method of ours, then a libssl, then a context of it' 'a context of the method: 1, holds 0' \
    "$(ended 30 LD_PRELOAD="$lib" ./weak method "$libssl_dir/$(basename "$(realpath "$libssl_dir/libssl.so")")")"
# Without any, what is made is ours.
is_same 'no libssl at all' "$ours
$ours
$ours
ours: freed" "$(ended 30 ./later objects)"
