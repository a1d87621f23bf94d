# what may be wrong with the memory, its keys or the process: one line at most, and the program runs as without
build one one.c -lssl -lcrypto -pthread
build make_certificates make_certificates.c -lssl -lcrypto
(cd "$bin" && ended 20 ./make_certificates)

dir=$(mktemp -d /dev/shm/sslcache-faults.XXXXXX)
trap 'rm -rf "$dir"' EXIT
new() { rm -rf "${dir:?}"/m*; }

# one VALUE WORD...: the program, with what it says on standard error first.
one() { ended 60 SSLCACHE_SHARED="$1" LD_PRELOAD="$lib" ./one "${@:2}"; }

alone=$(ended 20 ./one twice)
is_same 'without the variable' $'full\nresumed' "$alone"
# refused LABEL VALUE WHY [WORD...]: one line says why, and the program does what it does alone.
refused() {
    local value=$2
    is_same "$1" "sslcache: SSLCACHE_SHARED=$value: $3; taken as not shared
$alone" "$(one "$value" "${@:4}" twice)"
}
# shares LABEL VALUE [WORD...]: the next process resumes what this one has made, and nothing else is said.
shares() {
    local made
    made=$(one "$2" "${@:3}" make)
    is_same "$1" resumed "$(one "$2" "${@:3}" resume "$made")"
}

# --- Values ------------------------------------------------------------------------------------

refused 'no option' "$dir/m,sizze=1m" 'no option that there is at place 1; there are size, mode, group, key, ns, sni'
refused 'a bad value of an option' "$dir/m,size=1m,sni=no" 'sni expects key or ignore'
refused 'the same option twice' "$dir/m,ns=a,ns=b" 'ns is there twice'
refused 'no path' web "expected a path with a '/', or anonymous"
[ -z "$(ls "$dir")" ] && ok 'a refused value makes no file' || fail 'a refused value makes a file'

# A program that never calls libssl says nothing and makes nothing, whatever the value is.
for value in "$dir/m" "$dir/m,sizze=1m" /nowhere/m web; do
    [ -z "$(ended 20 SSLCACHE_SHARED="$value" LD_PRELOAD="$lib" ls "$dir")" ] || fail "ls says something: $value"
done
[ -z "$(ls "$dir")" ] && ok 'a program without TLS says nothing, and makes nothing' || fail 'ls makes a file'

# --- The file ----------------------------------------------------------------------------------

shares 'nothing wrong' "$dir/m,size=1m"
refused 'no directory' "$dir/no/m" 'not attached: open: No such file or directory'
refused 'a file for a directory' "$dir/m.v1/m" 'not attached: open: Not a directory'

# damaged LABEL WHY COMMAND: a good file, changed by the command.
damaged() {
    new
    one "$dir/m,size=1m" first
    (cd "$dir" && eval "$3")
    refused "$1" "$dir/m,size=1m" "$2"
}
damaged 'a symbolic link' 'not attached: open: Too many levels of symbolic links' 'mv m.v1 m2.v1; ln -s m2.v1 m.v1'
damaged 'a FIFO' 'not attached: it is not a regular file' 'rm m.v1; mkfifo m.v1'
damaged 'a directory' 'not attached: open: Is a directory' 'rm m.v1; mkdir m.v1'
damaged 'others may write' 'not attached: others may write to it' 'chmod 606 m.v1'
damaged 'a group may write' 'not attached: others may write to it' 'chmod 620 m.v1'
damaged 'an empty file' 'not attached: it is no segment of sslcache, or damaged' ': >m.v1'
damaged 'a truncated file' 'not attached: its size is not what it says' 'truncate -s 500k m.v1'
damaged 'a file with a hole' 'not attached: parts of it have no memory' 'truncate -s 2m m.v1'
damaged 'a longer file' 'not attached: its size is not what it says' 'head -c 16384 /dev/zero >>m.v1'
damaged 'another magic' 'not attached: it is no segment of sslcache, or damaged' 'printf SSLCACHE | dd of=m.v1 conv=notrunc status=none'
damaged 'another format' 'not attached: it has another format' 'printf "\\2" | dd of=m.v1 bs=1 seek=8 conv=notrunc status=none'
damaged 'another geometry' 'not attached: it is no segment of sslcache, or damaged' 'printf "\\7" | dd of=m.v1 bs=1 seek=16 conv=notrunc status=none'
damaged 'another checksum' 'not attached: it is no segment of sslcache, or damaged' 'printf "\\7" | dd of=m.v1 bs=1 seek=57 conv=notrunc status=none'
new
refused 'not on tmpfs' "$bin/m" 'not attached: it is not on tmpfs'
[ ! -e "$bin/m.key" ] && [ ! -e "$bin/m.v1" ] && ok 'and leaves no key on a disk' || fail 'a key is left on a disk'
rm -f "$bin/m.key" "$bin/m.v1"

# --- Keys --------------------------------------------------------------------------------------

