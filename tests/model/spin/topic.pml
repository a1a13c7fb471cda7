/*
 * topic.pml - publishing and reading in a topic whose publishers wait for subscribers;
 * with -DDROP in one whose publishers overwrite the oldest message. Two publishers, and
 * a subscriber that joins at any time; a crash can come at any step of any of them.
 *
 * Memory is weak where that matters: others see the subscriber's cursor, the exchange
 * that claims the tail, and a publisher's mark RESERVED some time after they were made.
 *
 * A publisher claims the tail as a queue's producer does. Only the owner of an
 * index writes an available slot, so it overwrites in place: with DROP it stores RESERVED,
 * with release; then come a release fence, the payload, and COMMITTED. A subscriber
 * reads the word, the payload, and after an acquire fence the word again, and the tail
 * while it replays messages from before it joined (-DREPLAY=n, of n), for which
 * publishers do not wait.
 *
 * Proved: what a subscriber gets is consistent. It gets every message after it has joined,
 * in order, or with DROP, or in its replay, is told that it lost some; it steps over an
 * index only if no message will ever have it. No process sees a slot newer than the tail.
 * No process waits for the dead.
 */
#define SLOTS 2
#define PUBLISHERS 2
#define SUBSCRIBER PUBLISHERS
#define NO_ONE 255
#define MOST 16 /* indexes */
#ifndef CRASHES
#define CRASHES 1
#endif

/* So many messages the publishers send; the first may abandon. */
#ifndef FIRST
#define FIRST 1
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
#ifndef REPLAY
#define REPLAY 0
#endif

mtype = { RELEASED, RESERVED, COMMITTED }

/* A slot's word. */
mtype state[SLOTS] = RELEASED;
byte index[SLOTS];
byte owner[SLOTS];
/* The payload, which is the index. */
byte low[SLOTS];
byte high[SLOTS];

/* One word: the next index, and who has the one before it. */
byte tail = SLOTS + 1;
byte claimant = NO_ONE;
byte cursor = 0; /* the subscriber's; 0: not set */

/* On their way: the tail that an exchange has made, RESERVED, the cursor. 0: none. */
byte next_tail = 0;
byte next_claimant = 0;
byte marking[PUBLISHERS]; /* the slot of this index */
byte buffered = 0;

byte crashes = CRASHES;
bool dead[PUBLISHERS + 1];
bool is_gone[PUBLISHERS + 1];
bool has_ended[PUBLISHERS];
byte next = 0;        /* the index that the subscriber reads next */
byte joined = 0;      /* the index from which on it gets every message */
bool is_sent[MOST];   /* a message of this index that the subscriber is to get */
bool is_over[MOST];   /* an index that it has stepped over without a word */

#define crash(who)                                                                     \
    if                                                                                 \
    :: atomic { crashes > 0 -> crashes--; dead[who] = true; goto died }                \
    :: true                                                                            \
    fi

#define is_claiming(who) (next_tail != 0 && next_claimant == who)
#define is_out(who) (!is_claiming(who) && marking[who] == 0)

/* The system says so after all that the dead one stored has arrived. */
#define is_publisher_dead(who) (dead[who] && !is_gone[who] && is_out(who))
#define is_subscriber_dead (dead[SUBSCRIBER] && !is_gone[SUBSCRIBER] && buffered == 0)

active proctype memory()
{
    byte i;

end:
    do
    :: atomic { buffered != 0 -> cursor = buffered; buffered = 0 }
    :: atomic {
        next_tail != 0 ->
        tail = next_tail; claimant = next_claimant; next_tail = 0; next_claimant = 0
    }
#ifdef MUTANT_RELAXED_MARK
#define may_arrive(who) true
#else
#define may_arrive(who) (!is_claiming(who)) /* it is stored with release */
#endif
    :: atomic { marking[0] != 0 && may_arrive(0) -> i = 0; goto arrives }
    :: atomic {
        marking[1] != 0 && may_arrive(1) -> i = 1;
arrives:
        state[marking[i] % SLOTS] = RESERVED; owner[marking[i] % SLOTS] = i;
        index[marking[i] % SLOTS] = marking[i]; marking[i] = 0; i = 0
    }
    od
}

