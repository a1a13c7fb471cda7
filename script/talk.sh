# talk.sh - for tests written in bash: talk to programs over pipes, as terminals would.
#
# Source it after check.sh; `pipes` is a directory of the test's own, `deadline` how many
# seconds a line may take (60). The line ends of Windows are removed.

# start NAME PROGRAM [ARGUMENT...]: between two pipes.
declare -A process input output
start() {
    local name=$1 to from
    shift
    mkfifo "$pipes/to" "$pipes/from"
    "$@" < "$pipes/to" > "$pipes/from" &
    process[$name]=$!
    exec {to}> "$pipes/to" {from}< "$pipes/from"
    input[$name]=$to
    output[$name]=$from
    rm "$pipes/to" "$pipes/from"
}

# says NAME LINE: it is the next line of that program.
says() {
    local line=""
    IFS= read -r -t "${deadline:-60}" line <&"${output[$1]}"
    check "$1 says: $2" "${line%$'\r'}" "$2"
}

hears_a_line() {
    echo >&"${input[$1]}"
}

# No more input for that program.
end_input() {
    local fd=${input[$1]}
    exec {fd}>&-
}

# ends NAME STATUS
ends() {
    local fd=${output[$1]}
    wait "${process[$1]}"
    check "$1 ends" $? "$2"
    exec {fd}<&-
}
