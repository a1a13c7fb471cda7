/*
 * ring_explore.h - run the threads of a scenario over the slots of a channel, in every
 * order there is.
 *
 * As explore.h: the threads are coroutines that switch before each atomic operation of
 * src/shared/ring/, and between the two halves of a payload; search.h goes through the
 * states. A kill can come before every step. Not a step of its own is what no other
 * thread can tell apart: an owner's reading of its own entry, and its counters, which no
 * other thread reads while it lives.
 *
 * A thread that got WOULD_BLOCK, and has recovered all the dead that block it, rests
 * until another thread writes. Found, in whatever state of the others:
 *
 *   - a thread rests, although a message or a free slot is available; or it sees one that
 *     was not there
 *   - a thread that runs alone comes back to where it was
 *   - a message is lost, taken twice, torn, out of its sender's order, or unmarked
 *     although a consumer had it before
 *   - a message of a source is in the ring and its position is not applied, or the other
 *     way round
 *   - a subscriber misses more than it is told of; a reader of the latest value gets an
 *     older one than before
 *   - in the end, when no thread goes on: a process that was not there recovers the dead,
 *     and does not find all that must be there, or finds a slot that cannot be used again
 */
#ifndef MMF_TEST_MODEL_RING_EXPLORE_H
#define MMF_TEST_MODEL_RING_EXPLORE_H

#include <stdint.h>

#include "search.h"
#include "shared/ring/ring.h"

enum {
    MOST_THREADS = 3,
    PROBER = MOST_THREADS,
    MOST_CALLERS = MOST_THREADS + 1,
    MOST_SLOTS = 4,
    MOST_PINS = 2,
    MOST_SENT = 4, /* messages of a thread */
    MOST_MESSAGES = MOST_CALLERS * MOST_SENT,
    PROBES = MOST_SLOTS
};

struct scenario {
    const char *name;
    mmf_kind kind;
    int is_spsc;
    mmf_overflow overflow;
    uint64_t slots;
    uint64_t first; /* index; 0: MMF_INDEX_FIRST */
    void (*threads[MOST_THREADS])(void);
    int kills;
    uint32_t pins;
    int is_single_producer;
    int only_long;
};

struct counts {
    struct search_counts search;
    uint64_t ends; /* states in which no thread goes on */
};

/* 0: explored, nothing found. Else a schedule that shows the failure was printed. */
int explore(const struct scenario *scenario, struct counts *counts);

/*
 * What threads do.
 */

/* Send the next message, waiting for space. 0: full, and it does not wait. */
int send(void);
int send_if_not_full(void);
void reserve_and_abandon(void);

/* Wait until all that was sent is released. */
void drain(void);

/* Take a message, waiting for one; answers its index. */
uint64_t take(void);
int take_if_there(uint64_t *index);

/* Wait until there is a message, and leave it where it is. */
void inspect(void);
void release(uint64_t index);
void return_message(uint64_t index);

/* Join as a consumer when the thread comes to it; else it has joined from the begin. */
void begin_late(void);

/* A consumer that has not dead_checked for two laps. */
void lag_behind(void);

/* Take the entry of a consumer that was killed, once there is one. */
void succeed(void);

void subscribe(uint64_t replay);
void receive(void);
void receive_if_there(void);

void write_value(void);
void read_value(void);

/* Pin the newest value, or the subscriber's next message; read it once, and once more
 * before the pin is freed. Nothing if there is no message, or no pin. */
void pin_value(void);
void pin_message(void);

/* Be the SPSC queue's consumer, its producer, when the one before is killed. */
void succeed_single(void);
void succeed_single_producer(void);

/*
 * Source 1, whose messages are those of the first thread. Send the next one that is not
 * applied, up to the third; nothing if another thread commits for it. Ask what is applied.
 */
void send_from(void);
void ask(void);

#endif
