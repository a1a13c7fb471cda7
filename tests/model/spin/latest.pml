/*
 * latest.pml - replacing a latest value, and finding the newest while it moves on, with
 * a crash at any step. The first publisher replaces the value some times, and abandons
 * once; the second replaces it, too; a subscriber reads.
 *
 * A publisher claims the tail as a queue's producer does, and overwrites in place as a
 * topic's publisher does. It skips the slot of the newest value. A value that is not
 * the newest when a publisher looks at it never becomes the newest again. Before a
 * publisher claims the slot of a value it raises the hint above that value: from the
 * claim on, the next publisher may put RESERVED over the value in its stead.
 *
 * Proved: a read finds a value at least as new as the newest that was committed when
 * the read began, and never an older one than before; the value is consistent; once there is
 * a value there is one forever. Each slot has one publisher at a time. No publisher
 * waits for the dead.
 */
#ifndef SLOTS
#define SLOTS 3
#endif
/* So often each publisher reserves, and the subscriber reads. */
#ifndef FIRST
#define FIRST 3
#endif
#ifndef SECOND
#define SECOND 1
#endif
#ifndef READS
#define READS 2
#endif
#define NO_ONE 255
#ifndef CRASHES
#define CRASHES 1
#endif

mtype = { RELEASED, RESERVED, COMMITTED }

/* A slot's word. */
mtype state[SLOTS] = RELEASED;
byte index[SLOTS];
byte owner[SLOTS];
byte content[SLOTS]; /* the payload, which is the index */

/* One word: the next index, and who has the one before it. */
byte tail = 1;
byte claimant = NO_ONE;
byte newest = 0;    /* the hint */
byte committed = 0; /* the newest in truth, once its commit is over */
byte crashes = CRASHES;
bool dead[2];
bool is_gone[2];
bool has_ended[2];

#define crash(who)                                                                     \
    if                                                                                 \
    :: atomic { crashes > 0 -> crashes--; dead[who] = true; goto died }                \
    :: true                                                                            \
    fi

#define is_dead(who) (dead[who] && !is_gone[who])

/* The last index was given out, and its slot does not say so yet. */
#define is_claim_open (claimant != NO_ONE && index[(tail - 1) % SLOTS] < tail - 1)

inline recover_from(who, me, i)
{
    if
    :: is_dead(who) ->
        atomic {
            if
            :: claimant == who && is_claim_open ->
                state[(tail - 1) % SLOTS] = RESERVED; owner[(tail - 1) % SLOTS] = who;
                index[(tail - 1) % SLOTS] = tail - 1
            :: else
            fi;
            i = 0
        }
        do
        :: i == SLOTS -> break
        :: else ->
            atomic {
                if
                :: state[i] == RESERVED && owner[i] == who && !is_gone[who] ->
                    state[i] = RELEASED; owner[i] = 0
                :: else
                fi;
                i++
            }
        od;
        is_gone[who] = true
    :: else
    fi
}

/* Down from the tail, `hint` of them, to the first that is committed; 0: none. */
inline search_below_tail(m, i, hint)
{
    atomic { m = 0; i = 1; hint = tail }
    do
    :: i > SLOTS || i >= hint -> break
    :: else ->
        atomic {
            if
            :: index[(hint - i) % SLOTS] > hint - i -> break
            :: index[(hint - i) % SLOTS] == hint - i &&
               state[(hint - i) % SLOTS] == COMMITTED -> m = hint - i; break
            :: else
            fi;
            i++
        }
    od
}

/* A slot has a value that is not older than the hint: to look again is not in vain. */
#define is_newer(c, hint) (state[c] == COMMITTED && index[c] >= hint)
#define is_value_above(hint)                                                           \
    (is_newer(0, hint) || is_newer(1, hint) || is_newer(SLOTS - 1, hint))

/* The highest committed index; 0: none. */
inline find_newest(m, i, hint)
{
    search_below_tail(m, i, hint);
    do
    :: m > 0 -> break
    :: else ->
        atomic { m = 0; i = 0 }
        do
        :: i == SLOTS -> break
        :: else ->
            atomic {
                if
                :: state[i] == COMMITTED && index[i] > m -> m = index[i]
                :: else
                fi;
                i++
            }
        od;
#ifndef MUTANT_NO_SECOND_READ
        atomic {
            hint = newest;
            if
            :: m >= hint -> break
            :: else -> assert(is_value_above(hint)); m = 0
            fi
        }
#else
        break
#endif
    od
}

