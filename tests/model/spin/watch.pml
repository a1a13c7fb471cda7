/*
 * watch.pml - receivers that rely on others which watch, as src/shared/ring/wait.c and
 * src/shared/page/watch.c do it.
 *
 * A sender may not see that there are sleepers, and then rings for none, or be killed in
 * the middle of a ring: the doorbell has changed then, and none is woken. A sleep of a tick
 * ends at any time. A long one ends by a ring alone, though the real one ends by itself
 * later: so no receiver may sleep on while there is a message for it, unless two processes
 * were killed. The stamp of a live watcher is never late, that of a dead one at any time.
 *
 * Of a queue one receiver gets each message; of a topic (TOPIC) all get the one there is.
 */
#ifndef RECEIVERS
#define RECEIVERS 3
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef MESSAGES
#define MESSAGES 1
#endif
#define NONE 255
#define SLEEPER 1
#define SEVERAL 2
#define ALL 255
#ifndef MUTANT_RINGS_FOR_ONE
#define LEAVERS 2
#else
#define LEAVERS 1
#endif

/* Receivers 0 and 1 are of one process. */
#define PROCESS(who) ((who) == 1 -> 0 : (who))

byte messages = 0;
byte marks = 0; /* of the doorbell */
byte alone = NONE; /* the receiver whose mark is the only one */
bool is_same[RECEIVERS]; /* the doorbell is what that receiver has read */
byte crashes = CRASHES;
byte words[2] = {NONE, NONE}; /* the receiver whose stamp it is */
bool is_late[2];
bool dead[RECEIVERS];
bool asleep[RECEIVERS];

inline take_there(found)
{
    if
#ifdef TOPIC
    :: messages > 0 -> found = true
#else
    :: messages > 0 -> messages--; found = true
#endif
    :: messages == 0 -> found = false
    fi
}

#ifdef TOPIC
#define RINGS ALL
#else
#define RINGS 1
#endif

inline change()
{
    d_step {
        is_same[0] = false;
        is_same[1] = false;
        is_same[2 % RECEIVERS] = false;
        is_same[3 % RECEIVERS] = false;
        is_same[4 % RECEIVERS] = false
    }
}

#define wake(who)                                                                      \
    RECEIVERS > who && asleep[who % RECEIVERS] -> asleep[who % RECEIVERS] = false

inline wake_up()
{
    do
    :: rung == 0 -> break
    :: rung > 0 ->
        if
        :: wake(0)
        :: wake(1)
        :: wake(2)
        :: wake(3)
        :: wake(4)
        :: else -> rung = 1; marks = 0; alone = NONE; change()
        fi;
        rung = (rung == ALL -> ALL : rung - 1)
    od
}

/* As doorbell.c does, all at once: its own model is doorbell.pml. Which of them is woken is
 * the kernel's to say. */
inline ring(count)
{
    rung = (marks != 0 -> count : 0);
    if
    :: rung == 0
    :: else ->
        change();
        if
        :: rung == ALL || (marks & SEVERAL) == 0 -> marks = 0; alone = NONE
        :: else
        fi
    fi;
    wake_up()
}

/* Also if a ring that died has taken the marks off. */
inline ring_in_any_case(count)
{
    if
#ifndef MUTANT_RINGS_IF_MARKED
    :: marks == 0 -> rung = count; wake_up()
    :: marks != 0 -> ring(count)
#else
    :: true -> ring(count)
#endif
    fi
}

active proctype sender()
{
    byte sent = 0, rung = 0;

    do
    :: sent == MESSAGES -> break
    :: else ->
        atomic { sent++; messages++ }
        atomic {
            if
            :: true /* it does not see the marks */
            :: ring(RINGS)
            :: marks != 0 && crashes > 0 ->
                crashes--;
                sent = MESSAGES;
                change();
                if
                :: RINGS == ALL || (marks & SEVERAL) == 0 -> marks = 0; alone = NONE
                :: else
                fi
            fi
        }
    od
}

/* The stamps of the dead get old. */
active proctype clock()
{
end:
    do
    :: atomic { words[0] != NONE && dead[words[0]] && !is_late[0] -> is_late[0] = true }
    :: atomic { words[1] != NONE && dead[words[1]] && !is_late[1] -> is_late[1] = true }
    od
}

