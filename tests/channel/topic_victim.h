/*
 * topic_victim.h - the calls of topics and latest values at which topic_kill_points.c
 * kills.
 */
#ifndef MMF_TESTS_CHANNEL_TOPIC_VICTIM_H
#define MMF_TESTS_CHANNEL_TOPIC_VICTIM_H

#include <stddef.h>
#include <stdint.h>

#include <mmf/mmf.h>

enum {
    MOST_NUMBERS = 128,
    OURS = 30,        /* our numbers begin here; the victim's with 1 */
    SLOTS = 4,        /* of the topic */
    LATEST_SLOTS = 8, /* docs/internals/channels.md */
    PARTICIPANTS = 3,
    SIZE = 200,
    LONG_MS = 20000
};

/* The state of the channel, and the other participants, when the operation runs. */
#define DROP 1u     /* MMF_OVERFLOW_DROP_OLDEST */
#define MESSAGES 2u /* two of ours are in it */
#define FULL 4u     /* as many as there are slots */
#define SLEEPER 8u  /* another process waits for a message */
#define WRITER 16u  /* another process waits for room, which only the victim gives */
#define DEAD_WRITER 32u /* one died with a reservation */
#define DEAD_READER 64u /* one died as a subscriber, before the messages */
#define ALONE 128u  /* the victim creates the channel: there is no other participant */
#define LATEST 256u /* else a topic */
#define SLOW 512u   /* dead ones are asked after: it takes a tick */

struct operation {
    const char *name;
    unsigned flags;
    mmf_role role;         /* the victim's handle; 0: it has none before the run */
    void (*prepare)(void); /* in the victim, before it is watched */
    void (*run)(void);
};

enum fate { NEVER, COMMITTING, COMMITTED };

/* Shared with the children. */
struct ledger {
    volatile int fates[MOST_NUMBERS];
    volatile int heard;  /* by the sleeper; 0: none yet */
    volatile int wrote;  /* by the writer */
    volatile int failed; /* a call of the victim's, its status */
};

extern const struct operation operations[];
extern const size_t operation_count;

/* The one that is looked at. */
extern const struct operation *current;
extern struct ledger *ledger;

/* As trace_fork wants it: prepare, and run between the marks. */
void victim(void *argument);

/*
 * What the others do with the channel, too.
 */

/* A message: a number, and SIZE - 8 bytes that follow from it. */
void fill(uint8_t *bytes, uint64_t number);

/* Into the ledger: what becomes of a message; a call of the victim's that failed. */
void note(uint64_t number, enum fate fate);
void must(int rc);

/* NULL: failed. */
mmf_topic *open_topic(mmf_role role);
mmf_latest *open_latest(mmf_role role);
int create_topic(mmf_role role, mmf_topic **out, int *created);
int create_latest(mmf_role role, mmf_latest **out, int *created);

/* The handle of a child, and its calls. */
extern mmf_topic *topic;
extern mmf_latest *latest;

void open_handle(mmf_role role);
void publish_number(uint64_t number, size_t length);
void run_reserve(void);
void run_latest_reserve(void);

#endif
