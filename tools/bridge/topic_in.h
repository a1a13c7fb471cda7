/*
 * topic_in.h - the topic here that messages of others go into, and what is known of these
 * others.
 */
#ifndef MMF_BRIDGE_TOPIC_IN_H
#define MMF_BRIDGE_TOPIC_IN_H

#include <stdbool.h>
#include <stdint.h>

#include <mmf/mmf.h>

#include "link.h"

enum { TOPIC_SOURCES = 64 };

/* A process that publishes: the number that comes next. */
struct topic_source {
    uint64_t number, next, used;
};

struct topic_in {
    struct link *link;
    mmf_topic *topic;
    mmf_channel_stats stats;
    struct stream_names names;
    natsSubscription *subscription; /* live */
    struct topic_source sources[TOPIC_SOURCES];
    uint64_t uses;
    uint64_t skip;    /* messages that are older than what is asked for */
    uint64_t counted; /* lost ones that were counted before their numbers are known */
};

/* False: it was said why. */
bool topic_in_begin(struct topic_in *in, struct link *link);
void topic_in_end(struct topic_in *in);

/* The source; it is noted as the one that was used last. */
struct topic_source *topic_in_note(struct topic_in *in, uint64_t number, uint64_t next);

/* What a message is refused for; NULL: it is good. */
const char *topic_in_unpack(natsMsg *message, struct envelope *envelope,
                            struct unpacker *unpacker);

/* This host has sent it. */
bool topic_in_is_own(const struct topic_in *in, const struct envelope *envelope);

/* Send what is in the message. False: it was said why, or the program ends. */
bool topic_in_apply(struct topic_in *in, natsMsg *message,
                    const struct envelope *envelope, struct unpacker *unpacker);

#endif
