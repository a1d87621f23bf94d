# The library broken on purpose; read with `. common.sh`, never run.
#
# A mutation is a sed script, NAME.sed. Its first lines say which file of the sources it changes, what
# is wrong then, and what must notice it: a suite (conformance, handshake, shared, random, abi) and, for
# the first three, the program or the scenario. A script is never applied to the sources themselves, but
# to a copy of the tree under target/mutations, which has a target folder of its own.

mutation_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mutation_root=$(cd "$mutation_scripts/../.." && pwd)
mutated=$mutation_root/target/mutations

mutation_file() { sed -n '1s/^# //p' "$mutation_scripts/$1.sed"; }
mutation_wrong() { sed -n '2s/^# //p' "$mutation_scripts/$1.sed"; }
mutation_noticed_by() { sed -n 's/^# noticed by: //p' "$mutation_scripts/$1.sed"; }

# mutations [SUITE]: the names; only of those that SUITE must notice.
mutations() {
    local script name
    for script in "$mutation_scripts"/*.sed; do
        name=$(basename "$script" .sed)
        [ $# = 0 ] || mutation_noticed_by "$name" | grep -q "^$1\b" || continue
        echo "$name"
    done
}

# mutate NAME TREE: changes the file in TREE; false if that changes nothing.
mutate() {
    local file
    file=$(mutation_file "$1")
    # The file is written anew whether or not it changes: cargo goes by its time.
    sed -f "$mutation_scripts/$1.sed" "$mutation_root/$file" >"$2/$file" || return
    ! cmp -s "$2/$file" "$mutation_root/$file"
}

# A copy of the tree, without what was built. Cargo takes what is as old as it was for unchanged, so the
# roots of the crates are made new: the last mutation has to go from what was built as well.
copy_tree() {
    rm -rf "$mutated/tree" && mkdir -p "$mutated/tree" || return
    tar -C "$mutation_root" --exclude=target --exclude=./.git -cf - . | tar -C "$mutated/tree" -xf - || return
    find "$mutated/tree" -path '*/src/lib.rs' -exec touch {} +
}

# build_mutated NAME: the path of the library with this mutation, "none" for the library as it is. A
# development build. False, and what cargo said on standard error, if there is none.
build_mutated() {
    local library=$mutated/$1/libsslcache.so
    {
        copy_tree || return
        [ "$1" = none ] || mutate "$1" "$mutated/tree" || { echo "$1 changes nothing"; return 1; }
        (cd "$mutated/tree" && cargo build --quiet --lib --target-dir "$mutated/target") || return
        mkdir -p "$mutated/$1" && cp "$mutated/target/debug/libsslcache.so" "$library" || return
    } >&2
    echo "$library"
}
