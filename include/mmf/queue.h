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
 * has asked for one. MMF_E_PLATFORM on Windows. */
MMF_API int mmf_queue_fd(mmf_queue *queue, int *fd);

MMF_API int mmf_queue_stat(mmf_queue *queue, mmf_channel_stats *stats);

MMF_END_DECLS

#endif