inline raise(above, to)
{
#ifdef MUTANT_NO_RAISE
    skip
#else
    atomic { if :: newest <= above -> newest = to :: else fi }
#endif
}

/* The word of the slot of `at`. */
inline look(at)
{
    atomic { c = (at) % SLOTS; seen_state = state[c]; seen_index = index[c] }
}

#define is_as_seen (state[c] == seen_state && index[c] == seen_index)

#ifdef MUTANT_NOT_KEPT
#define must_stay(c) (state[c] == RESERVED)
#else
#define must_stay(c)                                                                   \
    (state[c] == RESERVED || (state[c] == COMMITTED && index[c] >= m))
#endif

proctype publisher(byte me; byte times)
{
    byte t, o, c, m, i, hint, done = 0;
    byte seen_index;
    mtype seen_state = RELEASED;

    do
    :: done == times -> break
    :: else ->
        crash(me);
again:
        atomic {
            m = 0; i = 0; hint = 0; c = 0; seen_index = 0; seen_state = RELEASED;
            t = tail; o = claimant
        }
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
        :: else
        fi;
        find_newest(m, i, hint);
        atomic { hint = 0; i = 0 }
        if
#ifndef MUTANT_NOT_KEPT
        :: seen_state == COMMITTED && seen_index >= m -> goto stays
#endif
        :: seen_state == RESERVED ->
stays:
            atomic {
                i = 1;
                do
                :: i == SLOTS -> break
                :: i < SLOTS && must_stay((t + i) % SLOTS) -> i++
                :: else -> break
                od
            }
            if
            :: i < SLOTS ->
                atomic {
                    if
                    :: tail == t && claimant == o -> tail++; claimant = NO_ONE
                    :: else
                    fi;
                    t = 0; o = 0; c = 0; m = 0; i = 0; seen_index = 0;
                    seen_state = RELEASED
                }
                crash(me)
            :: else ->
                atomic { o = 0; c = 0; m = 0; seen_index = 0; seen_state = RELEASED }
                recover_from(1 - me, me, i);
                crash(me);
                atomic {
                    i = 0;
                    (tail != t || state[t % SLOTS] != RESERVED || dead[1 - me])
                }
            fi;
            goto again
        :: else
        fi;
#ifndef MUTANT_RAISE_LATE
        if
        :: seen_state == COMMITTED -> raise(seen_index, m); crash(me)
        :: else
        fi;
#endif
        atomic {
            if
            :: tail == t && claimant == o -> tail++; claimant = me; o = 0; i = 0
            :: else -> goto again
            fi
        }
        crash(me);
#ifdef MUTANT_RAISE_LATE
        if
        :: seen_state == COMMITTED -> raise(seen_index, m)
        :: else
        fi;
#endif
        atomic { m = 0; seen_index = 0; seen_state = RELEASED }
#ifndef MUTANT_NO_MARK
        atomic {
            assert(index[c] < t ||
                   (state[c] == RESERVED && index[c] == t && owner[c] == me));
            state[c] = RESERVED; index[c] = t; owner[c] = me
        }
        crash(me);
#endif
        content[c] = t;
        crash(me);
        atomic {
            if
            :: me == 0 && done == 1 -> state[c] = RELEASED
            :: else ->
                state[c] = COMMITTED;
                if :: committed < t -> committed = t :: else fi
            fi;
            index[c] = t; owner[c] = 0;
            done++; t = 0; c = 0
        }
    od;
died:
    has_ended[me] = true
}

proctype subscriber()
{
    byte m, i, hint, floor, last = 0, reads = 0;

    do
    :: reads == READS -> break
    :: else ->
        floor = committed;
again:
        find_newest(m, i, hint);
        if
        :: m == 0 -> assert(floor == 0 && last == 0)
        :: else ->
            hint = content[m % SLOTS];
            atomic {
                if
                :: index[m % SLOTS] == m && state[m % SLOTS] == COMMITTED ->
                    assert(hint == m);
                    assert(m >= floor);
                    assert(m >= last)
                :: else -> goto again
                fi
            }
        fi;
        atomic { last = m; reads++; m = 0; i = 0; hint = 0; floor = 0 }
    od
}

init
{
    atomic {
        run publisher(0, FIRST);
        run publisher(1, SECOND);
        run subscriber()
    };
    (timeout);
    assert(has_ended[0] && has_ended[1])
}
