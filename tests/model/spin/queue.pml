/*
 * queue.pml - reserving, committing, taking and recovery in a queue that blocks; with
 * -DDROP in one that drops its oldest message. Two producers and a consumer; a crash
 * can come at any step of any of them. The indexes do not come round.
 *
 * A producer looks whether the slot of the next index is available. If so it claims the
 * index: one exchange moves the tail and puts the producer's number beside it. What
 * stands in the way is removed before: a queue that drops pops the message there. A
 * slot that a process owns is skipped. Before the tail moves on, the slot of the
 * last claim is made to name its owner, by the process that moves the tail; recovery does so
 * for the dead.
 *
 * Proved: a producer writes only a slot that is its own, and no slot is newer than the
 * tail. If the consumer lives, then in the end every committed message was received or
 * dropped; none twice; none of a producer after a later one of it. Drops are counted,
 * but for one of a producer that is killed in between. Producers that drop come to an
 * end; those that block do while the consumer lives.
 */
#define SLOTS 2
#define PRODUCERS 2
#define CONSUMER PRODUCERS
#define NO_ONE 255
#ifndef CRASHES
#define CRASHES 1
#endif

/* So many messages the producers send. */
#ifndef FIRST
#define FIRST 2
#endif
#ifndef SECOND
#define SECOND 2
#endif
#define MESSAGES(me) (me == 0 -> FIRST : SECOND)
#ifdef DROP
#define must_drop true
#else
#define must_drop false
#endif

mtype = { RELEASED, RESERVED, COMMITTED, TAKEN, RETURNED }

/* A slot's word. */
mtype state[SLOTS] = RELEASED;
byte index[SLOTS];   /* 0: never used */
byte owner[SLOTS];
byte content[SLOTS]; /* the payload: producer * 10 + message */

/* One word: the next index, and who has the one before it. */
byte tail = 1;
byte claimant = NO_ONE;
byte skipped = 0; /* so many indexes; counted before each */

byte crashes = CRASHES;
bool dead[PRODUCERS + 1];
bool is_gone[PRODUCERS + 1];
bool has_ended[PRODUCERS];
byte committed = 0;       /* so many messages */
byte popped = 0;          /* of them; and so many were counted */
byte counted = 0;
byte received = 0;
byte last[PRODUCERS];     /* of each producer's that came */

#define crash(who)                                                                     \
    if                                                                                 \
    :: atomic { crashes > 0 -> crashes--; dead[who] = true; goto died }                \
    :: true                                                                            \
    fi

#define is_in_hand(state) (state == RESERVED || state == TAKEN)
#ifdef MUTANT_RETURNED_STAY
#define is_waiting(state) (state == COMMITTED)
#else
#define is_waiting(state) (state == COMMITTED || state == RETURNED)
#endif
#define is_available(state) (state == RELEASED || (must_drop && is_waiting(state)))

/* Its entry says that it is dead; after recovery no process asks after it any more. */
#define is_dead(who) (dead[who] && !is_gone[who])
#define is_any_dead (is_dead(0) || is_dead(1) || is_dead(CONSUMER))

/* The last index was given out, and its slot does not say so yet. */
#define is_claim_open (claimant != NO_ONE && index[(tail - 1) % SLOTS] < tail - 1)

inline recover_slot(c, who)
{
    atomic {
        if
        :: is_in_hand(state[c]) && owner[c] == who && !is_gone[who] ->
            if
            :: state[c] == RESERVED -> state[c] = RELEASED
            :: state[c] == TAKEN -> state[c] = RETURNED
            fi;
            owner[c] = 0
        :: else
        fi
    }
}

inline recover_from(who, me)
{
    if
    :: is_dead(who) ->
#ifndef MUTANT_DEAD_NOT_NAMED
        atomic {
            if
            :: claimant == who && is_claim_open ->
                state[(tail - 1) % SLOTS] = RESERVED; owner[(tail - 1) % SLOTS] = who;
                index[(tail - 1) % SLOTS] = tail - 1
            :: else
            fi
        }
#endif
        crash(me);
        recover_slot(0, who);
        recover_slot(1, who);
        crash(me);
        is_gone[who] = true
    :: else
    fi
}

/* The word of the slot of `at`. */
inline look(at)
{
    atomic { c = (at) % SLOTS; seen_state = state[c]; seen_index = index[c] }
}

