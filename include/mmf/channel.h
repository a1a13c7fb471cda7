/*
 * mmf/channel.h - messages between processes through shared memory: what all kinds of
 * channel have in common.
 *
 *   queue    each message goes to exactly one consumer (mmf/queue.h)
 *   topic    each message goes to every subscriber (mmf/topic.h)
 *   latest   one value that is replaced; readers see the newest (mmf/latest.h)
 *   service  requests, each to one server, and its answers (mmf/service.h)
 *
 * A channel is a named object like a map: it lives until its last handle is closed or
 * its last holder dies. It is not durable: messages that were not received by then are
 * gone. It has a fixed number of slots of a fixed size, chosen by its creator; a
 * message has any length up to that size. Payloads begin at a multiple of 64 bytes, in
 * one piece, and may be written and read in place (reserve and commit, take and
 * release); send and receive copy.
 *
 * Roles. A handle is one participant: it sends, receives, or both (`role`). It is for
 * one thread at a time; threads that work at once open a handle each.
 *
 * Delivery of a queue is at least once: releasing a message acknowledges it; if its
 * consumer returns it, dies or closes first, it is redelivered, marked and counted.
 *
 * Pins. What a reader of a latest value takes is pinned: no writer overwrites it before
 * its release, and no writer waits for that, since there are more slots than pins. So it
 * is with a topic with DROP_OLDEST whose creator asked for it (`max_pins`). A dead
 * reader's pin is recovered.
 *
 * Death. A participant killed at any instruction costs at most the message that it had
 * not committed: a dead producer's reservation is dropped. A blocked survivor continues
 * within 50 ms after the kernel has closed the dead process's descriptors.
 *
 * The fast path makes no system call; a wake-up is made only if a thread sleeps.
 * Timeouts are milliseconds by the monotonic clock: -1 waits forever, 0 polls.
 * fork: in the child all handles are dead (MMF_E_DISPOSED); close them.
 *
 * docs/internals/channels.md has the algorithms, their sources, and what a survivor
 * sees.
 */
#ifndef MMF_CHANNEL_H
#define MMF_CHANNEL_H

#include <stddef.h>

#include <mmf/export.h>
#include <mmf/kind.h>
#include <mmf/sync.h>

MMF_BEGIN_DECLS

