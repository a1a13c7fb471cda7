/*
 * queue.pml - reserving, committing, taking and clearing up in a queue that blocks, with
 * a crash at any step of any process. As src/shared/ring_send.c, ring_take.c and
 * ring_dead.c do it, but for indexes that do not come round.
 *
 * One producer sends two messages, the other one. Once nobody can go on, every message that was
 * committed has been received by whoever lives, or waits because no consumer lives;
 * none twice; none of a producer after a later one of it.
 */
#define CELLS 2
#define PRODUCERS 2
#define MESSAGES(me) (2 - me)
#ifndef CRASHES
#define CRASHES 1
#endif

mtype = { RELEASED, RESERVED, COMMITTED, TAKEN, RETURNED }

/* A cell's word. */
mtype state[CELLS] = RELEASED;
byte index[CELLS];     /* 0: never used */
byte owner[CELLS];
byte content[CELLS];   /* the payload: producer * 10 + message */

byte tail = 1;
byte skips = 0;
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
    byte t, s, c, sent = 0;
    byte seen_index;
    mtype seen_state;
    bool due = false;

    do
    :: sent == MESSAGES(me) -> break
    :: else ->
again:
        crash(me);
        atomic { t = tail; s = skips; c = t % CELLS }
        atomic { seen_state = state[c]; seen_index = index[c] }
        if
        :: seen_index == t ->
            atomic { if :: tail == t && skips == s -> tail++ :: else fi } /* help */
            goto again
        :: seen_index > t -> goto again
        :: seen_index < t && (seen_state == COMMITTED || seen_state == RETURNED) ->
            /* full: look again once something is different */
            clear_up(0); clear_up(1);
            (state[c] != seen_state || index[c] != seen_index || tail != t);
            goto again
        :: seen_index < t && (seen_state == RESERVED || seen_state == TAKEN) ->
            clear_up(0); clear_up(1);
            if
            :: state[(c + 1) % CELLS] == RELEASED ->
                crash(me);
                atomic {
                    if :: tail == t && skips == s -> tail++; skips++ :: else fi
                }
            :: else ->
                (state[c] != seen_state || index[c] != seen_index || tail != t ||
                 dead[owner[c]] || state[(c + 1) % CELLS] == RELEASED)
            fi;
            goto again
        :: else
        fi;
        crash(me);
        atomic {
            if
            :: state[c] == seen_state && index[c] == seen_index ->
                state[c] = RESERVED; index[c] = t; owner[c] = me
            :: else -> goto again
            fi
        }
        crash(me);
        atomic { /* settle */
            if
            :: tail == t && skips == s -> due = true /* the tail moves after the commit */
            :: !(tail == t && skips == s) && skips == s
            :: !(tail == t && skips == s) && skips != s ->
                state[c] = RELEASED;
                goto again
            fi
        }
        crash(me);
        assert(state[c] == RESERVED && owner[c] == me && index[c] == t);
        content[c] = me * 10 + sent + 1;
        crash(me);
        atomic {
            state[c] = COMMITTED; sent++; committed[me] = sent
        }
        crash(me);
        atomic {
            if :: due && tail == t && skips == s -> tail++ :: else fi;
            due = false; t = 0; s = 0; c = 0; seen_index = 0; seen_state = RELEASED
        }
    od;
died:
    has_ended[me] = true
}

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
                c = passed[p] % CELLS;
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
            c = cursor % CELLS; seen_state = state[c]; seen_index = index[c]
        }
        crash(CONSUMER);
        atomic {
            if
            :: seen_index > cursor -> cursor++
            :: seen_index < cursor && tail > cursor && index[c] < cursor -> cursor++
            :: seen_index < cursor && !(tail > cursor && index[c] < cursor) ->
end_empty:
                /* rest until there is something to see */
                (index[c] >= cursor || tail > cursor ||
                 (count > 0 && (state[passed[0] % CELLS] != RESERVED ||
                                dead[owner[passed[0] % CELLS]])) ||
                 (count > 1 && (state[passed[1] % CELLS] != RESERVED ||
                                dead[owner[passed[1] % CELLS]])))
            :: seen_index == cursor && seen_state == RESERVED ->
                if
                :: count < 2 -> passed[count] = cursor; count++; cursor++
                :: count == 2
                fi
            :: seen_index == cursor && seen_state == COMMITTED ->
                if
#ifndef MUTANT_NO_LOOK_BACK
                :: count > 0 && (state[passed[0] % CELLS] != RESERVED ||
                                 index[passed[0] % CELLS] != passed[0])
                :: count > 1 && (state[passed[1] % CELLS] != RESERVED ||
                                 index[passed[1] % CELLS] != passed[1])
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
