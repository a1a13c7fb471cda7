/*
 * sink.h - the queue here that messages of a stream go into: its slots, and what becomes of
 * messages that do not fit.
 */
#ifndef MMF_BRIDGE_SINK_H
#define MMF_BRIDGE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mmf/mmf.h>

#include "link.h"

struct sink {
    struct link *link;
    mmf_queue *queue;
    mmf_channel_stats stats;
    int32_t full_ms;                       /* how long one wait for a slot takes */
    void (*while_full)(struct sink *sink); /* after each of them; NULL: nothing */
};

/* False: it was said why. */
bool sink_begin(struct sink *sink, struct link *link);
void sink_end(struct sink *sink);

/* A slot with the message's bytes, to be committed; false: there was none until the end, or
 * a failure. */
bool sink_reserve(struct sink *sink, const struct entry *entry);

/* A commit that failed. */
bool sink_fails(struct sink *sink, int status);

/* The message does not fit the queue. */
bool sink_is_too_small(const struct sink *sink, const struct entry *entry);

/* Keep a message of `envelope` that does not fit, number `position`, in a stream of its
 * own. */
bool sink_park(struct sink *sink, const struct envelope *envelope,
               const struct entry *entry, uint64_t position);

/* Keep bytes there under this id. False: it was said why. */
bool sink_park_bytes(struct sink *sink, const char *id, const void *bytes,
                     size_t length);

/* What a message of the stream is refused for; NULL: it is good. */
const char *sink_unpack(const struct sink *sink, natsMsg *message,
                        struct envelope *envelope, struct unpacker *unpacker);

/* Said of each channel that sends: its messages may not fit. */
void sink_check_size(const struct sink *sink, const struct envelope *envelope);

#endif
