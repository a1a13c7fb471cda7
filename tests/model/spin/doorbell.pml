/*
 * doorbell.pml - sleeping on a doorbell, and ringing it without a fence, as src/shared/
 * ring_wait.c does it: the sender's store of a message may stay in its store buffer while
 * it already reads the doorbell.
 *
 * The clock only ends sleeps that are meant to be short (until so much time has gone
 * since the sleeper came or marked the doorbell that the store buffer is empty), or, once a process was killed, all of them (the
 * tick). No process may sleep on while there is a message: such an end state
 * is not one of those that are marked.
 */
#ifdef MUTANT_NO_SHORT_SLEEP
#define FRESH false
#else
#define FRESH true
#endif

#define SLEEPER 1
#define SEVERAL 2
#define RING 4
#ifndef RECEIVERS
#define RECEIVERS 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

byte messages = 0; /* in memory */
byte buffered = 0; /* in the sender's store buffer */
byte doorbell = 0;
byte crashes = CRASHES;
bool someone_died = false;
bool asleep[RECEIVERS];
bool is_short[RECEIVERS];
byte left = RECEIVERS; /* receivers that live and have no message */

inline flush() { messages = messages + buffered; buffered = 0 }

#define crash                                                                          \
    if                                                                                 \
    :: crashes > 0 -> crashes--; someone_died = true; goto died                        \
    :: true                                                                            \
    fi

/* The store buffer empties itself in its own time, and when its processor dies. */
active proctype memory()
{
end:
    do
    :: atomic { buffered > 0 -> messages++; buffered-- }
    od
}

active proctype sender()
{
    byte sent = 0, value, next, woken;

    do
    :: sent == RECEIVERS -> break
    :: else ->
        crash;
        buffered++;
        sent++;
        /* no fence here */
        if
        :: (doorbell & (SLEEPER | SEVERAL)) == 0 -> goto sent_it
        :: else
        fi;
        crash;
        value = doorbell;
        do
        :: true ->
            atomic {
                if
                :: (value & (SLEEPER | SEVERAL)) == 0 -> break
                :: else
                fi;
                next = (value + RING) & 63;
                if
                :: (value & SEVERAL) == 0 -> next = next & 60
                :: else
                fi;
                if
                :: doorbell == value -> flush(); doorbell = next; break
                :: else -> value = doorbell
                fi
            }
        od;
        crash;
        /* the futex call wakes one of those that sleep */
        atomic {
            woken = 0;
            if
            :: asleep[0] -> asleep[0] = false; woken = 1
            :: RECEIVERS > 1 && asleep[1] -> asleep[1] = false; woken = 1
            :: !asleep[0] && !(RECEIVERS > 1 && asleep[1])
            fi
        }
        crash;
        atomic {
            if
            :: woken == 0 && (next & (SLEEPER | SEVERAL)) != 0 && doorbell == next ->
                doorbell = next & 60;
#ifndef MUTANT_NO_SECOND_WAKE
                woken = 2
#endif
            :: else
            fi
        }
        crash;
        atomic {
            if
            :: woken == 2 -> asleep[0] = false; if :: RECEIVERS > 1 -> asleep[1] = false :: else fi
            :: else
            fi
        }
sent_it:
        atomic { value = 0; next = 0; woken = 0 }
    od;
died:
    flush()
}

proctype receiver(byte me)
{
    byte value, alone = 0, marked;
    bool fresh = FRESH; /* the mark, or we, have been here for less than a short sleep */

    do
    :: true ->
        crash;
        value = doorbell;
        do
        :: true ->
            atomic {
                if
                :: (value & SEVERAL) != 0 ||
                   ((value & SLEEPER) != 0 && value == alone) ->
                    marked = value; break
                :: else
                fi;
                if
                :: (value & (SLEEPER | SEVERAL)) != 0 -> marked = value | SEVERAL
                :: else -> marked = value | SLEEPER
                fi;
                if
                :: doorbell == value ->
                    doorbell = marked;
                    if
                    :: (value & (SLEEPER | SEVERAL)) != 0 -> alone = 0
                    :: else -> alone = marked
                    fi;
                    fresh = FRESH;
                    break
                :: else -> value = doorbell
                fi
            }
        od;
        crash;
        atomic { if :: messages > 0 -> messages--; goto got :: else fi }
        crash;
        atomic {
            if
            :: doorbell == marked -> asleep[me] = true; is_short[me] = fresh
            :: else
            fi
        }
        if
        :: !asleep[me]
        :: asleep[me] && is_short[me] && buffered == 0 -> fresh = false
        :: asleep[me] && someone_died
        fi;
        asleep[me] = false;
        crash;
        atomic { if :: messages > 0 -> messages--; goto got :: else fi }
    od;
got:
    atomic {
        if
        :: alone != 0 && doorbell == alone -> doorbell = ((alone & 60) + RING) & 63
        :: else
        fi
    }
    left--;
    goto done;
died:
    asleep[me] = false; left--;
done:
    skip
}

init
{
    atomic { run receiver(0); if :: RECEIVERS > 1 -> run receiver(1) :: else fi };
    /* Nothing more happens: every living process has the message that there is. */
    (timeout);
    assert(left == 0 || messages == 0)
}