/* With all threads of its process; which stands still until the kill is over. */
active proctype killer()
{
end:
    do
    :: atomic {
        crashes > 0 ->
        crashes--;
        if
        :: dead[0] = true; dead[1] = true
        :: dead[2] = true
#if RECEIVERS > 3
        :: dead[3] = true
#endif
        fi
    }
    od
}

#define CURRENT(i) (words[i] != NONE && !is_late[i])

/* The word to put a stamp into, or NONE: others watch. */
inline choose(word)
{
    d_step {
        word = NONE;
        if
        :: words[0] != NONE && PROCESS(words[0]) == PROCESS(me) ->
            if :: words[0] == me || !CURRENT(0) -> word = 0 :: else fi
        :: else ->
            if
            :: words[1] != NONE && PROCESS(words[1]) == PROCESS(me) ->
                if :: words[1] == me || !CURRENT(1) -> word = 1 :: else fi
            :: else ->
                if
#ifdef MUTANT_ONE_IS_ENOUGH
                :: CURRENT(0) || CURRENT(1)
#endif
                :: !CURRENT(0) -> word = 0
                :: CURRENT(0) && !CURRENT(1) -> word = 1
                :: CURRENT(0) && CURRENT(1) &&
                   PROCESS(words[0]) == PROCESS(words[1]) ->
                    word = 1
                :: else
                fi
            fi
        fi
    }
}

active [RECEIVERS] proctype receiver() provided (!dead[_pid - 3])
{
    byte me = _pid - 3;
    byte word = 0, rung = 0;
    bool is_quiet = false, watches = false, found = false, relies = false;
    bool is_out = false /* no ring has ended the sleep */, is_heir = false;

    do
    :: true ->
#ifdef MUTANT_MARK_LATE
        choose(word);
#endif
        atomic {
            is_quiet = is_quiet && is_same[me];
            if
            :: marks == 0 ->
                change(); marks = SLEEPER; alone = me; is_quiet = false
            :: (marks & SEVERAL) != 0 || alone == me
            :: else ->
                change(); marks = SLEEPER | SEVERAL; alone = NONE; is_quiet = false
            fi;
            is_same[me] = true;
            take_there(found);
            if :: found -> goto leave :: else fi
        }
        atomic {
#ifndef MUTANT_MARK_LATE
            choose(word);
#endif
            is_heir = !watches && !is_out && word != NONE && (is_heir || relies);
            relies = word == NONE;
            if
            :: (is_out || watches) && word != NONE ->
                words[word] = me; is_late[word] = false; watches = true
            :: (is_out || watches) && word == NONE -> watches = false
            :: else
            fi;
            word = 0; is_out = false
        }
        atomic {
            if
            :: is_same[me] -> asleep[me] = true
            :: else -> is_quiet = false; goto again
            fi
        }
        atomic {
            if
            :: !asleep[me]
            :: asleep[me] && !relies -> asleep[me] = false; is_out = true
            fi;
            is_quiet = is_same[me];
            /* a timeout may come, too */
            if
            :: goto leave
            :: true
            fi
        }
again:
        skip
    od;
leave:
    atomic {
        if
        :: alone == me -> marks = 0; alone = NONE; change()
        :: else
        fi
    }
#ifdef TOPIC
    found = found && is_out;
#else
    found = found && watches && is_quiet;
#endif
    if
    :: watches || is_heir ->
        atomic {
            watches = is_heir;
            if
            :: words[0] == me -> words[0] = NONE; watches = true
            :: words[1] == me -> words[1] = NONE; watches = true
            :: else
            fi
        }
#ifndef MUTANT_LEAVES_SILENTLY
        atomic {
            if
            :: watches -> ring_in_any_case(LEAVERS)
            :: else
            fi
        }
#endif
    :: else
    fi;
    atomic {
        if
        :: found -> ring_in_any_case(ALL)
        :: else
        fi
    }
    skip;
    d_step {
        word = 0; is_same[me] = false;
        is_quiet = false; watches = false; found = false; relies = false;
        is_out = false; is_heir = false
    }
}

/* When nothing happens any more no live receiver sleeps beside a message. */
active proctype judge()
{
    timeout ->
    assert(messages == 0 ||
           !((asleep[0] && !dead[0]) || (asleep[1] && !dead[1]) ||
             (asleep[2 % RECEIVERS] && !dead[2 % RECEIVERS]) ||
             (asleep[3 % RECEIVERS] && !dead[3 % RECEIVERS]) ||
             (asleep[4 % RECEIVERS] && !dead[4 % RECEIVERS])))
}