/* What happens to a message when there is no free slot. There is no default. */
typedef enum mmf_overflow {
    MMF_OVERFLOW_BLOCK = 1,             /* wait, as long as the timeout says */
    MMF_OVERFLOW_FAIL = 2,              /* MMF_E_FULL at once */
    MMF_OVERFLOW_DROP_OLDEST = 3,       /* the oldest message is dropped and counted */
    MMF_OVERFLOW_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_overflow;

/* How a call waits. */
typedef enum mmf_strategy {
    MMF_STRATEGY_SPIN_THEN_WAIT = 0,    /* spin for some 50 us, then sleep */
    MMF_STRATEGY_SPIN = 1,              /* spin; never sleeps, never needs a wake-up */
    MMF_STRATEGY_WAIT = 2,              /* poll for a few us, then sleep */
    MMF_STRATEGY_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_strategy;

/* What a handle is for: flags. */
typedef uint32_t mmf_role;
enum { MMF_ROLE_SEND = 1, MMF_ROLE_RECEIVE = 2, MMF_ROLE_BOTH = 3 };

/* Flags of mmf_channel_options. */
enum {
    /* create, queue: one producer and one consumer, faster */
    MMF_CHANNEL_SPSC = 1,
    /* this handle: a wait ends with MMF_E_PEER_CLOSED when the last peer that there was
     * has closed the channel or died */
    MMF_CHANNEL_PEER_CLOSED = 2,
    /* create, topic and latest value: one sender at a time, faster */
    MMF_CHANNEL_SINGLE_PRODUCER = 4
};

/*
 * Settings; NULL means all defaults, and so does a struct that is zero but for `size`.
 * The rules of mmf_map_options hold. Opening ignores what is marked "create".
 */
typedef struct mmf_channel_options {
    uint32_t size;         /* sizeof(mmf_channel_options) */
    mmf_role role;         /* 0: MMF_ROLE_BOTH */
    mmf_strategy strategy; /* default MMF_STRATEGY_SPIN_THEN_WAIT */
    uint32_t flags;        /* MMF_CHANNEL_...; default 0 */
    /* create: senders, receivers at one time; 0: 64; at most 1,024. Always 1 with
     * MMF_CHANNEL_SPSC; always 1 sender with MMF_CHANNEL_SINGLE_PRODUCER. */
    int32_t max_senders;
    int32_t max_receivers;
    int32_t replay; /* topic, receivers: begin with up to so many older messages */
    /*
     * 1: every user finds the name, as if it began with "Global\"; MMF_E_INVALID if it
     * begins with "Local\". 0: the prefix decides.
     */
    int32_t all_users;
    /* create: permission bits of its file. 0: 0666 with all_users, else 0600. */
    uint32_t mode;
    int32_t wait_ms; /* open_existing: wait up to so many milliseconds for the name;
                        0: do not; -1: forever */
    /*
     * create: pins at one time, of all readers together; at most 1,024. Latest value:
     * 0 means 4. Topic: 0 means none; more only with DROP_OLDEST. Queue: 0. There are
     * at least so many slots and two more. A writer reads all pins once for each
     * message, and once more for each 64 pinned slots that it goes past: a thousand cost
     * it half a microsecond or, if all are in use, ten.
     */
    int32_t max_pins;
} mmf_channel_options;

/* Zero `options` and set its size. */
MMF_API void mmf_channel_options_init(mmf_channel_options *options);

/* Flags of a message. */
enum {
    MMF_MESSAGE_REDELIVERED = 1 /* queue: a consumer had it and died or returned it; it
                                   comes out of its producer's order */
};

/* A received message. The library writes all fields; later versions use the reserved
 * ones. */
typedef struct mmf_message {
    const void *bytes; /* borrowed until the release */
    size_t length;     /* bytes */
    uint64_t sequence; /* its number in the channel; grows, with gaps */
    uint64_t lost;     /* topic: messages that this subscriber lost right before it, at
                            most: a number that was given up, or passed over for a
                            pinned message, counts too */
    uint32_t flags;    /* MMF_MESSAGE_... */
    uint32_t deliveries; /* queue: how often it was given to a consumer, this time
                            included; else 1. One that died while it took the message
                            counts */
    uint32_t reserved[4];
} mmf_message;

/* A piece of memory to send. */
typedef struct mmf_buffer {
    const void *bytes;
    size_t length; /* bytes */
} mmf_buffer;

/* A flag of a channel's counters, beside MMF_CHANNEL_SPSC. */
enum {
    MMF_CHANNEL_DEPTH_IN_PART = 256 /* `depth` is of the newest 262,144 slots alone: a
                                       process that takes no part reads no more */
};

/* What has happened in a channel: sums over all participants since its creation. What a
 * killed participant had not yet counted may be missing. */
typedef struct mmf_channel_stats {
    uint8_t identity[16]; /* random, of this channel alone; a name made anew has
                              another one */
    int64_t message_size; /* maximum bytes of a message */
    int64_t capacity;     /* slots */
    uint64_t sent;        /* messages committed */
    uint64_t received;    /* messages released, by all receivers together */
    uint64_t dropped;     /* for newer ones, of dead producers; requests taken back */
    uint64_t lost;        /* topic: sum of what subscribers have missed */
    uint64_t redelivered; /* queue: given to another consumer */
    int64_t depth;        /* queue: messages waiting now; topic: of the slowest */
    int64_t high_water;   /* highest depth observed (sampled) */
    int32_t senders;      /* participants now */
    int32_t receivers;
    int32_t max_senders; /* participants at most */
    int32_t max_receivers;
    mmf_overflow overflow;
    /* MMF_CHANNEL_SPSC, MMF_CHANNEL_SINGLE_PRODUCER, MMF_CHANNEL_DEPTH_IN_PART */
    uint32_t flags;
    int32_t pins;        /* now */
    int32_t max_pins;    /* at most */
    int64_t answer_size; /* service: maximum bytes of an answer; else 0 */
    int32_t max_calls;   /* service: calls that a client may have open */
    int32_t max_answers; /* service: answers to one call that may wait */
    int64_t in_flight;   /* queue, service: messages taken and not yet released */
    uint64_t reserved[4];
} mmf_channel_stats;

/*
 * The counters of the queue, topic, latest value or service `name`, without taking part.
 * MMF_E_NOT_FOUND; MMF_E_WRONG_KIND if the name is not a channel's; as
 * mmf_map_open_existing.
 */
MMF_API int mmf_channel_stat(const char *name, mmf_channel_stats *stats);

/*
 * How much memory a channel takes: `*bytes` is what its creation reserves. `kind` is
 * MMF_KIND_QUEUE, MMF_KIND_TOPIC or MMF_KIND_LATEST (`capacity` 0: it has none); the
 * rest is what its create call gets, NULL options are the defaults. Nothing is created.
 * The statuses of that call for its arguments; MMF_E_INVALID: not a channel's kind.
 */
MMF_API int mmf_channel_size(mmf_kind kind, size_t message_size, size_t capacity,
                             const mmf_channel_options *options, int64_t *bytes);

/*
 * Every _create_new makes the channel; every _create_or_open opens it if there is one
 * of that kind, and `*created` (NULL is allowed) is 1 if the call created it, else 0.
 * The caller owns `*out`.
 *
 * MMF_E_NULL        name or out is NULL
 * MMF_E_INVALID     an empty name; unknown overflow, role, strategy or flag;
 *                   DROP_OLDEST with MMF_CHANNEL_SPSC; max_pins of a queue, or of a
 *                   topic without DROP_OLDEST; all_users with a "Local\" name; unknown
 *                   bytes in options
 * MMF_E_RANGE       message_size or capacity 0 or too large; max_senders, max_receivers
 *                   or max_pins outside 0 to 1,024; replay < 0; a mode beyond 0777
 * MMF_E_EXISTS      _create_new: the name is taken
 * MMF_E_MISMATCH    _create_or_open: the channel has another message size, capacity
 *                   (after rounding), overflow, flags, max_senders, max_receivers or
 *                   max_pins
 * MMF_E_WRONG_KIND  the name belongs to another kind of object
 * MMF_E_SHARING     MMF_CHANNEL_SPSC: there is a living participant of this role;
 *                   MMF_CHANNEL_SINGLE_PRODUCER: there is a living sender
 * MMF_E_TOO_MANY    as many living participants as the creator allowed
 * MMF_E_NO_SPACE, MMF_E_NO_MEMORY, MMF_E_ACCESS, MMF_E_BUSY, MMF_E_CORRUPT,
 * MMF_E_LAYOUT, MMF_E_IO, MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG: as
 * mmf_map_create_or_open
 *
 * Every _open_existing: MMF_E_NOT_FOUND: no such channel, also after wait_ms;
 * MMF_E_RANGE: wait_ms < -1; else the same, but for sizes and limits.
 *
 * Every call on a handle:
 *
 * MMF_E_NULL      the handle or an output is NULL
 * MMF_E_DISPOSED  the handle is dead after fork
 * MMF_E_NOT_SUPPORTED  the handle's role does not allow the call
 * MMF_E_CORRUPT   the shared words make no sense
 */

MMF_END_DECLS

#endif
