/*
 * mmf/channel.h - messages between processes through shared memory: queue, topic and
 * latest value.
 *
 *   queue    each message goes to exactly one consumer
 *   topic    each message goes to every subscriber
 *   latest   one value that is replaced; readers see the newest
 *
 * A channel is a named object like a map: it lives until its last handle is closed or
 * its last holder dies. It has a fixed number of cells of a fixed size, chosen by its
 * creator; a message has any length up to that size. Payloads begin at a multiple of 64
 * bytes, in one piece, and may be written and read in place (reserve and commit, peek
 * and release); send, receive, publish, read and write copy.
 *
 * Roles. A handle is one participant: it sends, receives, or both (`role`). It is for
 * one thread at a time; threads that work at once open a handle each.
 *
 * Death. A participant killed at any instruction costs at most the message that it had
 * not committed. Nobody waits for the dead: what a dead producer had reserved is
 * dropped, what a dead consumer had peeked goes to another one, marked. A blocked
 * survivor goes on within 50 ms after the kernel has closed the dead one's descriptors.
 *
 * The fast path makes no system call; a wake-up is paid only if somebody sleeps.
 * Time-outs are milliseconds by the monotonic clock: -1 waits for ever, 0 polls.
 * fork: in the child all handles are dead (MMF_E_DISPOSED); close them.
 *
 * docs/channels.md has the algorithms, their sources, and what a survivor sees.
 */
#ifndef MMF_CHANNEL_H
#define MMF_CHANNEL_H

#include <mmf/export.h>

MMF_BEGIN_DECLS

typedef struct mmf_queue mmf_queue;
typedef struct mmf_topic mmf_topic;
typedef struct mmf_latest mmf_latest;

/* What happens to a message when there is no free cell. There is no default. */
typedef int32_t mmf_overflow;
enum {
    MMF_OVERFLOW_BLOCK = 1,      /* wait, as long as the time-out says */
    MMF_OVERFLOW_FAIL = 2,       /* MMF_E_FULL at once */
    MMF_OVERFLOW_DROP_OLDEST = 3 /* the oldest message gives way and is counted */
};

/* How a call waits. */
typedef int32_t mmf_strategy;
enum {
    MMF_STRATEGY_SPIN_THEN_WAIT = 0, /* spin for some 50 us, then sleep */
    MMF_STRATEGY_SPIN = 1,           /* spin; never sleeps, never needs a wake-up */
    MMF_STRATEGY_WAIT = 2            /* sleep at once */
};

/* What a handle is for: flags. */
typedef uint32_t mmf_role;
enum { MMF_ROLE_SEND = 1, MMF_ROLE_RECEIVE = 2, MMF_ROLE_BOTH = 3 };

/* Flags of mmf_channel_options. */
enum {
    MMF_CHANNEL_SINGLE = 1,   /* create, queue: one producer and one consumer, faster */
    MMF_CHANNEL_PEER_GONE = 2 /* this handle: a wait ends with MMF_E_PEER_GONE when the
                                 last counterpart that there was is gone */
};

/*
 * Settings; NULL means all defaults. The rules of mmf_options hold for `size`. Opening
 * ignores what is marked "create".
 */
typedef struct mmf_channel_options {
    uint32_t size;         /* sizeof(mmf_channel_options) */
    mmf_role role;         /* default MMF_ROLE_BOTH */
    mmf_strategy strategy; /* default MMF_STRATEGY_SPIN_THEN_WAIT */
    uint32_t flags;        /* MMF_CHANNEL_...; default 0 */
    int32_t participants;  /* create: most senders, and most receivers, at one time;
                              default 64, at most 1,024 each */
    int32_t replay;        /* topic, receivers: begin with so many older messages */
    uint32_t mode;         /* create: permission bits of the object's file; 0: 0600 */
    uint32_t reserved;     /* 0 */
} mmf_channel_options;

