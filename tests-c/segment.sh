# The suites once more, with SSLCACHE_SHARED: what every runner's --shared means. Read with `. segment.sh`, never run.
# shellcheck shell=bash
#
# The side with the library has memory that no other program has. (libssl alone does not look at the variable.) What
# it then prints on purpose otherwise is in a file of its own beside the program, and why in COMPATIBILITY.md.

shared=            # --shared was given
shared_size=16m    # of each segment
has_shared=        # the last command of with_segment has used it

# with_segment COMMAND...: with --shared, the command with a segment of its own, which goes with it.
with_segment() {
    if [ -z "$shared" ]; then
        "$@"
        return
    fi
    local segment_directory segment_status
    segment_directory=$(mktemp -d /dev/shm/sslcache-test.XXXXXX) || return
    SSLCACHE_SHARED=$segment_directory/segment,size=$shared_size "$@"
    segment_status=$?
    has_shared=$(ls "$segment_directory"/segment.v1 2>/dev/null)
    rm -rf "$segment_directory"
    return $segment_status
}

# is_in_use: without --shared, or the last command of with_segment has made use of its segment.
is_in_use() { [ -z "$shared" ] || [ -n "$has_shared" ]; }
