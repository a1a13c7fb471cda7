# stories.sh - conversations with service, market_data and sensor, for tests on any system.
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

# The server that has the text is killed; the next one gets it.
play_service() {
    start one "$@" serve
    says one "Ready."
    start client "$@" call "hello, world"
    says one 'Delivery 1 of "hello, world". Press Enter to answer.'
    start two "$@" serve
    says two "Ready."
    kill -KILL "${process[one]}"
    says two 'Delivery 2 of "hello, world". Press Enter to answer.'
    hears_a_line two
    says client "HELLO, WORLD"
    ends client 0
    end_input client
    ends one 137 2> /dev/null
    end_input one
    start client "$@" spell yes
    says two 'Delivery 1 of "yes". Press Enter to answer.'
    hears_a_line two
    says client Y
    says client E
    says client S
    ends client 0
    end_input client
    start client "$@" call again
    says two 'Delivery 1 of "again". Press Enter to answer.'
    kill -KILL "${process[client]}"
    ends client 137 2> /dev/null
    end_input client
    end_input two
    ends two 0
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
