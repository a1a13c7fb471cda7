/*
 * queue.pml - reserving, committing, taking and clearing up in a queue that blocks, with
 * a crash at any step of any process. As src/shared/ring_claim.c, ring_take.c and
 * ring_dead.c do it, but for indexes that do not come round.
 *
 * One producer sends two messages, the other one. Once nobody can go on, every message that was
 * committed has been received by whoever lives, or waits because no consumer lives;
 * none twice; none of a producer after a later one of it.
 */
#define SLOTS 2
#define PRODUCERS 2
#define MESSAGES(me) (2 - me)
#define NOBODY 255
#ifndef CRASHES
#define CRASHES 1
#endif

mtype = { RELEASED, RESERVED, COMMITTED, TAKEN, RETURNED }

/* A slot's word. */
mtype state[SLOTS] = RELEASED;
byte index[SLOTS];     /* 0: never used */
byte owner[SLOTS];
byte content[SLOTS];   /* the payload: producer * 10 + message */

/* One word: the next index, and who has the one before it. */
byte tail = 1;
byte claimant = NOBODY;
byte crashes = CRASHES;
bool dead[PRODUCERS + 1];
bool has_ended[PRODUCERS + 1];
byte committed[PRODUCERS]; /* how many of each are */
byte received[PRODUCERS];  /* the last of each that came */
bool returned_by_dead;

#define CONSUMER PRODUCERS

#define crash(who)                                                                     \
    if                                                                                 \
    :: crashes > 0 -> crashes--; dead[who] = true; goto died                           \
    :: true                                                                            \
    fi

/* A dead one has the last index, and its slot does not say so. */
#define is_claim_dead                                                                  \
    (claimant != NOBODY && dead[claimant] && index[(tail - 1) % SLOTS] < tail - 1)

inline name_dead()
{
    atomic {
        if
        :: is_claim_dead ->
            state[(tail - 1) % SLOTS] = RESERVED; owner[(tail - 1) % SLOTS] = claimant;
            index[(tail - 1) % SLOTS] = tail - 1
        :: else
        fi
    }
}

inline clear_up(c)
{
    atomic {
        if
        :: state[c] == RESERVED && dead[owner[c]] -> state[c] = RELEASED
        :: state[c] == TAKEN && dead[owner[c]] -> state[c] = RETURNED
        :: else
        fi
    }
}

proctype producer(byte me)
{
    byte t, o, c, sent = 0;
    byte seen_index;
    mtype seen_state;

    do
    :: sent == MESSAGES(me) -> break
    :: else ->
again:
        crash(me);
        atomic { t = tail; o = claimant; c = (t - 1) % SLOTS }
#ifndef MUTANT_NO_NAME
        if
        :: o != NOBODY && o != me ->
            atomic { seen_state = state[c]; seen_index = index[c] }
            crash(me);
            atomic {
                if
                :: seen_index < t - 1 && state[c] == seen_state && index[c] == seen_index ->
                    state[c] = RESERVED; index[c] = t - 1; owner[c] = o
                :: else
                fi
            }
        :: else
        fi;
        crash(me);
#endif
        atomic { c = t % SLOTS; seen_state = state[c]; seen_index = index[c] }
        if
        :: seen_index >= t -> assert(tail != t); goto again
        :: seen_index < t && (seen_state == COMMITTED || seen_state == RETURNED) ->
            /* full: look again once something is different */
            name_dead(); clear_up(0); clear_up(1);
            (state[c] != seen_state || index[c] != seen_index || tail != t);
            goto again
        :: seen_index < t && (seen_state == RESERVED || seen_state == TAKEN) ->
            name_dead(); clear_up(0); clear_up(1);
            if
            :: state[(c + 1) % SLOTS] == RELEASED ->
                crash(me);
                atomic {
                    if
                    :: tail == t && claimant == o -> tail++; claimant = NOBODY
                    :: else
                    fi
                }
            :: else ->
                (state[c] != seen_state || index[c] != seen_index || tail != t ||
                 dead[owner[c]] || state[(c + 1) % SLOTS] == RELEASED)
            fi;
            goto again
        :: else
        fi;
        crash(me);
        atomic {
            if
            :: tail == t && claimant == o -> tail++; claimant = me
            :: else -> goto again
            fi
        }
        crash(me);
        assert((state[c] == RELEASED && index[c] < t) ||
               (state[c] == RESERVED && index[c] == t && owner[c] == me));
        content[c] = me * 10 + sent + 1;
        crash(me);
        atomic {
            assert(index[c] < t || (state[c] == RESERVED && index[c] == t && owner[c] == me));
            state[c] = COMMITTED; index[c] = t; owner[c] = NOBODY;
            sent++; committed[me] = sent
        }
        crash(me);
        atomic { t = 0; o = 0; c = 0; seen_index = 0; seen_state = RELEASED }
    od;
died:
    has_ended[me] = true
}