/* Fill `options` with the defaults. */
MMF_API void mmf_channel_options_init(mmf_channel_options *options);

/* Flags of a message. */
enum {
    MMF_MESSAGE_REDELIVERED = 1 /* queue: a consumer had it and died or returned it; it
                                   comes out of its producer's order */
};

/* A received message. */
typedef struct mmf_message {
    const void *bytes; /* borrowed until the release */
    int64_t length;
    uint64_t sequence; /* its number in the channel; grows, with gaps */
    uint64_t lost;     /* topic: messages that this subscriber lost right before it */
    uint32_t flags;    /* MMF_MESSAGE_... */
    uint32_t reserved;
} mmf_message;

/* A piece of memory to send. */
typedef struct mmf_buffer {
    const void *bytes;
    int64_t length;
} mmf_buffer;

/* What has happened in a channel; sums over all participants since its creation. What
 * a participant killed meanwhile had not yet counted may be missing. */
typedef struct mmf_channel_stats {
    int64_t message_size;  /* most bytes of a message */
    int64_t message_count; /* cells */
    uint64_t sent;         /* messages committed */
    uint64_t received;     /* messages released, by all receivers together */
    uint64_t dropped;      /* given way to newer ones, or of dead producers */
    uint64_t lost;         /* topic: sum of what subscribers have missed */
    uint64_t redelivered;  /* queue: given to another consumer */
    int64_t depth;         /* queue: messages waiting now; topic: of the slowest */
    int64_t high_water;    /* largest depth that a sender has seen */
    int32_t senders;       /* participants now */
    int32_t receivers;
    mmf_overflow overflow;
    uint32_t flags; /* MMF_CHANNEL_SINGLE */
} mmf_channel_stats;

/* The counters of the queue, topic or latest value `name`, without taking part.
 * MMF_E_NOT_FOUND, MMF_E_WRONG_KIND if the name is no channel's; as mmf_open_existing.
 */
MMF_API int mmf_channel_stat(const char *name, mmf_channel_stats *stats);

/*
 * Every _create makes the channel, or opens it if one of that kind is there;
 * `*created_new` (NULL is allowed) tells which. Opening ignores sizes and overflow. The
 * caller owns `*out`.
 *
 * MMF_E_NULL        name or out is NULL
 * MMF_E_INVALID     empty name; no such overflow, role, strategy or flag; DROP_OLDEST
 *                   with MMF_CHANNEL_SINGLE; unknown bytes in options
 * MMF_E_RANGE       message_size < 1, message_count < 1, or too large;
 *                   participants outside 1 to 1,024; replay < 0
 * MMF_E_WRONG_KIND  the name belongs to another kind of object
 * MMF_E_SHARING     MMF_CHANNEL_SINGLE: there is a living participant of this role
 * MMF_E_FULL        as many living participants as the creator allowed
 * MMF_E_NO_SPACE, MMF_E_NO_MEMORY, MMF_E_ACCESS, MMF_E_BUSY, MMF_E_CORRUPT,
 * MMF_E_LAYOUT, MMF_E_IO, MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG: as
 * mmf_create_or_open
 *
 * Every _open: MMF_E_NOT_FOUND if there is none; else the same.
 *
 * For every call on a handle:
 *
 * MMF_E_NULL      the handle or an output is NULL
 * MMF_E_DISPOSED  dead after fork
 * MMF_E_NOT_SUPPORTED  the handle has not the role for it
 * MMF_E_CORRUPT   the shared words make no sense
 */

/*
 * Queue. message_count is rounded up to a power of two. Each message goes to one
 * consumer; messages of one producer come in the order of its commits, but for
 * redelivered ones. A message counts as taken when it is released; a consumer that
 * dies or closes before hands it on.
 */
MMF_API int mmf_queue_create(const char *name, int64_t message_size,
                             int64_t message_count, mmf_overflow overflow,
                             const mmf_channel_options *options, int *created_new,
                             mmf_queue **out);
