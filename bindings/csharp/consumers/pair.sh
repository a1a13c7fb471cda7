# pair.sh - a process A and a process B, and the map "Cat" between them. To be sourced
# after script/check.sh.

# A namespace and a folder of this script's own: MMF_DIR and `work`.
make_namespace() {
    MMF_DIR=$(mktemp -d /dev/shm/mmf-test-XXXXXX) || exit 1
    export MMF_DIR
    work=$(mktemp -d) || exit 1
    trap 'rm -rf "$MMF_DIR" "$work"' EXIT
    mkfifo "$work/to" "$work/from"
}

# pair A B: A keeps the map open while B reads it, and then A gets a line. Each may be a
# command of several words.
pair() {
    local a=$1 b=$2 line= process status to from names
    names="${a##*/} and ${b##*/}"
    $a < "$work/to" > "$work/from" 2>&1 &
    process=$!
    exec {to}> "$work/to" {from}< "$work/from"
    IFS= read -r -t 120 line <&$from
    check "$names: A says" "${line%$'\r'}" "Message written to shared memory!"
    check "$names: B reads" "$($b 2>&1 < /dev/null | tr -d '\r')" \
        "Message read from shared memory: HI Night Mo."
    echo >&$to
    wait $process
    status=$?
    check "$names: A ends well" $status 0
    exec {to}>&- {from}<&-
    check "$names: no name is left" "$(find "$MMF_DIR" -type f | wc -l)" 0
}

# check_has WHAT TEXT PART
check_has() {
    case $2 in
        *"$3"*) check "$1" "$3" "$3" ;;
        *) check "$1" "$2" "$3" ;;
    esac
}
