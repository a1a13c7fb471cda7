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
 * Topic. Every subscriber sees every message published after it joined, in one order;
 * with `replay` also up to so many before, as far as they are still there.
 * message_count is rounded up to a power of two, at least 2. BLOCK and FAIL: the
 * slowest living subscriber holds the publishers. DROP_OLDEST: publishers never wait; a
 * subscriber that is too slow learns how many it lost. A handle that only subscribes
 * has the messages mapped read-only, where the system's pages are of 4,096 bytes.
 */
MMF_API int mmf_topic_create(const char *name, int64_t message_size,
                             int64_t message_count, mmf_overflow overflow,
                             const mmf_channel_options *options, int *created_new,
                             mmf_topic **out);
MMF_API int mmf_topic_open(const char *name, const mmf_channel_options *options,
                           mmf_topic **out);

/* Close; what is reserved is abandoned. NULL is allowed. */
MMF_API void mmf_topic_close(mmf_topic *topic);

/*
 * Publishing: as mmf_queue_reserve, mmf_queue_commit, mmf_queue_abandon, mmf_queue_send
 * and mmf_queue_send_many. DROP_OLDEST: MMF_TIMED_OUT only if living publishers have
 * every cell reserved.
 */
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
 * DROP_OLDEST it may be overwritten meanwhile, which the release tells. MMF_TIMED_OUT:
 * none. MMF_E_PEER_GONE: asked for; there is none, and the last publisher is gone.
 */
MMF_API int mmf_topic_peek(mmf_topic *topic, int32_t timeout_ms, mmf_message *message);

/* Done with it. MMF_OVERWRITTEN: what was read may be of another message. MMF_E_STATE:
 * nothing is peeked. */
MMF_API int mmf_topic_release(mmf_topic *topic);

/* Copy the next message; never a torn one. MMF_E_RANGE: it has more than `capacity`
 * bytes, and stays first. `message` may be NULL; its `bytes` is the buffer. */
MMF_API int mmf_topic_receive(mmf_topic *topic, void *buffer, int64_t capacity,
                              int32_t timeout_ms, int64_t *length,
                              mmf_message *message);

/* As mmf_queue_fd. */
MMF_API int mmf_topic_fd(mmf_topic *topic, int *fd);

MMF_API int mmf_topic_stat(mmf_topic *topic, mmf_channel_stats *stats);

MMF_END_DECLS

#endif
