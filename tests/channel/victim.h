/*
 * victim.h - the calls of channels at which kill_points.c kills, and what the others do
 * with the channel, too.
 */
#ifndef MMF_TESTS_CHANNEL_VICTIM_H
#define MMF_TESTS_CHANNEL_VICTIM_H

#include <stddef.h>
#include <stdint.h>

#include <mmf/mmf.h>

#include "kill.h"

enum {
    MOST_NUMBERS = 128,
    OURS = 30, /* our numbers begin here; the victim's with 1 */
    SLOTS = 4,
    LATEST_SLOTS = 8, /* three pins, two more, and a power of two */
    PARTICIPANTS = 3,
    TOPIC_PINS = 2,
    LATEST_PINS = 3,
    SIZE = 200,
    SOURCES_NUMBER = 7,
    SOURCES_MESSAGES = 2,
    SHORT_MS = 30,
    LONG_MS = 120000
};

/* The channel; without one of these it is a queue. */
#define TOPIC 1u
#define LATEST 2u
#define SINGLE 4u    /* MMF_CHANNEL_SPSC; topic: MMF_CHANNEL_SINGLE_PRODUCER */
#define DROP 8u      /* MMF_OVERFLOW_DROP_OLDEST */
#define ONE_SLOT 16u /* else SLOTS */
#define PINS 32u
/* Its state, and the other participants, when the operation runs. */
#define MESSAGES 64u /* two of ours are in it */
#define FULL 128u    /* as many as there are slots */
#define IN_HAND 256u /* we have taken the first slot */
#define SLEEPER 512u /* another process waits for a message */
#define WRITER 1024u /* another process waits for room, which only the victim gives */
#define RELEASER                                                                       \
    2048u            /* another process has our messages, and releases them meanwhile */
#define WAKER 4096u  /* another process sends when the victim sleeps */
#define SETTER 8192u /* it sets the event instead */
#define DEAD_HOLDER 16384u /* one died with the first two messages in its hands */
#define DEAD_WRITER 32768u /* one died with a reservation */
#define DEAD_READER 65536u /* one died as a subscriber, before the messages */
#define ALONE 131072u      /* the victim creates the channel: no other participant */
#define LOOKS 262144u      /* the victim waits, and may have looked after the dead */

#define SOURCE 524288u       /* the victim commits the messages of a source */
#define DEAD_SOURCE 1048576u /* one died that had committed the first, and reserved */

/* What is known of a message; the highest that was reached. */
enum fate { NEVER, COMMITTING, COMMITTED, TAKEN, RELEASING, RELEASED };

/* Shared with the children. */
struct ledger {
    volatile int fates[MOST_NUMBERS];
    volatile int heard;  /* by the sleeper; 0: none yet */
    volatile int may_go; /* a helper: it does not end before */
    volatile int wrote;  /* by the writer */
    volatile int failed; /* a call of the victim's, its status */
};

extern struct ledger *ledger;

extern const struct kill_operation operations[];
extern const size_t operation_count;

/* A message: a number, and bytes that follow from it. */
void fill(uint8_t *bytes, uint64_t number);

/* The number; kill_fail, and 0, if the message is torn. */
uint64_t number_of(const void *bytes, size_t length);

/* Into the ledger: what becomes of a message; a call of the victim's that failed. */
void note(uint64_t number, enum fate fate);
void must(int rc);

/*
 * A channel of the operation's kind.
 */
int slots(void);
int channel_create(mmf_role role, void **out, int *created);
void *channel_open(mmf_role role, int32_t replay); /* NULL: failed */
void channel_close(void *channel);
int channel_send(void *channel, const void *bytes, size_t length, int32_t timeout);
int channel_take(void *channel, int32_t timeout, mmf_message *message);
int channel_release(void *channel, const mmf_message *message);
int channel_receive(void *channel, void *bytes, size_t size, int32_t timeout,
                    size_t *length, mmf_message *message);

/* The handle of a child, and its calls. */
extern void *handle;

void open_handle(uint32_t role);
void send_number(uint64_t number, size_t length);
void run_reserve(void);
void take_twice(void);
void commit_and_reserve(void); /* as a source's first message, and for the next */

/* The event beside the channel, in a wait for any of both. */
mmf_event *open_event(void);

#endif
