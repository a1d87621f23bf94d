#!/usr/bin/env bash
# The command sslcache with real programs: what it runs, what it refuses, and what it says of them.
#
#   tests-c/command/run.sh              all of it (what is about segments alone: crates/cli/tests)
#   tests-c/command/run.sh --only NAME  the checks of one function below, such as advice
#   tests-c/command/run.sh --list       their names
#
# Needs openssl and a C compiler, and the library in target/release. Exit status: 0 if every check passed.
set -u
parts="shared advice signals refused arguments scripts units completions"
only=$parts
case ${1-} in
  '') ;;
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
  --list) tr ' ' '\n' <<<"$parts"; exit 0 ;;
  --only) only=${2-} ;;
  *) echo "command/run.sh: unknown argument $1" >&2; exit 2 ;;
esac
case " $parts " in
  *" $only "* | *" $parts "*) ;;
  *) echo "command/run.sh: no part $only (--list shows them)" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
unset LD_PRELOAD SSLCACHE_STATS SSLCACHE_VERBOSE SSLCACHE_SHARED SSLCACHE_SET
export LC_ALL=C SSLCACHE_LIBRARY=${SSLCACHE_LIB:-$root/target/release/libsslcache.so}
cargo build --quiet --package sslcache-cli || exit 1
PATH=$root/target/debug:$PATH

