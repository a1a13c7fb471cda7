# test_tool.sh - the two programs of the mission, compiled on nothing but the SDK
# ($work/plain/framework, net8, selfcontained; single, trimmed and aot are there to be
# refused), before and after mmf-dotnet. A part of consumers/test_consumers.

tool() {
    "$work/tool/mmf-dotnet" "$@" 2>&1
}

# What is in a folder, and its bytes.
content() {
    (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2)
}

for kind in framework net8 selfcontained; do
    dir=$work/plain/$kind
    before=$(content "$dir")
    check_has "$kind: without mmf .NET refuses" "$("$dir/PlainA" 2>&1 < /dev/null)" \
        "Named maps are not supported"
    check "$kind: status" "$(tool status "$dir"; echo $?)" "PlainA: not enabled
PlainB: not enabled
1"
    check "$kind: enable" "$(tool enable "$dir"; echo $?)" "PlainA: enabled (linux-x64)
PlainB: enabled (linux-x64)
0"
    check "$kind: enabled again" "$(tool enable "$dir" | tail -n 1)" "PlainB: enabled (linux-x64)"
    check "$kind: status" "$(tool status "$dir"; echo $?)" "PlainA: enabled
PlainB: enabled
0"
    for a in "$dir/PlainA" "$c_a"; do
        for b in "$dir/PlainB" "$c_b"; do
            pair "$a" "$b"
        done
    done
    mv "$dir/libmmf.so" "$dir/gone"
    check "$kind: broken" "$(tool status "$dir" | head -n 1; tool status "$dir" > /dev/null; echo $?)" \
        "PlainA: broken, libmmf.so is missing; enable it again
2"
    check_has "$kind: the cause is named" "$("$dir/PlainA" 2>&1 < /dev/null)" "libmmf.so was not found"
    mv "$dir/gone" "$dir/libmmf.so"
    check "$kind: disable" "$(tool disable "$dir"; echo $?)" "PlainA: disabled
PlainB: disabled
0"
    check "$kind: everything is as before" "$(content "$dir" | grep -v deps.json)" \
        "$(echo "$before" | grep -v deps.json)"
    check "$kind: nothing of ours is named" "$(grep -l mmf "$dir"/*.json | wc -l)" 0
    check "$kind: disabled twice" "$(tool disable "$dir" | tail -n 1)" "PlainB: was not enabled"
    check_has "$kind: and .NET refuses again" "$("$dir/PlainA" 2>&1 < /dev/null)" \
        "Named maps are not supported"
done

# Refusals change nothing.
refused() {
    local dir=$1 before status text
    shift
    before=$(content "$dir")
    text=$(tool enable "$dir" "${@:2}")
    status=$?
    check "${dir##*/}: refused" $status 2
    check_has "${dir##*/}: says why" "$text" "$1"
    check "${dir##*/}: unchanged" "$(content "$dir")" "$before"
}
refused "$work/plain/single" "is a single-file application"
refused "$work/plain/trimmed" "was trimmed"
refused "$work/plain/aot" "is compiled by native AOT"
refused "$work/plain/framework" "mmf is here for linux-arm64, linux-musl-arm64, linux-musl-x64, linux-x64" --rid linux-riscv64
refused "$work/plain/framework" "on Windows .NET's own maps have names" --rid win-x64
mkdir "$work/empty" "$work/old"
refused "$work/empty" "no .NET application"
cp "$work"/plain/framework/PlainA* "$work/old"
sed -i 's/"version": "10/"version": "6/' "$work/old/PlainA.runtimeconfig.json"
refused "$work/old" "is for .NET 6.0.0; mmf needs .NET 8 or later"
echo '[]' > "$work/old/PlainA.deps.json"
refused "$work/old" "is no JSON object"
check "no such folder" "$(tool enable "$work/nosuch"; echo $?)" "mmf-dotnet: no such folder: $work/nosuch
2"
check_has "usage" "$(tool nosuch)" "usage: mmf-dotnet enable DIR"
