# Shared by the scripts of this directory; read with `. common.sh`, never run.
#
# A script fetches a test suite that this project did not write, runs it without the library and
# with the library in front, and expects of every single test that it ends the same way. What
# fails without the library is the suite's own affair: it must fail in the same way with it.
#
#   SSLCACHE_LIB       the library to put in front (default: target/release/libsslcache.so)
#   SSLCACHE_INSTALL   "no": never install a package, skip instead
#   SSLCACHE_SHARING   when set: the side "with" has SSLCACHE_SHARED
#   SSLCACHE_BASELINE  a directory: results without the library are kept there, and taken from there
#   SSLCACHE_QUICK     when set: only the part of the suite that is about sessions
#   limit              set before reading this file: seconds the whole script may take
. "$(dirname "${BASH_SOURCE[0]}")/../preload/common.sh"

store=$root/target/third-party # what was fetched and built stays, for the next time
mkdir -p "$store" || exit 1
quick=${SSLCACHE_QUICK-}

# --- Fetching -------------------------------------------------------------------------

# apt-get and apt-cache with lists of their own: the sources of what the machine's own lists name.
source_apt() {
    local tool=$1
    shift
    timeout 240 "apt-$tool" -q -o Dir::Etc::SourceList="$store/apt/sources.list" \
        -o Dir::Etc::SourceParts="$store/apt/parts" -o Dir::State::Lists="$store/apt/lists" \
        -o Dir::Cache="$store/apt/cache" -o APT::Sandbox::User=root "$@"
}

source_lists() {
    local list
    [ ! -f "$store/apt/complete" ] || return 0
    command -v apt-get >/dev/null || skip_all "no apt-get to fetch Debian's source packages with"
    mkdir -p "$store/apt/parts" "$store/apt/lists/partial" "$store/apt/cache/archives/partial"
    cat /etc/apt/sources.list 2>/dev/null | sed -n 's/^deb[ \t]/deb-src /p' >"$store/apt/sources.list"
    for list in /etc/apt/sources.list.d/*.list; do
        [ ! -f "$list" ] || sed -n 's/^deb[ \t]/deb-src /p' "$list" >"$store/apt/parts/${list##*/}"
    done
    for list in /etc/apt/sources.list.d/*.sources; do
        [ ! -f "$list" ] || sed 's/^Types:.*/Types: deb-src/' "$list" >"$store/apt/parts/${list##*/}"
    done
    source_apt get update >"$tmp/apt.log" 2>&1 && touch "$store/apt/complete"
}

# debian_source SOURCE BINARY [PATH...]: sets `unpacked` to a directory with the original source that
# BINARY was built from, or only these paths of it. An archive keeps few versions: if it no longer
# has the installed one, the nearest it has.
debian_source() {
    local source=$1 binary=$2 installed version tarball
    shift 2
    unpacked=$store/$source
    [ ! -f "$unpacked/complete" ] || return 0
    source_lists
    installed=$(dpkg-query -W -f '${source:Version}' "$binary" 2>/dev/null)
    rm -rf "$unpacked" && mkdir -p "$unpacked"
    for version in $installed $(source_apt cache showsrc "$source" 2>/dev/null | sed -n 's/^Version: //p' | sort -Vru); do
        (cd "$unpacked" && source_apt get source --tar-only --download-only "$source=$version") >"$tmp/apt.log" 2>&1
        tarball=$(ls "$unpacked"/*.orig.tar.* 2>/dev/null)
        [ -n "$tarball" ] || continue
        tar -C "$unpacked" --strip-components=1 --wildcards -xf "$tarball" "${@/#/*/}" && touch "$unpacked/complete"
        break
    done
    [ -f "$unpacked/complete" ] ||
        skip_all "the source package $source cannot be fetched: $(grep '^E:' "$tmp/apt.log" | head -n 1)"
}