memory=$(mktemp -d /dev/shm/sslcache-command.XXXXXX) || exit 1
tmp=$(mktemp -d "${TMPDIR:-/tmp}/sslcache-command.XXXXXX") || exit 1
started=()
# shellcheck disable=SC2317 # called by the trap
clean_up() {
  kill "${started[@]}" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$tmp" "$memory"
}
trap clean_up EXIT
cd "$tmp" || exit 1
suite=command
. "$root/tests-c/checks.sh"
has() { [[ "$1" == *"$2"* ]] || { echo "\"$1\" has not \"$2\""; return 1; }; }
# within SECONDS COMMAND...: until it succeeds.
within() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $until ] || { "$@"; return; }; sleep 0.1; done
}
# fails STATUS PART COMMAND...: ends with it, and says one line that has the part.
fails() {
  local status=0 said
  said=$("${@:3}" 2>&1 >/dev/null) || status=$?
  is "$status" "$1" && is "$(wc -l <<<"$said")" 1 && has "$said" "$2"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -keyout key.pem -out cert.pem 2>/dev/null || { echo "FAIL command: no certificate"; exit 1; }

# serve NAME [OPTION OF run ...] -- [OPTION OF s_server ...]: a server under the command. Sets $pid to the
# command's, $server to the server's, $port; what it says is in NAME.said.
serve() {
  local name=$1 of_run=()
  shift
  while [ "$1" != -- ]; do of_run+=("$1"); shift; done
  shift
  port=$((20000 + RANDOM % 10000))
  sslcache run "${of_run[@]}" -- openssl s_server -accept "$port" -cert cert.pem -key key.pem -quiet "$@" \
    </dev/null >/dev/null 2>"$name.said" &
  pid=$!
  started+=("$pid")
  within 10 listens && server=$(children "$pid")
}
# (Not by a connection: that would be one.)
listens() { grep -q ":$(printf %04X "$port") 0*:0000 0A " /proc/net/tcp /proc/net/tcp6; }
children() { cat "/proc/$1/task/$1/children" 2>/dev/null | tr -d ' '; }
ends() { kill "$1" 2>/dev/null; wait "$1"; }
# handshakes PROTOCOL N...: what became of them, at the ports; N for new, R for resumed.
handshakes() {
  local protocol=$1 at said=
  shift
  rm -f session
  for at; do
    said+=$( (sleep 0.2) | timeout 10 openssl s_client -connect "127.0.0.1:$at" "-$protocol" -servername a.example \
      $([ ! -s session ] || echo -sess_in session) -sess_out session 2>&1 | sed -nE 's/^(N|R)(ew|eused), TLS.*/\1/p')
  done
  echo "$said"
}
json() { python3 -c 'import json, sys; print(eval("answer" + sys.argv[1], {"answer": json.load(sys.stdin)}))' "$1"; }
of_segment() { sslcache stat --json "$memory/web" | json "$1"; }

# --- One cache for two servers ------------------------------------------------------------------

shared() {
  local first second one other
  check "create makes a segment" sslcache create "$memory/web,size=1m"
  serve first --shared "$memory/web" -- -no_ticket; first=$pid one=$port server1=$server
  serve second --shared "$memory/web" -- -no_ticket; second=$pid other=$port
  check "TLS 1.2: what one stores the other resumes" is "$(handshakes tls1_2 "$one" "$other" "$one" "$other")" NRRR
  check "TLS 1.3: the same" is "$(handshakes tls1_3 "$one" "$other" "$one" "$other")" NRRR
  check "stat: sessions are there" test "$(of_segment '["sessions"]["live"]')" -ge 2
  check "stat: hits" test "$(of_segment '["total"]["confirmed"] + answer["total"]["fetched"]')" -ge 6
  check "stat: both servers have it" is "$(of_segment '["users"]["processes"][0]["command"], len(answer["users"]["processes"])')" \
    "('openssl', 2)"
  check "stat by the number of a process" has "$(sslcache stat "$server1")" "sessions "
  check "check: it is sound" has "$(sslcache check "$memory/web")" sound
  check "dump: a line for each session" is "$(sslcache dump --json "$memory/web" | wc -l)" "$(of_segment '["sessions"]["live"]')"
  check "who: the server, the version and the segment" has \
    "$(sslcache who | grep "^ *$server1 " | tr -s ' ')" "openssl $(sslcache --version | sed 's/.* //') $(libssl_of "$server1") $memory/web.v1"
  check "info: it works" has "$(sslcache info "$server1")" "sessions are resumed out of the library's cache"
  check "info: as JSON" is "$(sslcache info --json "$server1" | json '["works"], answer["shares"][0]')" "(True, '$memory/web.v1')"
  check "info of a process without the library" fails_with_1 sslcache info $$
  sslcache flush --ns openssl "$memory/web" >/dev/null
  check "flush --ns: nobody resumes" is "$(rm -f old; cp session old; resumes "$one" old)" N
  check "and then new sessions do" is "$(handshakes tls1_2 "$one" "$other")" NR
  sslcache flush --ns another "$memory/web" >/dev/null
  check "flush --ns of another service changes nothing" is "$(resumes "$one" session)" R
  sslcache flush "$memory/web" >/dev/null
  check "flush: nobody resumes" is "$(resumes "$other" session)" N
  check "rotate: a new key" sslcache rotate "$memory/web"
  is "$(handshakes tls1_2 "$one" "$other")" NR >/dev/null && cp session kept
  check "resize says who has the old one" has "$(sslcache resize --size 2m "$memory/web")" "restart the server: processes"
  ends "$first"; ends "$second"
  serve third --shared "$memory/web" -- -no_ticket; third=$pid
  check "a server that starts later has its sessions, sealed with the older key" is "$(resumes "$port" kept)" R
  ends "$third"
  check "without servers the segment is there" is "$(of_segment '["users"]["processes"]')" "[]"
  check "gc" sslcache gc "$memory/web"
}
libssl_of() { grep -o '/[^ ]*libssl\.so[^ ]*' "/proc/$1/maps" | head -1; }
fails_with_1() { "$@" >/dev/null; is $? 1; }
resumes() { # PORT SESSION
  (sleep 0.2) | timeout 10 openssl s_client -connect "127.0.0.1:$1" -tls1_2 -servername a.example -sess_in "$2" 2>&1 |
    sed -nE 's/^(N|R)(ew|eused), TLS.*/\1/p'
}

# --- Why nothing happens --------------------------------------------------------------------------

says() { grep -q "^sslcache: .*$2" "$1.said" || { cat "$1.said"; return 1; }; }
advice() {
  serve tickets --after 1 --
  check "a server without clients waits for them" within 5 says tickets "waits for the first TLS connection"
  handshakes tls1_2 "$port" "$port" >/dev/null
  check "tickets: which setting would change it" within 5 says tickets "--set tickets=off"
  ends "$pid"
  port=$((20000 + RANDOM % 10000))
  sslcache run --quiet -- sh -c "openssl s_server -accept $port -cert cert.pem -key key.pem -quiet -no_ticket & wait" \
    </dev/null >/dev/null 2>&1 &
  pid=$!
  started+=("$pid")
  within 10 listens
  check "a process whose child is the server: it resumes" is "$(handshakes tls1_2 "$port" "$port")" NR
  check "and info knows" has "$(sslcache info "$(children "$pid")")" "sessions are resumed"
  kill "$(children "$(children "$pid")")"
  wait "$pid"
  serve off --after 1 -- -no_cache -no_ticket
  handshakes tls1_2 "$port" "$port" >/dev/null
  check "no cache: which setting would change it" within 5 says off "--shared anonymous --set cache=on"
  ends "$pid"
  serve on --after 1 --shared anonymous --set "cache=on tickets=off" -- -no_cache
  within 5 says on "waits for the first" >/dev/null
  check "with these settings it resumes" is "$(handshakes tls1_2 "$port" "$port")" NR
  check "and so it says" within 5 says on "sessions are resumed"
  ends "$pid"
  serve quiet --quiet --after 1 --
  sleep 1.5
  check "--quiet says nothing" is "$(grep ^sslcache quiet.said)" ""
  ends "$pid"
  check "a program without libssl" has "$(sslcache run --after 1 -- sleep 1.5 2>&1)" "there is no libssl in it"
  check "an environment that is cleaned" has "$(sslcache run --after 1 -- env -i sleep 1.5 2>&1)" "the library is not in it"
  check "a short program: nothing is said" is "$(sslcache run -- true 2>&1)" ""
}

# --- Signals and exit statuses ----------------------------------------------------------------------

ended() { "$@" >/dev/null 2>&1; echo $?; }
signals() {
  check "the program's exit status" is "$(ended sslcache run -- sh -c 'exit 7')" 7
  check "its death by a signal" is "$(ended sslcache run -- sh -c 'kill -9 $$')" 137
  local signal status
  # (A shell has its background jobs ignore SIGINT.)
  for signal in TERM HUP USR1 USR2; do
    # (One that was ignored when a shell began it does not trap: whoever runs this may have come by nohup.)
    env --default-signal="$signal" sslcache run -- sh -c "trap 'echo got $signal; exit 3' $signal; echo ready
      for _ in \$(seq 100); do sleep 0.1; done" >"$signal.out" &
    within 10 grep -q ready "$signal.out"
    kill -"$signal" $!
    wait $!
    status=$?
    check "SIG$signal goes on to the program" is "$status $(tail -1 "$signal.out")" "3 got $signal"
  done
  check "no signal is blocked in the program" is "$(sslcache run -- grep SigBlk /proc/self/status | tr -d '\t')" \
    "SigBlk:0000000000000000"
  sslcache run --exec -- sleep 30 & started+=($!)
  check "--exec becomes the program" within 5 is_named $! sleep
  ends $!
}
is_named() { is "$(cat "/proc/$1/comm")" "$2"; }

# --- What is refused --------------------------------------------------------------------------------

refused() {
  echo 'int main(void) { return 0; }' >main.c
  if cc -static main.c -o static 2>/dev/null; then
    check "a static program" fails 2 "everything is linked into it" sslcache run ./static
  else
    skip "a static program: there is no static C library"
  fi
  cp "$(type -P true)" setuid
  if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 4755 setuid; chmod 755 "$tmp"
    cp "$root/target/debug/sslcache" "$SSLCACHE_LIBRARY" .
    check "a set-user-ID program" fails 2 "set-user-ID" \
      setpriv --reuid 65534 --regid 65534 --clear-groups env SSLCACHE_LIBRARY="$tmp/libsslcache.so" ./sslcache run ./setuid
    check "which root may run" sslcache run ./setuid
  else
    skip "a set-user-ID program: only root can make one that is another user's"
  fi
  # The 19th byte of an ELF header begins the machine: one that nobody has.
  cp "$(type -P true)" foreign && printf '\x01\x7f' | dd of=foreign bs=1 seek=18 conv=notrunc 2>/dev/null
  check "a program for another processor" fails 2 "another kind of processor" sslcache run ./foreign
  check "what is not there" fails 127 "not found in PATH" sslcache run no-such-program
  check "a path that is not there" fails 127 "No such file" sslcache run ./no-such-program
  check "what is no program" fails 126 "it is no program" sslcache run ./main.c
  chmod +x main.c
  check "text without an interpreter" fails 126 "neither a program nor a script" sslcache run ./main.c
  check "a library that is none" fails 2 "it is no libsslcache.so" sslcache run --library "$(type -P true)" true
}

# --- Arguments and settings ---------------------------------------------------------------------------

arguments() {
  check "a bad word in --set" fails 2 "there are size, timeout" sslcache run --set "tikets=off" -- touch made
  check "a bad option in --shared" fails 2 "there are size, mode" sslcache run --shared /dev/shm/x,sizze=1m -- touch made
  check "cache=on without memory" fails 2 "needs --shared" sslcache run --set cache=on -- touch made
  check "then nothing is started" not test -e made
  check "the program's own arguments are its own" is "$(sslcache run -- echo --set x -h --)" "--set x -h --"
  check "without -- too" is "$(sslcache run echo --json)" --json
  check "settings reach the program" is "$(sslcache run --shared anonymous --set size=1k --stats ./s sh -c \
    'echo $SSLCACHE_SHARED $SSLCACHE_SET $SSLCACHE_STATS')" "anonymous size=1k ./s"
  check "another library stays, behind" is "$(LD_PRELOAD=libc.so.6 sslcache run sh -c 'echo $LD_PRELOAD')" "$SSLCACHE_LIBRARY:libc.so.6"
  check "usage: exit status 2" is "$(ended sslcache run)" 2
  check "help" has "$(sslcache --help)" "run "
  check "version" is "$(sslcache --version)" "sslcache $(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)"
  check "info of the library" has "$(sslcache info "$SSLCACHE_LIBRARY")" "libsslcache $(sslcache --version | sed 's/.* //')"
}

scripts() {
  printf '#!/bin/sh\necho "$LD_PRELOAD"\n' >script; chmod +x script
  check "a script's interpreter has the library" is "$(sslcache run ./script)" "$SSLCACHE_LIBRARY"
  if [ -x static ] || cc -static main.c -o static 2>/dev/null; then
    printf '#!%s\n' "$tmp/static" >script
    check "an interpreter that is static" fails 2 "everything is linked" sslcache run ./script
  fi
  printf '#!/usr/bin/env no-such-program\n' >script
  check "an interpreter that is not there" fails 127 no-such-program sslcache run ./script
  printf '#!%s\n' "$tmp/script" >script
  check "a script that is its own interpreter" fails 126 "and so on" sslcache run ./script
}

# --- Services -------------------------------------------------------------------------------------

units() {
  local file=$tmp/system/etc/systemd/system/web.service.d/sslcache.conf
  local enable=(sslcache enable --root "$tmp/system" --shared /run/sslcache/web --set "tickets=off timeout=2h" web)
  check "enable --print writes nothing" has "$("${enable[@]}" --print)" "Environment=LD_PRELOAD=$SSLCACHE_LIBRARY"
  check "and there is no file" not test -e "$file"
  check "enable writes the file" has "$("${enable[@]}")" "systemctl restart web.service"
  check "with all that was said" is "$(cat "$file")" "# Written by \"sslcache enable\"; \"sslcache disable\" removes it.
[Service]
RuntimeDirectory=sslcache
RuntimeDirectoryPreserve=yes
Environment=LD_PRELOAD=$SSLCACHE_LIBRARY
Environment=SSLCACHE_SHARED=/run/sslcache/web
Environment=\"SSLCACHE_SET=tickets=off timeout=2h\""
  if command -v systemd-analyze >/dev/null; then
    printf '[Service]\nExecStart=/bin/true\n' >"$tmp/system/etc/systemd/system/web.service"
    check "systemd understands it" is "$(systemd-analyze verify --root "$tmp/system" web.service 2>&1 | grep sslcache)" ""
  else
    skip "what systemd says: there is no systemd-analyze"
  fi
  check "enable again" "${enable[@]}"
  check "disable removes it" has "$(sslcache disable --root "$tmp/system" web.service)" "is removed"
  check "the directory too" not test -e "$(dirname "$file")"
  check "disable again" fails 1 "nothing to do" sslcache disable --root "$tmp/system" web
  mkdir -p "$(dirname "$file")" && echo '[Service]' >"$file"
  check "another's file stays" fails 2 "somebody else wrote it" "${enable[@]}"
  check "also from disable" fails 2 "somebody else wrote it" sslcache disable --root "$tmp/system" web
  check "a bad name" is "$(ended sslcache enable --root "$tmp/system" ../x)" 2
  check "bad settings" fails 2 "there are size" sslcache enable --root "$tmp/system" --set x=1 other
}

completions() {
  sslcache completions bash >bash.completions
  check "bash completes the verbs" is "$(bash -c '. ./bash.completions; COMP_WORDS=(sslcache res); COMP_CWORD=1
    _sslcache sslcache res sslcache; echo "${COMPREPLY[@]}"')" resize
  check "and options" has "$(bash -c '. ./bash.completions; COMP_WORDS=(sslcache stat --i); COMP_CWORD=2
    _sslcache sslcache --i stat; echo "${COMPREPLY[@]}"')" --interval
  local shell
  for shell in zsh fish; do
    check "completions for $shell" has "$(sslcache completions $shell)" rotate
  done
}

for part in $only; do "$part"; done
close
