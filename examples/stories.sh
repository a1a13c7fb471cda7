# stories.sh - conversations with market_data and sensor, for tests on any system.
#
# Source it after script/talk.sh. Each function gets the program; a command that runs it, as
# Wine, may stand before it.

play_market_data() {
    start exchange "$@" exchange
    says exchange "How many quotes?"
    start slow "$@" reader
    says slow "Press Enter to read."
    hears_a_line slow
    says slow "No news."
    echo 10 >&"${input[exchange]}"
    says exchange "Quote 10 is out."
    hears_a_line slow
    says slow "Read 10 quotes, up to 10 at 10000 cents; lost 0."
    echo 1000 >&"${input[exchange]}"
    says exchange "Quote 1010 is out."
    hears_a_line slow
    says slow "Read 48 quotes, up to 1010 at 10001 cents; lost 952."
    end_input slow
    ends slow 0
    end_input exchange
    ends exchange 0
}

play_sensor() {
    local number degrees
    start reader "$@" read
    says reader "Press Enter to read."
    hears_a_line reader
    says reader "There is no reading yet."
    start watcher "$@" watch
    says watcher "Waiting for a reading."
    start writer "$@" write
    says writer "What is the temperature?"
    number=0
    for degrees in 20.5 21.0; do
        number=$((number + 1))
        echo "$degrees" >&"${input[writer]}"
        says writer "It is $degrees degrees."
        says watcher "Reading $number: $degrees degrees."
        hears_a_line reader
        says reader "Reading $number: $degrees degrees."
    done
    end_input writer
    ends writer 0
    says watcher "The last writer has closed."
    end_input watcher
    ends watcher 0
    hears_a_line reader
    says reader "Reading 2: 21.0 degrees."
    end_input reader
    ends reader 0
}