/* The cursor's index, and not to one who need not have put it into its slot. */
#define is_given_away                                                                  \
    (tail > cursor && !(tail == cursor + 1 && claimant != NOBODY))

proctype consumer()
{
    byte cursor = 1, c, passed[2], count = 0, p, m;
    byte seen_index;
    mtype seen_state;

end_no_message:
    do
    :: true ->
        /* returned messages first, then what was passed */
        crash(CONSUMER);
        p = 0;
        do
        :: p == count -> break
        :: else ->
            atomic {
                c = passed[p] % SLOTS;
                if
                :: index[c] == passed[p] && state[c] == RESERVED && !dead[owner[c]] -> p++
                :: index[c] == passed[p] && state[c] == COMMITTED ->
                    state[c] = TAKEN; owner[c] = CONSUMER;
                    count--; passed[p] = passed[count]; passed[count] = 0;
                    goto taken
                :: else ->
                    clear_up(c);
                    count--; passed[p] = passed[count]; passed[count] = 0
                fi
            }
            crash(CONSUMER)
        od;
        crash(CONSUMER);
        atomic {
            c = cursor % SLOTS; seen_state = state[c]; seen_index = index[c]
        }
        crash(CONSUMER);
        atomic {
            if
            :: seen_index > cursor -> cursor++
            :: seen_index < cursor && is_given_away && index[c] < cursor -> cursor++
            :: seen_index < cursor && !(is_given_away && index[c] < cursor) ->
                name_dead(); clear_up(c);
end_empty:
                /* rest until there is something to see */
                (index[c] >= cursor || is_given_away || is_claim_dead ||
                 (count > 0 && (state[passed[0] % SLOTS] != RESERVED ||
                                dead[owner[passed[0] % SLOTS]])) ||
                 (count > 1 && (state[passed[1] % SLOTS] != RESERVED ||
                                dead[owner[passed[1] % SLOTS]])))
            :: seen_index == cursor && seen_state == RESERVED ->
                if
                :: count < 2 -> passed[count] = cursor; count++; cursor++
                :: count == 2
                fi
            :: seen_index == cursor && seen_state == COMMITTED ->
                if
#ifndef MUTANT_NO_LOOK_BACK
                :: count > 0 && (state[passed[0] % SLOTS] != RESERVED ||
                                 index[passed[0] % SLOTS] != passed[0])
                :: count > 1 && (state[passed[1] % SLOTS] != RESERVED ||
                                 index[passed[1] % SLOTS] != passed[1])
#endif
                :: else ->
                    if
                    :: state[c] == COMMITTED && index[c] == cursor ->
                        state[c] = TAKEN; owner[c] = CONSUMER; cursor++;
                        goto taken
                    :: else
                    fi
                fi
            :: seen_index == cursor && seen_state != RESERVED && seen_state != COMMITTED ->
                cursor++
            fi
        }
        goto next;
taken:
        crash(CONSUMER);
        m = content[c];
        assert(m % 10 == received[m / 10] + 1); /* in order, none missing, none twice */
        received[m / 10] = m % 10;
        crash(CONSUMER);
        atomic { assert(state[c] == TAKEN && owner[c] == CONSUMER); state[c] = RELEASED }
next:
        atomic { c = 0; p = 0; m = 0; seen_index = 0; seen_state = RELEASED }
    od;
died:
    has_ended[CONSUMER] = true
}

init
{
    atomic {
        run producer(0);
        run producer(1);
        run consumer()
    };
    /* When all that can go on has: nothing committed waits for a consumer that lives. */
    (timeout);
    assert(dead[CONSUMER] || (received[0] == committed[0] && received[1] == committed[1]));
    assert(dead[CONSUMER] || (has_ended[0] && has_ended[1]))
}