MMF_API int mmf_queue_open(const char *name, const mmf_channel_options *options,
                           mmf_queue **out);

/* Close; what is reserved is abandoned, what is peeked goes to others. NULL is allowed.
 */
MMF_API void mmf_queue_close(mmf_queue *queue);

/*
 * Reserve a cell for a message of up to `length` bytes: `*bytes` is where to write it.
 * A handle has one reservation at a time.
 *
 * MMF_TIMED_OUT  BLOCK: full all the time
 * MMF_E_FULL     FAIL: full
 * MMF_E_RANGE    length < 0 or more than message_size; timeout_ms < -1
 * MMF_E_STATE    there is a reservation
 * MMF_E_PEER_GONE  asked for, and the last consumer is gone while the queue is full
 */
MMF_API int mmf_queue_reserve(mmf_queue *queue, int64_t length, int32_t timeout_ms,
                              void **bytes);

/* Send what is reserved, `length` bytes of it. MMF_E_STATE: nothing is reserved.
 * MMF_E_RANGE: length < 0 or more than was reserved. */
MMF_API int mmf_queue_commit(mmf_queue *queue, int64_t length);

/* Give the reservation back. MMF_E_STATE: nothing is reserved. */
MMF_API int mmf_queue_abandon(mmf_queue *queue);

/* Reserve, copy, commit. Status as both. */
MMF_API int mmf_queue_send(mmf_queue *queue, const void *bytes, int64_t length,
                           int32_t timeout_ms);

/*
 * Send several, in order; `*sent` says how many went: all with MMF_OK, fewer when the
 * queue was full for the time-out (MMF_TIMED_OUT if none; MMF_OK else).
 */
MMF_API int mmf_queue_send_many(mmf_queue *queue, const mmf_buffer *messages,
                                int32_t count, int32_t timeout_ms, int32_t *sent);

/*
 * Take the next message to look at it in place, until mmf_queue_release. Several may be
 * held at once. MMF_TIMED_OUT: none. MMF_E_PEER_GONE: asked for; the queue is empty and
 * the last producer is gone.
 */
MMF_API int mmf_queue_peek(mmf_queue *queue, int32_t timeout_ms, mmf_message *message);

/* Take up to `most` that are there; waits for the first only. */
MMF_API int mmf_queue_peek_many(mmf_queue *queue, int32_t most, int32_t timeout_ms,
                                mmf_message *messages, int32_t *count);

/* Done with it. MMF_E_STATE: this handle does not hold that message. */
MMF_API int mmf_queue_release(mmf_queue *queue, const mmf_message *message);
MMF_API int mmf_queue_release_many(mmf_queue *queue, const mmf_message *messages,
                                   int32_t count);

/*
 * Peek, copy, release. MMF_E_RANGE: it has more than `capacity` bytes, and stays first
 * for this handle. `message` may be NULL; its `bytes` is the buffer.
 */
MMF_API int mmf_queue_receive(mmf_queue *queue, void *buffer, int64_t capacity,
                              int32_t timeout_ms, int64_t *length,
                              mmf_message *message);

/* A descriptor that polls readable when a message may be there: a hint, try a receive
 * with time-out 0. Owned by the handle. Costs a system call for each send while anybody
 * has asked for one. */
MMF_API int mmf_queue_fd(mmf_queue *queue, int *fd);

MMF_API int mmf_queue_stat(mmf_queue *queue, mmf_channel_stats *stats);

/*
 * Topic. Every subscriber sees every message published after it joined, in one order.
 * message_count is rounded up to a power of two, at least 2. BLOCK and FAIL: the
 * slowest living subscriber holds the publishers. DROP_OLDEST: publishers never wait;
 * a subscriber that is too slow learns how many it lost.
 */
MMF_API int mmf_topic_create(const char *name, int64_t message_size,
                             int64_t message_count, mmf_overflow overflow,
                             const mmf_channel_options *options, int *created_new,
                             mmf_topic **out);
