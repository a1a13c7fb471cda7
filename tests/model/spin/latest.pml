/*
 * latest.pml - finding the newest value while it moves on, as src/shared/ring/latest.c
 * and ring_send.c do it, with a crash at any step. One writer replaces the value some
 * times, or abandons; a second one once; a reader reads twice.
 *
 * A read never finds less than the newest value that was committed when it began, and
 * a value once there never is gone.
 */
#ifndef SLOTS
#define SLOTS 3
#endif
#ifndef WRITES
#define WRITES 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

mtype = { RELEASED, RESERVED, COMMITTED }

mtype state[SLOTS] = RELEASED;
byte index[SLOTS];
byte owner[SLOTS];
byte tail = 1;
byte skips = 0;
byte newest = 0;  /* the hint */
byte committed = 0; /* the newest in truth, once its commit is over */
byte crashes = CRASHES;
bool dead[2];

#define crash(who)                                                                     \
    if                                                                                 \
    :: crashes > 0 -> crashes--; dead[who] = true; goto died                           \
    :: true                                                                            \
    fi

/* Down from the tail, `hint` of them, to the first that is committed; 0: none. */
inline search_below_tail(m, i, hint)
{
    m = 0; i = 1; hint = tail;
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

/* The highest committed index; 0: none. */
inline find_newest(m, i, hint)
{
    search_below_tail(m, i, hint);
    do
    :: m > 0 -> break
    :: else ->
        m = 0; i = 0;
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
        hint = newest;
#ifndef MUTANT_NO_SECOND_LOOK
        if
        :: m >= hint -> break
        :: else -> m = 0
        fi
#else
        break
#endif
    od
}

inline raise(above, to)
{
#ifdef MUTANT_NO_HINT
    skip
#else
    atomic { if :: newest <= above -> newest = to :: else fi }
#endif
}

proctype writer(byte me; byte writes)
{
    byte t, s, c, m, i, hint, done = 0;
    byte seen_index;
    mtype seen_state;
    bool abandons;

    do
    :: done == writes -> break
    :: else ->
again:
        crash(me);
        atomic { t = tail; s = skips; c = t % SLOTS; seen_state = state[c];
                 seen_index = index[c] }
        if
        :: seen_index == t ->
            atomic { if :: tail == t && skips == s -> tail++ :: else fi };
            goto again
        :: seen_index > t -> goto again
        :: else
        fi;
        find_newest(m, i, hint);
        crash(me);
        if
        :: seen_state == RESERVED || (seen_state == COMMITTED && seen_index >= m) ->
            atomic { /* the dead one's may be had; else leave it out */
                if
                :: state[c] == RESERVED && dead[owner[c]] -> state[c] = RELEASED
                :: else ->
                    if :: tail == t && skips == s -> tail++; skips++ :: else fi
                fi
            };
            goto again
        :: seen_state == COMMITTED && seen_index < m ->
            raise(seen_index, m)
        :: seen_state == RELEASED
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
        atomic {
            if
#ifdef MUTANT_LATE_TAIL
            :: tail == t && skips == s
#else
            :: tail == t && skips == s -> tail++
#endif
            :: !(tail == t && skips == s) && skips == s
            :: !(tail == t && skips == s) && skips != s -> state[c] = RELEASED; goto again
            fi
        }
        crash(me);
        if
        :: me == 0 && done == 1 -> atomic { state[c] = RELEASED; done++ }
        :: else ->
            state[c] = COMMITTED;
            atomic { if :: committed < t -> committed = t :: else fi; done++ }
        fi;
        atomic { t = 0; s = 0; c = 0; m = 0; i = 0; hint = 0; seen_index = 0;
                 seen_state = RELEASED }
    od;
died:
    skip
}

proctype reader()
{
    byte m, i, hint, floor, last = 0, reads = 0;

    do
    :: reads == 2 -> break
    :: else ->
        floor = committed;
        find_newest(m, i, hint);
        assert(m >= floor);
        assert(m >= last);
        atomic { last = m; reads++; m = 0; i = 0; hint = 0; floor = 0 }
    od
}

init
{
    atomic { run writer(0, WRITES); run writer(1, 1); run reader() }
}
