/*
 * pin.pml - readers that keep what they have taken, of a latest value, beside two writers,
 * with a reader that crashes at any step. Finding the newest value is one step here:
 * latest.pml has it in parts.
 *
 * A reader writes its pin, then reads the tail, then the slot's word. A writer looks at the
 * pin, claims the tail, and looks at the pin once more: if the slot has been pinned since, it
 * gives the index up.
 *
 * Proved: what is pinned does not change; no writer waits, though there are only as many slots
 * as can be in use; the pin of a dead reader is recovered, and no other.
 */
#define NO_ONE 255
/* One for the newest value, one for the pinned one, and one for each writer. */
#ifndef SLOTS
#define SLOTS 3
#endif
/* So often each writer writes, and each reader takes. */
#ifndef FIRST
#define FIRST 5
#endif
#ifndef SECOND
#define SECOND 0
#endif
#ifndef TAKES
#define TAKES 1
#endif
#ifndef READERS
#define READERS 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

mtype = { RELEASED, RESERVED, COMMITTED }

/* A slot's word, and the payload, which is the index. */
mtype state[SLOTS] = RELEASED;
byte index[SLOTS];
byte content[SLOTS];

/* One word: the next index, and who has the one before it. */
byte tail = 1;
byte claimant = NO_ONE;

/* One word: the only pin. */
byte pinned = 0;
byte pinner = NO_ONE;
byte freed = 0; /* so often */

byte crashes = CRASHES;
bool dead[2];
bool is_gone[2]; /* its entry is another's by now */
bool has_ended[4];

#define crash(who)                                                                     \
    if                                                                                 \
    :: atomic { crashes > 0 -> crashes--; dead[who] = true; goto died }                \
    :: true                                                                            \
    fi

#ifdef MUTANT_PIN_NOT_SEEN
#define is_pinned(at) false
#else
#define is_pinned(at) (pinner != NO_ONE && pinned % SLOTS == (at) % SLOTS)
#endif

/* The highest committed index; 0: none. */
inline find_newest(m, i)
{
    atomic {
        m = 0; i = 0;
        do
        :: i == SLOTS -> break
        :: else ->
            if
            :: state[i] == COMMITTED && index[i] > m -> m = index[i]
            :: else
            fi;
            i++
        od;
        i = 0
    }
}

#define must_stay(at)                                                                  \
    (state[(at) % SLOTS] == RESERVED || is_pinned(at) ||                               \
     (state[(at) % SLOTS] == COMMITTED && index[(at) % SLOTS] >= m))

proctype writer(byte me; byte often)
{
    byte t, o, m, i, done = 0;
    bool stays;

    do
    :: done == often -> break
    :: else ->
again:
        atomic { t = tail; o = claimant; m = 0; i = 0; stays = false }
        /* The last claim, if it is the other's and open, is named. */
        atomic {
            if
            :: o != NO_ONE && o != me && index[(t - 1) % SLOTS] < t - 1 ->
                state[(t - 1) % SLOTS] = RESERVED; index[(t - 1) % SLOTS] = t - 1
            :: else
            fi
        }
        if
        :: index[t % SLOTS] >= t -> goto again
        :: else
        fi;
        find_newest(m, i);
        atomic { stays = must_stay(t) }
        if
        :: stays ->
            /* There is a slot, at one moment, or the tail has moved. */
#ifdef MUTANT_ONE_PASS
            assert(tail != t || !must_stay(t + 1) || !must_stay(t + SLOTS - 2) ||
                   !must_stay(t + SLOTS - 1));
#else
            assert(tail != t || !must_stay(t) || !must_stay(t + 1) ||
                   !must_stay(t + SLOTS - 2) || !must_stay(t + SLOTS - 1));
#endif
            atomic {
                if
                :: tail == t && claimant == o -> tail++; claimant = NO_ONE
                :: else
                fi
            }
            goto again
        :: else
        fi;
        atomic {
            if
            :: tail == t && claimant == o -> tail++; claimant = me; o = 0
            :: else -> goto again
            fi
        }
#ifndef MUTANT_NO_SECOND_PROBE
        atomic { stays = is_pinned(t) }
        atomic {
            if
            :: stays -> state[t % SLOTS] = RELEASED; index[t % SLOTS] = t; goto again
            :: else
            fi
        }
#endif
        atomic { m = 0; stays = false; state[t % SLOTS] = RESERVED; index[t % SLOTS] = t }
        content[t % SLOTS] = t;
        atomic { state[t % SLOTS] = COMMITTED; done++; t = 0 }
    od;
    has_ended[2 + me] = true
}

proctype reader(byte me)
{
    byte m, t, i, done = 0;
    bool is_valid;

    do
    :: done == TAKES -> break
    :: else ->
again:
        find_newest(m, i);
        if
        :: m == 0 -> (state[1] == COMMITTED || tail > 2 || has_ended[2]); goto again
        :: else
        fi;
        atomic {
            if
            :: pinner == NO_ONE -> pinner = me; pinned = m
            :: else -> m = 0; goto taken
            fi
        }
        crash(me);
#ifdef MUTANT_TAIL_FIRST
        /* The word first, and then the tail. */
        atomic { is_valid = index[m % SLOTS] == m && state[m % SLOTS] == COMMITTED }
        t = 0;
#else
        atomic {
            is_valid = true;
#ifndef MUTANT_NO_TAIL
            is_valid = !(claimant != NO_ONE && (tail - 1) % SLOTS == m % SLOTS &&
                         tail - 1 != m)
#endif
        }
#ifndef MUTANT_NO_WORD
        atomic {
            is_valid = is_valid && index[m % SLOTS] == m && state[m % SLOTS] == COMMITTED
        }
#endif
#endif
        if
        :: is_valid ->
            assert(content[m % SLOTS] == m);
            crash(me);
            assert(content[m % SLOTS] == m); /* as long as it likes */
            done++
        :: else
        fi;
        crash(me);
        atomic {
            assert(pinner == me && pinned == m);
            pinner = NO_ONE; pinned = 0; freed++; m = 0; is_valid = false
        }
        goto next;
taken:
        /* The other has it. If it is dead, its pin is freed. */
        atomic { m = pinned; t = freed; i = pinner }
        if
        :: i != NO_ONE && i != me && dead[i] && !is_gone[i] ->
            atomic {
                if
                :: pinner == i && pinned == m && freed == t ->
                    pinner = NO_ONE; pinned = 0; freed++
                :: else
                fi
            }
        :: else
        fi;
        atomic { m = 0; t = 0; i = 0 }
        (pinner == NO_ONE || dead[1 - me]);
next:
        skip
    od;
died:
    has_ended[me] = true
}

init
{
    atomic {
        run writer(0, FIRST);
        run writer(1, SECOND);
        run reader(0);
        if
        :: READERS > 1 -> run reader(1)
        :: else -> has_ended[1] = true
        fi
    };
    (timeout);
    assert(has_ended[0] && has_ended[1] && has_ended[2] && has_ended[3])
}