key() { openssl rand -base64 32; }
new
one "$dir/m,size=1m" first
rm "$dir/m.key"
refused 'the key is gone' "$dir/m" 'not attached: it was made with another key'
# bad_key LABEL WHY COMMAND: with a key file m.k that the command makes.
bad_key() {
    new
    (cd "$dir" && umask 077 && eval "$3")
    refused "$1" "$dir/m,size=1m,key=$dir/m.k" "no keys: $2"
}
bad_key 'no key file' 'open: No such file or directory' :
bad_key 'an empty key file' 'there is no key in it' ': >m.k'
bad_key 'a short key' 'line 1 is no key of 32 bytes in base64' 'openssl rand -base64 31 >m.k'
bad_key 'a short second key' 'line 2 is no key of 32 bytes in base64' '{ key; openssl rand -base64 16; } >m.k'
bad_key 'too many keys' 'it is longer than four keys' 'for i in 1 2 3 4 5; do key; done >m.k'
bad_key 'nonsense' 'line 1 is no key of 32 bytes in base64' 'head -c 100 /dev/zero >m.k'
bad_key 'a key that others may read' 'others may read it or write to it' 'key >m.k; chmod 604 m.k'
bad_key 'a key behind a symbolic link' 'open: Too many levels of symbolic links' 'key >m.k2; ln -s m.k2 m.k'
bad_key 'a FIFO for a key' 'it is not a regular file' 'mkfifo m.k'
new
(umask 077 && key >"$dir/m.k" && key >"$dir/m.other" && key >"$dir/m.new" && cat "$dir/m.new" "$dir/m.k" >"$dir/m.both")
old="$dir/m,size=1m,key=$dir/m.k" both="$dir/m,size=1m,key=$dir/m.both"
made=$(one "$old" make)
refused 'another key' "$dir/m,key=$dir/m.other" 'not attached: it was made with another key'
is_same 'a new key before the old one' resumed "$(one "$both" resume "$made")"
made=$(one "$both" make)
is_same 'what the new one sealed' resumed "$(one "$both" resume "$made")"
is_same 'is a miss for one that has only the old' full "$(one "$old" resume "$made")"
is_same 'and is still there' resumed "$(one "$both" resume "$made")"
refused 'the old one gone too early' "$dir/m,key=$dir/m.new" 'not attached: it was made with another key'

# --- The process -------------------------------------------------------------------------------

new
shares 'descriptors are closed after the first call' "$dir/m,size=1m" first closefrom
new
is_same 'a child and its parent' 'child 0, resumed' "$(one anonymous,size=1m forked)"
is_same 'a child and its parent, by a path' 'child 0, resumed' "$(one "$dir/m,size=1m" forked)"
is_same 'many children at once' '0 bad, then resumed' "$(one anonymous,size=1m crowd 50)"
is_same 'children of a process with threads' '0 ended badly, then resumed' "$(one anonymous,size=1m storm $((100 * rounds)))"
new
is_same 'first starters' 'one memory, each time' "$(one "$dir/m,size=1m" starters $((100 * rounds)) "$dir/m")"
new
shares 'no memory may be locked' "$dir/m,size=1m" memlock0
new
shares 'system calls are filtered' "$dir/m,size=1m" filter
is_same 'how well the keys are kept is said' 1 "$(SSLCACHE_VERBOSE=1 one "$dir/m" memlock0 first | grep -c 'shared: attached, .* keys ')"

if [ "$(id -u)" != 0 ]; then
    skip 'what needs root'
    return
fi

damaged 'another owner' 'not attached: it belongs to another user' 'chown 65534 m.v1'
bad_key 'a key of another owner' 'it belongs to another user' 'key >m.k; chown 65534 m.k'
mkdir -p "$dir/root"
new
shares 'chroot and another user after the first call' "$dir/m,size=1m" first chroot "$dir/root" uid 65534
shares 'and before it, where the file is there' "$dir/m,size=1m" chroot "$dir/root" uid 65534
new
refused 'before it, and it is not there' "$dir/m" 'not attached: open: No such file or directory' chroot "$dir/root"
chmod 755 "$dir"
refused 'another user, whose directory it is not' "$dir/m" 'no keys: open: Permission denied' uid 65534
new
install -d -o 65534 "$dir/mine"
shares 'another user, whose directory it is' "$dir/mine/m,size=1m" uid 65534
shares 'and no memory may be locked' "$dir/mine/m,size=1m" memlock0 uid 65534

# in_mount OPTIONS COMMAND...: with a tmpfs of its own on $dir/mount.
mkdir -p "$dir/mount"
in_mount() {
    unshare -m sh -c 'mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"' sh "$1" "$dir/mount" "${@:2}"
}
if in_mount size=64k true 2>/dev/null; then
    mounted() { # LABEL OPTIONS WHY
        is_same "$1" "sslcache: SSLCACHE_SHARED=$dir/mount/m,size=1m: $3; taken as not shared
$alone" "$(cd "$bin" && in_mount "$2" timeout 20 env ${libssl:+LD_LIBRARY_PATH="$libssl"} \
            SSLCACHE_SHARED="$dir/mount/m,size=1m" LD_PRELOAD="$lib" ./one twice 2>&1)"
    }
    mounted 'a full tmpfs' size=512k 'not attached: fallocate: No space left on device'
    mounted 'a directory that is only read' ro 'no keys: open: Read-only file system'
    # Without /proc programs still tell themselves from each other.
    cp "$bin/one" "$bin/another"
    without_proc() {
        unshare -m sh -c 'mount -t tmpfs none /proc && exec "$@"' sh timeout 20 env \
            ${libssl:+LD_LIBRARY_PATH="$libssl"} SSLCACHE_SHARED="$dir/m,size=1m" LD_PRELOAD="$lib" "$@" 2>&1
    }
    new
    made=$(cd "$bin" && without_proc ./one make)
    is_same 'without /proc: the same program' resumed "$(cd "$bin" && without_proc ./one resume "$made")"
    is_same 'without /proc: another program' full "$(cd "$bin" && without_proc ./another resume "$made")"
    is_same 'without /proc, and with it' resumed "$(one "$dir/m" resume "$made")"
else
    skip 'no mounts here'
fi