#define is_as_seen (state[c] == seen_state && index[c] == seen_index)

/* What a producer that found the queue full waits for. */
#define is_in_sight                                                                    \
    (is_available(state[tail % SLOTS]) || is_any_dead ||                             \
     (is_in_hand(state[tail % SLOTS]) && is_available(state[(tail + 1) % SLOTS])))

proctype producer(byte me)
{
    byte t, o, c, sent = 0;
    byte seen_index;
    mtype seen_state = RELEASED;

    do
    :: sent == MESSAGES(me) -> break
    :: else ->
        crash(me);
again:
        atomic { t = tail; o = claimant; c = 0; seen_index = 0; seen_state = RELEASED }
#ifndef MUTANT_NO_NAME
        if
        :: o != NO_ONE && o != me ->
            look(t - 1);
            atomic {
                if
                :: seen_index < t - 1 && is_as_seen ->
                    state[c] = RESERVED; index[c] = t - 1; owner[c] = o
                :: else
                fi
            }
            crash(me)
        :: else
        fi;
#endif
        look(t);
        if
        :: seen_index >= t -> assert(tail != t); goto again
        :: seen_index < t && is_in_hand(seen_state) ->
            if
            :: is_available(state[(t + 1) % SLOTS]) ->
                atomic { seen_index = 0; seen_state = RELEASED; c = 0 }
#ifndef MUTANT_COUNT_LATE
                skipped++;
                crash(me);
#endif
                atomic {
                    if
                    :: tail == t && claimant == o -> tail++; claimant = NO_ONE
                    :: else
                    fi;
                    t = 0; o = 0
                }
                crash(me)
#ifdef MUTANT_COUNT_LATE
                ;
                skipped++;
                crash(me)
#endif
            :: else -> goto is_full
            fi;
            goto again
        :: seen_index < t && is_waiting(seen_state) && must_drop ->
            atomic {
                if
#ifdef MUTANT_POP_BY_STORE
                :: true ->
#else
                :: is_as_seen ->
#endif
                    state[c] = RELEASED; owner[c] = 0; popped++
                :: else -> goto again
                fi;
                seen_index = 0; seen_state = RELEASED; c = 0; t = 0; o = 0
            }
            crash(me);
            counted++;
            crash(me);
            goto again
        :: seen_index < t && is_waiting(seen_state) && !must_drop ->
is_full:
            atomic { seen_index = 0; seen_state = RELEASED; c = 0; t = 0; o = 0 }
            recover_from(1 - me, me);
            recover_from(CONSUMER, me);
            (is_in_sight);
            goto again
        :: else
        fi;
        atomic {
            if
            :: tail == t && claimant == o ->
                tail++; o = 0; seen_index = 0; seen_state = RELEASED;
#ifdef MUTANT_NO_CLAIMANT
                claimant = NO_ONE
#else
                claimant = me
#endif
            :: else -> goto again
            fi
        }
        crash(me);
        atomic {
            assert((state[c] == RELEASED && index[c] < t) ||
                   (state[c] == RESERVED && index[c] == t && owner[c] == me));
            content[c] = me * 10 + sent + 1
        }
        atomic {
            assert((state[c] == RELEASED && index[c] < t) ||
                   (state[c] == RESERVED && index[c] == t && owner[c] == me));
            state[c] = COMMITTED; index[c] = t; owner[c] = 0;
            sent++; committed++;
            t = 0; c = 0
        }
    od;
died:
    has_ended[me] = true
}

/* A reservation that the consumer has passed is committed by now. */
#define has_changed(i)                                                                 \
    (count > i && (state[passed[i] % SLOTS] != RESERVED ||                             \
                   index[passed[i] % SLOTS] != passed[i]))

