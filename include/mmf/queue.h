/*
 * mmf/queue.h - messages that each go to exactly one consumer. mmf/channel.h has what
 * holds for every channel.
 */
#ifndef MMF_QUEUE_H
#define MMF_QUEUE_H

#include <mmf/channel.h>
#include <mmf/export.h>

MMF_BEGIN_DECLS

typedef struct mmf_queue mmf_queue;

/*
 * Queue of `capacity` messages, rounded up to a power of two. Each message goes to one
 * consumer; messages of one producer come in the order of its commits, except for
 * redelivered ones. Releasing a message acknowledges it. If its consumer returns it, dies
 * or closes first, it is redelivered, with `deliveries` raised.
 */
MMF_API int mmf_queue_create_new(const char *name, size_t message_size, size_t capacity,
                                 mmf_overflow overflow,
                                 const mmf_channel_options *options, mmf_queue **out);

/* Open the queue, or create it, in one step; the sizes must match: MMF_E_MISMATCH. */
MMF_API int mmf_queue_create_or_open(const char *name, size_t message_size,
                                     size_t capacity, mmf_overflow overflow,
                                     const mmf_channel_options *options, int *created,
                                     mmf_queue **out);

/* Open the queue that another process created; wait_ms waits for its name. */
MMF_API int mmf_queue_open_existing(const char *name,
                                    const mmf_channel_options *options,
                                    mmf_queue **out);

/* Close; a reservation is abandoned, messages in flight are redelivered. NULL is
 * allowed. */
MMF_API void mmf_queue_close(mmf_queue *queue);

/*
 * Reserve a slot for a message of up to `length` bytes: `*bytes` is where to write it.
 * A handle has one reservation at a time.
 *
 * MMF_TIMED_OUT  BLOCK: full all the time
 * MMF_E_FULL     FAIL: full
 * MMF_E_RANGE    length more than message_size; timeout_ms < -1
 * MMF_E_STATE    there is a reservation
 * MMF_E_PEER_CLOSED  asked for; the queue is full and the last consumer has closed
 */
MMF_API int mmf_queue_reserve(mmf_queue *queue, size_t length, int32_t timeout_ms,
                              void **bytes);

/* Send what is reserved, `length` bytes of it; `*sequence` (NULL is allowed) is the
 * message's number in the channel. MMF_E_STATE: nothing is reserved. MMF_E_RANGE:
 * length is more than was reserved. */
MMF_API int mmf_queue_commit(mmf_queue *queue, size_t length, uint64_t *sequence);

/*
 * Commit what is reserved as message `position` of `source`: messages that come from
 * elsewhere, each exactly once. `source` is any number but 0 that the caller gives to where
 * they come from; their positions rise, with or without gaps. The message and its position
 * are one step: a process that is killed at any instruction leaves both or neither. So a
 * successor asks mmf_queue_applied, and goes on with what comes after it. One handle at a
 * time commits for a source, and any for as many sources as it likes; other producers send
 * beside it. A queue knows 16 sources, as long as it lives.
 *
 * On failure the reservation stays. As mmf_queue_commit, and:
 *
 * MMF_E_STATE     also: it was reserved before the source's last message, by a handle
 *                 that has just taken over; abandon it and reserve another
 * MMF_E_EXISTS    `position` is not above what is applied: abandon the reservation
 * MMF_E_SHARING   another living handle commits for this source; it has to close, or die
 * MMF_E_TOO_MANY  16 other sources have committed to this queue
 * MMF_E_RANGE     `source` or `position` is 0
 */
MMF_API int mmf_queue_commit_from(mmf_queue *queue, size_t length, uint64_t source,
                                  uint64_t position, uint64_t *sequence);

/*
 * The last position of `source` that was committed; 0: none. The message of that position
 * is in the queue, or has left it, and none of a later one ever was; what a dead process had
 * begun is settled first. Any role. While a living handle commits for the source it may be
 * past it. MMF_E_RANGE: `source` is 0.
 */
MMF_API int mmf_queue_applied(mmf_queue *queue, uint64_t source, uint64_t *position);

/* Return the reservation. MMF_E_STATE: nothing is reserved. */
MMF_API int mmf_queue_abandon(mmf_queue *queue);

/* Reserve, copy, commit. Status as both. */
MMF_API int mmf_queue_send(mmf_queue *queue, const void *bytes, size_t length,
                           int32_t timeout_ms, uint64_t *sequence);

/*
 * Send several, in order; `*sent` says how many were sent: all with MMF_OK, fewer if
 * the queue was full for the timeout (MMF_TIMED_OUT if none; MMF_OK else).
 */
MMF_API int mmf_queue_send_many(mmf_queue *queue, const mmf_buffer *messages,
                                size_t count, int32_t timeout_ms, size_t *sent);

