# mutants.sh - read by the check_*mutants: a model can fail. The code is broken in one place
# after the other, and the model has to find each.
#
# CC, MMF_SOURCE (the source tree) and MMF_WORK (a directory to build in) come from the
# environment; with MMF_MUTANT only those with that in their name are tried. The script
# sets `flags`, `sources` (below MMF_SOURCE; what is broken, and what includes its headers)
# and `objects` (the rest of the model).
found=0
missed=0
work=$MMF_WORK/$(basename "$0")

# compile DIRECTORY FILE...: each, with the headers of DIRECTORY before the others.
compile() {
    local directory=$1 file
    for file in "${@:2}"; do
        "$CC" -std=c11 -O2 -fno-stack-protector -w $flags -I "$directory" \
            -I "$MMF_SOURCE/tests/model" -I "$MMF_SOURCE/src" -I "$MMF_SOURCE/include" \
            -c -o "$directory/$(basename "$file").o" "$file"
    done
}

# The sources that no mutant has broken are compiled once.
mutants_begin() {
    rm -rf "$work"
    mkdir -p "$work/sound" "$work/broken"
    compile "$work/sound" "${sources[@]/#/$MMF_SOURCE/}"
}

# mutant NAME SCENARIO FILE SED: FILE is one of the sources, or a header below src/.
mutant() {
    local name=$1 scenario=$2 change=$4 broken=$work/broken file object
    [[ $name == *"${MMF_MUTANT:-}"* ]] || return 0
    case $3 in
        *.h) file=src/$3 ;;
        *) file=$(printf '%s\n' "${sources[@]}" | grep "/$3\$") ;;
    esac
    rm -rf "$broken"
    mkdir -p "$broken/$(dirname "${file#src/}")"
    sed -E "$change" "$MMF_SOURCE/$file" > "$broken/${file#src/}"
    if cmp -s "$broken/${file#src/}" "$MMF_SOURCE/$file"; then
        echo "$name: the change finds nothing to change in $file"
        missed=$((missed + 1))
        return
    fi
    case $file in
        *.h) compile "$broken" "${sources[@]/#/$MMF_SOURCE/}" ;;
        *) compile "$broken" "$broken/${file#src/}" ;;
    esac
    "$CC" -o "$broken/model" "${objects[@]}" "$broken"/*.o $(
        for object in "$work"/sound/*.o; do
            [ -e "$broken/$(basename "$object")" ] || echo "$object"
        done)
    timeout 60 "$broken/model" "$scenario" > "$broken/log" || true
    # What it has found comes first; then the steps, at which it may end early.
    if grep -qE ' FAILED$|^  [^ :][^:]*: ' "$broken/log"; then
        echo "$name: $(sed -nE '/^  [A-Za-z]/{s/^  [^:]*: //p;q}' "$broken/log")"
        found=$((found + 1))
    else
        echo "$name: not found"
        missed=$((missed + 1))
    fi
}

mutants_end() {
    echo "mutants: $found passed, $missed failed, 0 skipped"
    [ "$missed" = 0 ]
}
