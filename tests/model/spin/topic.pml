/*
 * topic.pml - a subscriber that joins a topic whose publishers wait, as
 * src/shared/ring/subscribe.c and mmf_ring_find_gate do it. The subscriber's stores go through
 * a store buffer; a crash can come at any step.
 *
 * What is published after it has joined, it gets, all of it in order; publishers do not
 * wait for it once it is dead, nor does it for a dead publisher.
 */
#define SLOTS 2
#define MESSAGES 4
#ifndef CRASHES
#define CRASHES 1
#endif

byte index[SLOTS];       /* of the message at home there */
bool is_committed[SLOTS];
byte tail = 1;
byte cursor = 0;         /* as others see it; 0: not set */
byte buffered = 0;       /* the subscriber's store on its way; 0: none */
bool has_joined = false;
byte joined_at = 0;      /* the tail then */
bool is_publisher_dead = false;
bool is_subscriber_dead = false;
byte crashes = CRASHES;

#define crash(dead)                                                                    \
    if                                                                                 \
    :: crashes > 0 -> crashes--; dead = true; goto died                                \
    :: true                                                                            \
    fi

active proctype memory()
{
end:
    do
    :: atomic { buffered != 0 -> cursor = buffered; buffered = 0 }
    od
}

active proctype publisher()
{
    byte gate = 1, seen;

    do
    :: tail > MESSAGES -> break
    :: else ->
        crash(is_publisher_dead);
        do
        :: tail - gate < SLOTS -> break
        :: else ->
            seen = tail; /* before the cursor */
            crash(is_publisher_dead);
            atomic {
                if
                :: cursor != 0 && cursor < seen && !is_subscriber_dead -> gate = cursor
                :: else -> gate = seen
                fi
            }
            if
            :: tail - gate < SLOTS
            :: else -> (cursor != gate || is_subscriber_dead)
            fi
        od;
        crash(is_publisher_dead);
        atomic { index[tail % SLOTS] = tail; is_committed[tail % SLOTS] = false }
        crash(is_publisher_dead);
        tail++;
        crash(is_publisher_dead);
        is_committed[(tail - 1) % SLOTS] = true
    od;
died:
    skip
}

active proctype subscriber()
{
    byte at, next;

    crash(is_subscriber_dead);
    at = tail;
    buffered = at;
#ifndef MUTANT_NO_FENCE
    atomic { (buffered == 0); at = tail }
#else
    at = tail;
#endif
    crash(is_subscriber_dead);
    /* The second store comes behind the first. */
    atomic { (buffered == 0 || cursor == 0); if :: buffered == 0 -> buffered = at :: else fi }
    atomic { has_joined = true; joined_at = tail; next = at }
    do
    :: next > MESSAGES -> break
    :: else ->
        crash(is_subscriber_dead);
        atomic {
            if
            :: index[next % SLOTS] > next ->
                assert(next < joined_at); /* overwritten: only what is older */
                next++
            :: index[next % SLOTS] == next && is_committed[next % SLOTS] -> next++
            :: index[next % SLOTS] == next && !is_committed[next % SLOTS] ->
                (is_committed[next % SLOTS] || is_publisher_dead);
                if
                :: !is_committed[next % SLOTS] -> goto died /* nothing more comes */
                :: else
                fi
            :: index[next % SLOTS] < next ->
                (index[next % SLOTS] >= next || is_publisher_dead);
                if
                :: index[next % SLOTS] < next -> goto died
                :: else
                fi
            fi
        }
        crash(is_subscriber_dead);
        atomic { (buffered == 0); buffered = next }
    od;
died:
    skip
}