/* The last index was given out, and its slot does not say so yet. */
#define is_claim_open (claimant != NO_ONE && index[(tail - 1) % SLOTS] < tail - 1)

inline recover_slot(c, who)
{
    atomic {
        if
        :: state[c] == RESERVED && owner[c] == who && !is_gone[who] ->
            state[c] = RELEASED; owner[c] = 0
        :: else
        fi
    }
}

inline recover_from(who, me)
{
    if
    :: is_publisher_dead(who) ->
        atomic {
            if
            :: claimant == who && is_claim_open ->
                state[(tail - 1) % SLOTS] = RESERVED; owner[(tail - 1) % SLOTS] = who;
                index[(tail - 1) % SLOTS] = tail - 1
            :: else
            fi
        }
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

#define is_held                                                                        \
    (!must_drop && cursor != 0 && !is_gone[SUBSCRIBER] && tail - cursor >= SLOTS)

/* What a publisher that found the topic full waits for. */
#define is_in_sight                                                                    \
    (is_publisher_dead(0) || is_publisher_dead(1) || is_subscriber_dead ||             \
     (!is_held && (state[tail % SLOTS] != RESERVED ||                                  \
                   state[(tail + 1) % SLOTS] != RESERVED)))

proctype publisher(byte me)
{
    byte t, o, c, gate = 1 /* a lap before it came */, sent = 0;
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
        :: else
        fi;
        if
        :: !must_drop && t - gate >= SLOTS ->
#ifndef MUTANT_CURSOR_BEFORE_TAIL
            gate = tail;
#endif
            atomic {
                seen_index = cursor;
                if
                :: is_gone[SUBSCRIBER] -> seen_index = 0
                :: else
                fi
            }
#ifdef MUTANT_CURSOR_BEFORE_TAIL
            gate = tail;
#endif
            atomic {
                if
                :: seen_index != 0 && seen_index < gate -> gate = seen_index
                :: else
                fi;
                seen_index = 0
            }
            if
            :: t - gate >= SLOTS -> goto is_full
            :: else
            fi
        :: else
        fi;
        if
        :: seen_state == RESERVED ->
            if
            :: state[(t + 1) % SLOTS] != RESERVED ->
                atomic {
                    next_tail == 0;
                    if
                    :: tail == t && claimant == o -> tail++; claimant = NO_ONE
                    :: else
                    fi;
                    t = 0; o = 0; c = 0; seen_index = 0; seen_state = RELEASED
                }
                crash(me);
                goto again
            :: else -> goto is_full
            fi
        :: else
        fi;
        atomic {
            next_tail == 0;
            if
            :: tail == t && claimant == o ->
                next_tail = t + 1; next_claimant = me;
                c = t % SLOTS; seen_index = 0; seen_state = RELEASED; o = 0
            :: else -> goto again
            fi
        }
        crash(me);
#if defined(DROP) && !defined(MUTANT_NO_MARK)
        marking[me] = t;
        crash(me);
#endif
#ifndef MUTANT_NO_RELEASE_FENCE
        (is_out(me));
#endif
        low[c] = t;
        crash(me);
        high[c] = t;
        crash(me);
        atomic {
            is_out(me); /* it is stored with release, and over the mark */
            if
            :: state[c] = COMMITTED; assert(!is_over[t]); is_sent[t] = (t >= next)
            :: me == 0 -> state[c] = RELEASED
            fi;
            index[c] = t; owner[c] = 0;
            sent++;
            t = 0; c = 0
        }
        goto next_one;
is_full:
        atomic { c = 0; o = 0; seen_index = 0; seen_state = RELEASED; t = 0 }
        recover_from(1 - me, me);
        crash(me);
        if
        :: is_subscriber_dead -> is_gone[SUBSCRIBER] = true
        :: else
        fi;
        (is_in_sight);
        goto again;
next_one:
        skip
    od;
died:
    has_ended[me] = true
}

/* The release store of the cursor; where publishers drop they do not look at it. */
inline show_cursor()
{
    if
    :: must_drop
    :: else -> buffered = next
    fi
}

/* On, having got the message of this index or counted it as lost. */
inline go_on()
{
    atomic { buffered == 0; is_sent[next] = false; next++; show_cursor() }
}

/* On without a word: no message has this index, and none ever will. */
inline step_over()
{
    atomic {
        buffered == 0;
        assert(!is_sent[next]);
        is_over[next] = true;
        next++;
        show_cursor()
    }
}

#define may_lose (must_drop || next < joined)

#ifdef MUTANT_NO_TAIL
#define is_overtaken false
#else
#define is_overtaken (!must_drop && next < joined && seen_tail - next > SLOTS)
#endif

/* The word, and then, in a replay, the tail. */
inline reread()
{
    look(next);
    if
    :: next < joined -> seen_tail = tail
    :: else -> seen_tail = 0
    fi
}

/* Behind the publishers, but not right behind: what is between is counted as lost. */
inline jump()
{
    atomic {
        assert(must_drop || next < joined);
        is_sent[next] = false; next++;
        do
        :: tail - (SLOTS - SLOTS / 4) > next && may_lose -> is_sent[next] = false; next++
        :: else -> break
        od;
        show_cursor()
    }
}

proctype subscriber()
{
    byte c, l, h, seen_index, seen_tail;
    mtype seen_state = RELEASED;

    crash(SUBSCRIBER);
    atomic { next = tail - REPLAY; show_cursor() }
#ifndef MUTANT_NO_FENCE
    (buffered == 0);
#endif
    atomic { joined = tail; next = tail - REPLAY }
    crash(SUBSCRIBER);
    atomic {
        buffered == 0;
        show_cursor();
        do
        :: c == next -> break
        :: else -> is_sent[c] = false; c++ /* before it came */
        od;
        c = 0
    }
read:
    crash(SUBSCRIBER); /* after each step of the cursor */
again:
    reread();
    if
    :: seen_index > next || (seen_index == next && is_overtaken) ->
        assert(tail > seen_index);
        atomic { buffered == 0; jump() }
    :: seen_index < next ->
        atomic {
            if
            :: tail <= next -> goto nothing
#ifndef MUTANT_CLAIM_IS_SKIPPED
            :: tail == next + 1 && claimant != NO_ONE -> goto nothing
#endif
            :: else
            fi
        }
        if
        :: index[c] >= next -> goto again /* it came meanwhile */
        :: index[c] < next && tail - next <= SLOTS -> step_over()
        :: index[c] < next && tail - next > SLOTS -> jump()
        fi
    :: seen_index == next && seen_state == RESERVED && !is_overtaken ->
        if
        :: must_drop && tail - next >= SLOTS - SLOTS / 4 -> go_on()
        :: else -> goto nothing
        fi
    :: seen_index == next && seen_state == RELEASED && !is_overtaken -> step_over()
    :: seen_index == next && seen_state == COMMITTED && !is_overtaken ->
#ifdef MUTANT_NO_ACQUIRE_FENCE
        reread();
#endif
        l = low[c];
        h = high[c];
#ifndef MUTANT_NO_ACQUIRE_FENCE
        reread();
#endif
        if
        :: seen_index == next && seen_state == COMMITTED && !is_overtaken ->
            atomic { assert(l == next && h == next); l = 0; h = 0; seen_tail = 0 }
            go_on()
        :: else ->
            atomic { assert(must_drop || next < joined); l = 0; h = 0; goto again }
        fi
    fi;
    goto read;
nothing:
    if
    :: index[c] == next && state[c] == RESERVED && is_publisher_dead(owner[c]) ->
        step_over();
        goto read
    :: else
    fi;
    atomic { c = next % SLOTS; seen_index = 0; seen_tail = 0; seen_state = RELEASED }
end_nothing: /* rest until there is something to see */
    (index[c] > next || (next < joined && tail - next > SLOTS) ||
     (index[c] == next &&
      (state[c] != RESERVED || is_publisher_dead(owner[c]) ||
       (must_drop && tail - next >= SLOTS - SLOTS / 4))) ||
     (index[c] < next &&
      (tail > next + 1 || (tail == next + 1 && claimant == NO_ONE))));
    goto again;
died:
    skip
}

init
{
    byte i;

    atomic {
        run publisher(0);
        run publisher(1);
        run subscriber()
    };
    (timeout); /* when all that can go on has */
    assert(has_ended[0] && has_ended[1]);
    atomic {
        i = next;
        do
        :: dead[SUBSCRIBER] || i == MOST -> break
        :: else -> assert(!is_sent[i]); i++
        od
    }
}