/*
 * Take the next message and read it in place, until mmf_queue_release. A handle may
 * have several in flight. MMF_TIMED_OUT: no message. MMF_E_PEER_CLOSED: asked for; the
 * queue is empty and the last producer has closed.
 */
MMF_API int mmf_queue_take(mmf_queue *queue, int32_t timeout_ms, mmf_message *message);

/* Take up to `most` messages; waits for the first only. MMF_E_RANGE: most is 0. */
MMF_API int mmf_queue_take_many(mmf_queue *queue, size_t most, int32_t timeout_ms,
                                mmf_message *messages, size_t *count);

/* Acknowledge a message: it is done. MMF_E_STATE: this handle does not have it. */
MMF_API int mmf_queue_release(mmf_queue *queue, const mmf_message *message);

/* Acknowledge several. All are checked before the first is released. */
MMF_API int mmf_queue_release_many(mmf_queue *queue, const mmf_message *messages,
                                   size_t count);

/*
 * Negative acknowledgement: the message goes to another consumer, at once if one waits,
 * with `deliveries` raised; back to this one only if none takes it within some 20 ms.
 *
 * MMF_E_STATE          this handle does not have it
 * MMF_E_NOT_SUPPORTED  MMF_CHANNEL_SPSC: there is no other consumer
 */
MMF_API int mmf_queue_return(mmf_queue *queue, const mmf_message *message);

/*
 * Wait until every message that was committed before the call, by any producer, has been
 * released or dropped. For a handle that sends. MMF_TIMED_OUT: some are left.
 * MMF_E_PEER_CLOSED: asked for; some are left, and the last consumer has closed.
 */
MMF_API int mmf_queue_drain(mmf_queue *queue, int32_t timeout_ms);

/*
 * Take, copy, release. MMF_E_RANGE: the message has more than `capacity` bytes; it
 * stays the first for this handle. `message` may be NULL; its `bytes` is the buffer.
 */
MMF_API int mmf_queue_receive(mmf_queue *queue, void *buffer, size_t capacity,
                              int32_t timeout_ms, size_t *length, mmf_message *message);

/*
 * The handle for mmf_wait_any and mmf_wait_one, borrowed; NULL for NULL. A wait for it ends
 * with 0 when there is a message to receive (or, with MMF_CHANNEL_PEER_CLOSED, the last
 * sender has gone), and takes none: receive with timeout 0 then. MMF_E_NOT_SUPPORTED: the
 * handle does not receive.
 */
MMF_API mmf_waitable *mmf_queue_waitable(mmf_queue *queue);

/* A descriptor that polls readable when there may be a message; it may be
 * spuriously readable: try a receive with timeout 0. Owned by the handle. Costs a
 * system call for each send while a process has asked for one. MMF_E_PLATFORM on
 * Windows. */
MMF_API int mmf_queue_fd(mmf_queue *queue, int *fd);

/* Where a message of a queue is. */
typedef enum mmf_queue_state {
    MMF_QUEUE_WAITING = 1,                 /* no consumer has it */
    MMF_QUEUE_IN_FLIGHT = 2,               /* a consumer has taken it */
    MMF_QUEUE_RESERVED = 3,                /* a producer writes it */
    MMF_QUEUE_STATE_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_queue_state;

/* A message that mmf_queue_browse or mmf_queue_browse_bytes found. */
typedef struct mmf_queue_item {
    uint64_t sequence; /* its number in the queue */
    int64_t length;    /* bytes; 0 while it is RESERVED */
    int64_t age_ms; /* IN_FLIGHT: since it was taken; -1: not known, or not in flight */
    mmf_queue_state state;
    uint32_t deliveries; /* how often it was given to a consumer so far */
    int32_t pid;         /* of the process that has it, as that process sees itself; 0:
                            no process has it, or it has just died */
    uint32_t reserved;
    const void
        *bytes;    /* _bytes: a copy of its first ones, in the caller's memory; NULL:
                          it is RESERVED, or its sizes make no sense */
    size_t copied; /* so many */
} mmf_queue_item;

/*
 * What is in the queue `name`, without taking part: up to `most` messages, the oldest
 * first; `*count` says how many. Others go on meanwhile, so it is not one moment's
 * state. Statuses: as mmf_channel_stat.
 */
MMF_API int mmf_queue_browse(const char *name, mmf_queue_item *items, size_t most,
                             size_t *count);

/*
 * The same, and up to `each` bytes of every message are copied to `bytes`, which has
 * `most` times as many. What is copied was one message; one that is released meanwhile
 * is skipped.
 */
MMF_API int mmf_queue_browse_bytes(const char *name, mmf_queue_item *items, size_t most,
                                   void *bytes, size_t each, size_t *count);

/* The queue's counters and limits. MMF_E_NULL. */
MMF_API int mmf_queue_stat(mmf_queue *queue, mmf_channel_stats *stats);

MMF_END_DECLS

#endif
