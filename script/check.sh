# check.sh - for tests written in bash: count what held and what did not.
#
# Source it, call check and check_runs, end with `finish SUITE`, which prints the line
# that script/test adds up and answers whether all held.
passed=0
failed=0

# check WHAT GOT WANTED: the two are equal.
check() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        echo "ok: $1"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  got:    %s\n  wanted: %s\n' "$1" "$2" "$3"
    fi
}

# check_runs WHAT COMMAND...: the command succeeds; if not, its output is shown.
check_runs() {
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "ok: $what"
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  command: %s\n%s\n' "$what" "$*" "$output"
    fi
}

finish() {
    echo "$1: $passed passed, $failed failed, 0 skipped"
    [ $failed = 0 ]
}
