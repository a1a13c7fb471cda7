/*
 * mmf/channel.h - messages between processes through shared memory: what all kinds of
 * channel have in common.
 *
 *   queue    each message goes to exactly one consumer (mmf/queue.h)
 *   topic    each message goes to every subscriber (mmf/topic.h)
 *   latest   one value that is replaced; readers see the newest (mmf/latest.h)
 *
 * A channel is a named object like a map: it lives until its last handle is closed or
 * its last holder dies. It has a fixed number of cells of a fixed size, chosen by its
 * creator; a message has any length up to that size. Payloads begin at a multiple of 64
 * bytes, in one piece, and may be written and read in place (reserve and commit, peek
 * and release); send and receive copy.
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
    MMF_STRATEGY_WAIT = 2            /* look for some 2 us, then sleep */
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
    int64_t high_water;    /* largest depth seen; looked at now and then */
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
 * MMF_E_INVALID     an empty name; no such overflow, role, strategy or flag;
 *                   DROP_OLDEST with MMF_CHANNEL_SINGLE; unknown bytes in options
 * MMF_E_RANGE       message_size < 1, message_count < 1, or too large; participants
 *                   outside 1 to 1,024; replay < 0
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

MMF_END_DECLS

#endif
