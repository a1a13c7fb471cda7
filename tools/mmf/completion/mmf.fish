# Completion of mmf for fish. The tool says what is possible.
function __mmf_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] help --complete $words[2..-1] 2> /dev/null)
    switch "$lines[1]"
        case 'command *'
            set -l first (math (string replace 'command ' '' $lines[1]) + 1)
            complete -C (string join ' ' -- (string escape -- $words[$first..-1]))
        case files
            __fish_complete_path (commandline -ct)
        case '*'
            printf '%s\n' $lines[2..-1]
    end
end
complete -c mmf -f -a '(__mmf_complete)'