proctype consumer()
{
    byte cursor = 1, passed[PRODUCERS], count = 0, searched = 0;
    byte c, p, t, before, first;
    byte seen_index;
    mtype seen_state = RELEASED;

    crash(CONSUMER);
rescan: /* what was passed comes first */
    atomic { p = 0; c = 0; seen_index = 0; seen_state = RELEASED }
    do
    :: p == count -> break
    :: else ->
        atomic {
            look(passed[p]);
            if
            :: seen_index == passed[p] && seen_state == RESERVED -> p++
            :: seen_index == passed[p] && seen_state == COMMITTED -> /* take it */
                state[c] = TAKEN; owner[c] = CONSUMER;
                count--; passed[p] = passed[count]; passed[count] = 0;
                goto taken
            :: else -> /* dropped, or given up */
                count--; passed[p] = passed[count]; passed[count] = 0
            fi
        }
    od;
ahead:
    look(cursor);
    if
    :: seen_index > cursor -> assert(tail > seen_index); goto catch_up
    :: seen_index < cursor ->
        atomic {
            if
            :: tail <= cursor -> goto nothing
            :: tail == cursor + 1 && claimant != NO_ONE -> goto nothing
            :: else
            fi
        }
        atomic {
            if
            :: index[c] < cursor -> goto catch_up /* it was skipped */
            :: else -> goto rescan
            fi
        }
    :: seen_index == cursor && seen_state == RESERVED ->
        atomic {
            if
            :: count < PRODUCERS ->
                passed[count] = cursor; count++; cursor++;
                goto ahead
            :: else
            fi;
            if
            :: has_changed(0) || has_changed(1) -> goto rescan
            :: else -> goto nothing
            fi
        }
    :: seen_index == cursor && seen_state == COMMITTED ->
#ifndef MUTANT_NO_RESCAN
        atomic {
            if
            :: has_changed(0) || has_changed(1) -> goto rescan
            :: else
            fi
        }
#endif
        atomic {
            if
            :: is_as_seen ->
                state[c] = TAKEN; owner[c] = CONSUMER; cursor++;
                goto taken
            :: else -> goto ahead
            fi
        }
    :: else -> cursor++; goto ahead
    fi;

nothing:
    recover_from(0, CONSUMER);
    recover_from(1, CONSUMER);
    atomic { c = cursor % SLOTS; p = 0; seen_index = 0; seen_state = RELEASED; t = 0 }
end_nothing: /* rest until there is something to see */
    (index[cursor % SLOTS] >= cursor || tail > cursor + 1 ||
     (tail == cursor + 1 && claimant == NO_ONE) || is_any_dead ||
     has_changed(0) || has_changed(1));
    goto rescan;

catch_up: /* a lap behind; or the cursor's index was skipped */
    before = skipped;
    t = tail;
    if
    :: t <= cursor + 1 + SLOTS -> cursor++
    :: else ->
        if
#ifdef MUTANT_NO_SEARCH
        :: true -> cursor = t - SLOTS
#endif
#ifdef MUTANT_COUNT_BEFORE_TAIL
        :: before == searched -> cursor = t - SLOTS
#else
        :: skipped == searched -> cursor = t - SLOTS
#endif
        :: else ->
            atomic { first = t - SLOTS; p = 0 }
            do
            :: p == SLOTS -> break
            :: else ->
                atomic {
                    if
                    :: (state[p] == RESERVED || state[p] == COMMITTED) &&
                       index[p] > cursor && index[p] < first -> first = index[p]
                    :: else
                    fi;
                    p++
                }
            od;
            atomic {
                cursor = first;
                if
                :: first == t - SLOTS -> searched = before
                :: else
                fi
            }
        fi
    fi;
    atomic { t = 0; before = 0; first = 0; p = 0 }
    goto ahead;

taken:
    crash(CONSUMER);
    atomic {
        p = content[c];
        /* in order, none twice; and none is missing where none is dropped */
        assert(p % 10 > last[p / 10]);
        assert(must_drop || p % 10 == last[p / 10] + 1);
        last[p / 10] = p % 10;
        received++
    }
    atomic {
        assert(state[c] == TAKEN && owner[c] == CONSUMER);
        state[c] = RELEASED; owner[c] = 0;
        c = 0; p = 0; seen_index = 0; seen_state = RELEASED
    }
    crash(CONSUMER);
    goto rescan;
died:
    skip
}

init
{
    atomic {
        run producer(0);
        run producer(1);
        run consumer()
    };
    (timeout); /* when all that can go on has */
    assert(dead[CONSUMER] || committed == received + popped);
    assert(popped >= counted && popped <= counted + CRASHES - crashes);
    assert((has_ended[0] && has_ended[1]) || (dead[CONSUMER] && !must_drop));
    /* Recovery forgets nothing. */
    assert(!is_in_hand(state[0]) || !is_gone[owner[0]]);
    assert(!is_in_hand(state[1]) || !is_gone[owner[1]]);
    assert(!is_claim_open || !is_gone[claimant])
}
