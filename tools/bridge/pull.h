/*
 * pull.h - reading a stream by a pull consumer of JetStream. The library's fetch waits for
 * the last of the messages that it has asked for; so here is a subscription of an inbox,
 * and requests that are renewed before they are used up.
 */
#ifndef MMF_BRIDGE_PULL_H
#define MMF_BRIDGE_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"

struct pull {
    struct link *link;
    const char *stream;
    void *owner;
    /*
     * Says in `created` when the stream was made that is there now, and in `next` where a
     * consumer of its own begins. Called before the first one, and whenever the stream is another
     * one, which has other messages. False: it was said why.
     */
    bool (*find)(void *owner);
    int64_t created;
    uint64_t next; /* the owner moves it on */
    int64_t
        ack_ms; /* 0: a consumer of its own, in order, without acknowledgements; else
                       the shared one, with so long for each message */
    natsSubscription *subscription; /* of the inbox; NULL: there is no consumer */
    natsInbox *inbox;
    char ask[2 * WIRE_NAME_MAX + 256];
    uint64_t asked;    /* messages that are asked for, and have not come */
    uint64_t consumed; /* messages that this consumer has given */
    uint64_t disconnects;
    int64_t heard_at;
    bool has_given; /* the last call has given a message */
};

/* A message, to be destroyed, and where it stands. */
struct pulled {
    natsMsg *message;
    uint64_t sequence;   /* in the stream */
    uint64_t deliveries; /* this one included */
};

enum pull_status {
    PULL_MESSAGE,
    PULL_NOTHING, /* in the time that it waits; or a request, or the consumer, has ended */
    PULL_FAILURE /* there is no consumer, and it was said why */
};

/* A consumer. False: it was said why. */
bool pull_begin(struct pull *pull);
void pull_end(struct pull *pull);

/* The next message. Where there is no consumer, it begins one. */
enum pull_status pull_next(struct pull *pull, int64_t wait_ms, struct pulled *pulled);

#endif
