# For suites whose tests print TAP (Perl's); read with `. tap.sh`, after common.sh.

# tap FILE...: runs each on the side of the moment. A test is known by its text: the processes of one
# file number theirs independently. What differs from run to run (ports, addresses) is left out.
tap() {
    local file status
    for file in "$@"; do
        fronted 60 perl ${perl_flags-} "$file" >"$tmp/tap" 2>>"$tmp/$side.tap.err" </dev/null
        status=$?
        sed -nE "
            s/0x[0-9a-f]+/0xN/g
            s/\b[0-9]{4,}\b|=[0-9]+/N/g
            t asked # only to forget that something was replaced so far
            :asked
            /^(not )?ok/ {
                s/^ok *[0-9]*( -)?.*# *(skip|SKIP).*/skip ${file//\//\\/}: some/; t print
                s/^ok *[0-9]*( -)?/ok ${file//\//\\/}:/; t print
                s/^not ok *[0-9]*( -)?(.*# *TODO.*)/ok ${file//\//\\/}:\2/; t print
                s/^not ok *[0-9]*( -)?/FAIL ${file//\//\\/}:/; t print
            }
            s/^1\.\.0.*/skip ${file//\//\\/}/; t print
            d
            :print
            p" "$tmp/tap"
        if [ "$status" -eq 0 ]; then echo "ok $file ends"; else echo "FAIL $file ends: $status"; fi
    done
}