# debian_package BINARY: sets `unpacked` to a directory with its files; nothing is installed.
debian_package() {
    unpacked=$store/$1
    [ ! -f "$unpacked/complete" ] || return 0
    command -v apt-get >/dev/null || skip_all "no apt-get to fetch the package $1 with"
    rm -rf "$unpacked" && mkdir -p "$unpacked"
    (cd "$unpacked" && timeout 120 apt-get -q download "$1" && dpkg-deb -x "$1"_*.deb .) >"$tmp/apt.log" 2>&1 &&
        touch "$unpacked/complete"
    [ -f "$unpacked/complete" ] ||
        skip_all "the package $1 cannot be fetched: $(grep '^E:' "$tmp/apt.log" | head -n 1)"
}

# --- Comparing ------------------------------------------------------------------------

# Tests with the same name are numbered, so that each counts.
numbered() {
    sort | awk '{ n = ++seen[$0]; print (n > 1 ? $0 " (" n ")" : $0) }'
}

# results FUNCTION: what it prints on this side, in $tmp/SIDE.
results() {
    local around known=${SSLCACHE_BASELINE:+$SSLCACHE_BASELINE/$program${quick:+.quick}}
    if [ "$side" = without ] && [ -n "$known" ] && [ -s "$known" ]; then
        cp "$known" "$tmp/$side"
        return
    fi
    preload=
    [ "$side" = without ] || preload=$lib
    new_stats
    around=
    [ "$side" = without ] || around=with_segment
    $around "$1" 2>"$tmp/$side.err" | numbered >"$tmp/$side"
    [ "$side" != without ] || expect_silence
    [ "$side" != without ] || [ -z "$known" ] || cp "$tmp/$side" "$known"
}

# A look that finds the library where it is not would prove nothing where it is.
expect_silence() {
    [ ! -e "$stats" ] || fail "statistics, but no library"
}

ended() { grep -c "^$1 " "$tmp/without"; }

# What differs between the sides, a line for each: "< ok NAME" without the library, "> FAIL NAME" with it.
differences() {
    diff "$tmp/without" "$tmp/with" | grep '^[<>]' | sort
}

# same_results FUNCTION LEAST: FUNCTION runs the suite on the side of the moment and prints a line
# "ok NAME", "FAIL NAME" or "skip NAME" for each test. LEAST is how many must pass without the library:
# fewer, and the suite did not run.
#
# If anything differs, both sides run once more: what differs only once was decided by time or chance
# (two processes that print into one line, a test that cannot wait on a busy machine).
same_results() {
    local contexts stored again='' once=''
    [ -f "$lib" ] || { fail "no library at $lib"; finish; }
    for side in without with; do results "$1"; done
    differences >"$tmp/first"
    cp "$tmp/first" "$tmp/differ"
    if [ -s "$tmp/first" ]; then
        for side in without with; do results "$1"; done
        differences | comm -12 "$tmp/first" - >"$tmp/differ"
        once=$(($(grep -c . "$tmp/first") - $(grep -c . "$tmp/differ")))
        [ "$once" -eq 0 ] || again=" ($once differed once, and not again)"
    fi
    contexts=$(grep -c '^sslcache: process .* (interposed)$' "$stats" 2>/dev/null)
    stored=$(counter stored)
    side=
    if [ "$(ended ok)" -lt "$2" ]; then
        tail -n 5 "$tmp/without.err"
        fail "$(ended ok) tests pass without the library, expected at least $2"
    elif [ ! -s "$tmp/differ" ]; then
        ok "$(grep -c . "$tmp/with") tests end as without the library: $(ended ok) pass, $(ended FAIL) fail, $(ended skip) are skipped$again"
    else
        sed 's/^</  without:/; s/^>/  with:   /' "$tmp/differ" | head -n 40
        tail -n 5 "$tmp/with.err"
        fail "$(grep -c . "$tmp/differ") results differ$again"
    fi
    if [ "${contexts:-0}" -gt 0 ]; then
        ok "in front of $contexts contexts, which stored $stored sessions"
    else
        fail "the library was not in front"
    fi
}
