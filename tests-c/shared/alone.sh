# processes without libssl, which have the library's own objects, share them too
ln -sf "$lib" "$bin/libsslcache.so.0"
# It has nothing to do with the release under test.
flags=(-O1 -g -Wall -Wextra -Werror -I"$root/include")
build alone alone.c "$lib" -Wl,-rpath,"$bin"
dir=$(mktemp -d /dev/shm/sslcache-alone.XXXXXX)
trap 'rm -rf "$dir"' EXIT

# says LABEL EXPECTED WORD...: a process of its own, and what it says.
says() { is_same "$1" "$2" "$(ended 20 SSLCACHE_SHARED="${value:-$dir/m,size=1m}" ./alone "${@:3}")"; }
session='good for 300 s, a secret'

says 'a session is made' 1 make one
says 'another process accepts it' "$session" accept one
says 'not under another id' unknown accept on
says 'not in another session id context' unknown accept one other
value="$dir/m,ns=other" says 'not in another service' unknown accept one
is_same 'not without the variable' unknown "$(ended 20 ./alone accept one)"
says 'a removal' 1 remove one
says 'is one for all' unknown accept one
says 'and for the one that comes later' 0 remove one
says 'what an application adds' 1 add two
says 'is shared as well' "$session" accept two
says 'a timeout' 'good for 77 s, a secret' timeout two 77
says 'that another has changed' 'good for 77 s, a secret' accept two
says 'flushed' flushed flush x
says 'is flushed for all' unknown accept two
says 'and it begins anew' 1 make two
says 'with the same id' "$session" accept two

# A program with more rights than its caller does not listen to that one.
if [ "$(id -u)" = 0 ]; then
    safe=$(mktemp -d)
    trap 'rm -rf "$dir" "$safe"' EXIT
    chmod 755 "$safe"
    chmod 777 "$dir"
    install -m 755 "$lib" "$safe/libsslcache.so.0"
    build alone_setuid alone.c "$lib" -Wl,-rpath,"$safe"
    install -o 65534 -m 4755 "$bin/alone_setuid" "$safe/alone"
    is_same 'a setuid program works' 1 "$(ended 20 SSLCACHE_SHARED="$dir/setuid,sizze=1" "$safe/alone" make one)"
    ended 20 SSLCACHE_SHARED="$dir/setuid,size=1m" "$safe/alone" make one >/dev/null
    [ -z "$(ls "$dir" | grep setuid)" ] && ok 'and shares nothing' || fail 'a setuid program makes a file'
    # The same program without the right: the file would have been there.
    chmod u-s "$safe/alone"
    ended 20 SSLCACHE_SHARED="$dir/setuid,size=1m" "$safe/alone" make one >/dev/null
    is_same 'which it does without those rights' 2 "$(ls "$dir" | grep -c setuid)"
else
    skip 'setuid programs: not root'
fi
