/*
 * explore.h - run the threads of a scenario in every order there is.
 *
 * The threads are coroutines that switch before each atomic operation, each futex
 * operation and each call; so the code of src/shared runs as it is, one step of one
 * thread after the other, sequentially consistent. A state is all of words, clock, futex
 * queues, the stacks in use and the specification's states; search.h goes through them,
 * and covers all schedules.
 *
 * What may happen next, in every state:
 *
 *   a step   of each thread that is not asleep; a wake for one chooses among sleepers
 *   a kill   of any process, as long as the scenario has kills left
 *   a tick   the clock goes to where the first sleeper's time is over: if nothing else
 *            helps, and so often besides as the scenario says
 *
 * The futex: value check and going to sleep are one step; for several words one step a
 * word, in order, as in futex_waitv(2). A thread that was woken by one word is still queued
 * at the others until it runs, and can so eat their wake-ups.
 *
 * In the end (no thread can go on) the words are probed through the same code, by a
 * process that was not there before.
 */
#ifndef MMF_TEST_MODEL_EXPLORE_H
#define MMF_TEST_MODEL_EXPLORE_H

#include <stdint.h>

#include "search.h"
#include "spec.h"

struct scenario {
    const char *name;
    struct object_plan objects[MOST_OBJECTS];
    void (*threads[MOST_THREADS])(void);
    unsigned process[MOST_THREADS]; /* threads with the same number but 0 share one */
    int preemptions; /* so often a thread is interrupted in a call by another's step */
    int kills;       /* so many processes may be killed */
    int ticks;       /* how many come although no thread needs them */
    int calm_ticks; /* ticks come when no thread can run but those that have not begun, and
                       a thread begins when the ones before it sleep or have ended */
    int calm_kills; /* and kills likewise */
    int is_fine;    /* a look at a slot is a step of its own */
    int only_long;  /* not in the short run */
};

struct counts {
    struct search_counts search;
    uint64_t ends;    /* states in which no thread goes on */
    uint64_t naps;    /* states in which only a nap behind a reservation helps */
    uint64_t excused; /* waits that timed out behind a reservation */
    int64_t latest;   /* a sleeper got on so many nanoseconds after it could have */
};

/* 0: explored, nothing found. Else a schedule that shows the failure was printed. */
int explore(const struct scenario *scenario, struct counts *counts);

/*
 * What a scenario's threads do. `timeout` in milliseconds; NEVER waits forever.
 */
enum { NEVER = -1 };

int wait_one(int object, int timeout);
int wait_any(const int *objects, int count, int timeout, int *index);
int wait_all(const int *objects, int count, int timeout); /* in ascending order */

/*
 * A channel: a manual event that is never reset, whose waiters hear of it by a doorbell.
 * Wait for any of an object and a channel, as src/channel/waitable.c; send to it.
 */
int wait_beside(int object, int channel, int *index);
int post(int channel);
int release(int mutex);
int set(int event);
int reset(int event);
int add(int semaphore, int count, int *previous);
void end_thread(int mutex); /* what a thread's end does for a mutex */

#endif
