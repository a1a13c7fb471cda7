/*
 * mmf/topic.h - messages that each go to every subscriber. mmf/channel.h has what holds
 * for every channel.
 */
#ifndef MMF_TOPIC_H
#define MMF_TOPIC_H

#include <mmf/channel.h>
#include <mmf/export.h>

MMF_BEGIN_DECLS

typedef struct mmf_topic mmf_topic;

/*
 * Topic of `capacity` messages, rounded up to a power of two, at least 2. Every
 * subscriber sees every message sent after it joined, in one order; with `replay` also
 * up to so many before, if they are still there. BLOCK and FAIL: the slowest living
 * subscriber holds up the publishers. DROP_OLDEST: publishers never wait; a subscriber
 * that is too slow learns how many messages it lost. With `max_pins` too, what a
 * subscriber has taken is not overwritten before its release. A handle that only receives
 * has the messages mapped read-only, where the system's pages are of 4,096 bytes.
 */
MMF_API int mmf_topic_create_new(const char *name, size_t message_size, size_t capacity,
                                 mmf_overflow overflow,
                                 const mmf_channel_options *options, mmf_topic **out);

/* Open the topic, or create it, in one step; the sizes must match: MMF_E_MISMATCH. */
MMF_API int mmf_topic_create_or_open(const char *name, size_t message_size,
                                     size_t capacity, mmf_overflow overflow,
                                     const mmf_channel_options *options, int *created,
                                     mmf_topic **out);

/* Open the topic that another process created; wait_ms waits for its name. */
MMF_API int mmf_topic_open_existing(const char *name,
                                    const mmf_channel_options *options,
                                    mmf_topic **out);

/* Close; a reservation is abandoned. NULL is allowed. */
MMF_API void mmf_topic_close(mmf_topic *topic);

/*
 * Sending: as mmf_queue_reserve, mmf_queue_commit, mmf_queue_abandon, mmf_queue_send
 * and mmf_queue_send_many. DROP_OLDEST: MMF_TIMED_OUT only if living publishers have
 * every slot reserved.
 */
MMF_API int mmf_topic_reserve(mmf_topic *topic, size_t length, int32_t timeout_ms,
                              void **bytes);
/* Send what is reserved, as mmf_queue_commit. */
MMF_API int mmf_topic_commit(mmf_topic *topic, size_t length, uint64_t *sequence);

/* Return the reservation, as mmf_queue_abandon. */
MMF_API int mmf_topic_abandon(mmf_topic *topic);
/* Reserve, copy, commit, as mmf_queue_send. */
MMF_API int mmf_topic_send(mmf_topic *topic, const void *bytes, size_t length,
                           int32_t timeout_ms, uint64_t *sequence);

/* Send several, in order, as mmf_queue_send_many. */
MMF_API int mmf_topic_send_many(mmf_topic *topic, const mmf_buffer *messages,
                                size_t count, int32_t timeout_ms, size_t *sent);

/*
 * Take the next message and read it in place; a handle has one at a time (MMF_E_STATE).
 * Under DROP_OLDEST it may be overwritten meanwhile, which the release reports, unless
 * the topic has pins. MMF_TIMED_OUT: no message. MMF_E_PEER_CLOSED: asked for; no
 * message, and the last publisher has closed. MMF_E_TOO_MANY: all pins are in use; the
 * message stays the next.
 */
MMF_API int mmf_topic_take(mmf_topic *topic, int32_t timeout_ms, mmf_message *message);

/* Done with the message; its pin is free. MMF_OVERWRITTEN, never with pins: what was
 * read may be of another message. MMF_E_STATE: nothing is taken. */
MMF_API int mmf_topic_release(mmf_topic *topic);

/* Copy the next message; never a torn one. MMF_E_RANGE: it has more than `capacity`
 * bytes, and stays the first. `message` may be NULL; its `bytes` is the buffer. */
MMF_API int mmf_topic_receive(mmf_topic *topic, void *buffer, size_t capacity,
                              int32_t timeout_ms, size_t *length, mmf_message *message);

/* As mmf_queue_waitable. */
MMF_API mmf_waitable *mmf_topic_waitable(mmf_topic *topic);

/* As mmf_queue_fd. */
MMF_API int mmf_topic_fd(mmf_topic *topic, int *fd);

/* The topic's counters and limits. MMF_E_NULL. */
MMF_API int mmf_topic_stat(mmf_topic *topic, mmf_channel_stats *stats);

MMF_END_DECLS

#endif