MMF_API int mmf_topic_open(const char *name, const mmf_channel_options *options,
                           mmf_topic **out);
MMF_API void mmf_topic_close(mmf_topic *topic);

/* Publishing: as a queue's reserve, commit, abandon, send and send_many. */
MMF_API int mmf_topic_reserve(mmf_topic *topic, int64_t length, int32_t timeout_ms,
                              void **bytes);
MMF_API int mmf_topic_commit(mmf_topic *topic, int64_t length);
MMF_API int mmf_topic_abandon(mmf_topic *topic);
MMF_API int mmf_topic_publish(mmf_topic *topic, const void *bytes, int64_t length,
                              int32_t timeout_ms);
MMF_API int mmf_topic_publish_many(mmf_topic *topic, const mmf_buffer *messages,
                                   int32_t count, int32_t timeout_ms,
                                   int32_t *published);

/*
 * The next message, in place; a handle has one at a time (MMF_E_STATE). Under
 * DROP_OLDEST it may be overwritten meanwhile, which the release tells.
 */
MMF_API int mmf_topic_peek(mmf_topic *topic, int32_t timeout_ms, mmf_message *message);

/* Done with it. MMF_OVERWRITTEN: what was read may be of another message. */
MMF_API int mmf_topic_release(mmf_topic *topic);

/* Copy the next message; never a torn one. As mmf_queue_receive. */
MMF_API int mmf_topic_receive(mmf_topic *topic, void *buffer, int64_t capacity,
                              int32_t timeout_ms, int64_t *length,
                              mmf_message *message);

/* As mmf_queue_fd. */
MMF_API int mmf_topic_fd(mmf_topic *topic, int *fd);
MMF_API int mmf_topic_stat(mmf_topic *topic, mmf_channel_stats *stats);

/*
 * Latest value, of up to `value_size` bytes. Readers never wait for writers, nor
 * writers for readers. Versions grow with gaps; a handle never sees one that is older
 * than what it has seen. 0 is the version before the first.
 */
MMF_API int mmf_latest_create(const char *name, int64_t value_size,
                              const mmf_channel_options *options, int *created_new,
                              mmf_latest **out);
MMF_API int mmf_latest_open(const char *name, const mmf_channel_options *options,
                            mmf_latest **out);
MMF_API void mmf_latest_close(mmf_latest *latest);

/* Write in place, as a queue's; never waits. MMF_E_BUSY: every cell is reserved by a
 * living writer. */
MMF_API int mmf_latest_reserve(mmf_latest *latest, int64_t length, void **bytes);
MMF_API int mmf_latest_commit(mmf_latest *latest, int64_t length);
MMF_API int mmf_latest_abandon(mmf_latest *latest);
MMF_API int mmf_latest_write(mmf_latest *latest, const void *bytes, int64_t length);

/* Copy the newest value: `*length` bytes of version `*version`; 0 and 0 if there is
 * none yet. MMF_E_RANGE: it has more than `capacity` bytes. */
MMF_API int mmf_latest_read(mmf_latest *latest, void *buffer, int64_t capacity,
                            int64_t *length, uint64_t *version);

/* The newest value in place; release tells MMF_OVERWRITTEN. MMF_TIMED_OUT: none yet. */
MMF_API int mmf_latest_peek(mmf_latest *latest, mmf_message *message);
MMF_API int mmf_latest_release(mmf_latest *latest);

/* Wait until there is a version newer than `version`. MMF_TIMED_OUT; MMF_E_PEER_GONE:
 * asked for, and the last writer is gone. */
MMF_API int mmf_latest_wait(mmf_latest *latest, uint64_t version, int32_t timeout_ms);

/* As mmf_queue_fd. */
MMF_API int mmf_latest_fd(mmf_latest *latest, int *fd);
MMF_API int mmf_latest_stat(mmf_latest *latest, mmf_channel_stats *stats);

MMF_END_DECLS

#endif
