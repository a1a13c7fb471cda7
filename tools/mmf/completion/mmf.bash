# Completion of mmf for bash, with bash-completion. The tool says what is possible.
_mmf() {
    local cur prev words cword line
    local -a lines
    _init_completion -n = || return
    mapfile -t lines < <("${words[0]}" help --complete "${words[@]:1:cword}" 2> /dev/null)
    case ${lines[0]} in
        command*)
            _command_offset "${lines[0]#command }"
            return
            ;;
        files)
            compopt -o filenames
            COMPREPLY=($(compgen -f -- "${cur#--*=}"))
            return
            ;;
    esac
    for line in "${lines[@]:1}"; do
        line=${line%%$'\t'*}
        [[ $cur == --*=* ]] && line=${line#"${cur%%=*}="} # where readline's word begins
        COMPREPLY+=("$(printf %q "$line")")
    done
    [[ ${COMPREPLY[0]} == --*= ]] && compopt -o nospace
} && complete -F _mmf mmf
