/*
 * link.h - one direction of one channel: a thread that tries, says what is wrong, pauses,
 * and tries again. And the bridge that has them all.
 */
#ifndef MMF_BRIDGE_LINK_H
#define MMF_BRIDGE_LINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "envelope.h"
#include "log.h"
#include "pair.h"
#include "server.h"

/* Written by the link's thread alone, read by the one that prints the metrics. */
enum counter {
    MESSAGES,    /* that went across */
    BYTES,       /* of these */
    BATCHES,     /* messages of NATS that carried them */
    REPEATED,    /* publishes that had to be repeated */
    DUPLICATES,  /* messages that came a second time, and were dropped */
    PARKED,      /* messages that did not fit the receiving channel */
    LOST,        /* topic: messages that did not come; queue: missing in the stream */
    REDELIVERED, /* shared queue: messages that may come a second time */
    ECHOES,      /* messages that came back to their origin, and were dropped */
    COALESCED,   /* latest: values that a newer one replaced before they were sent */
    FULL,        /* waits for space: in the stream, or in the receiving channel */
    FAILURES,    /* tries that ended with an error */
    COUNTERS
};

struct bridge;

struct link {
    struct bridge *bridge;
    const struct channel_config *channel;
    enum direction direction;
    char origin[ORIGIN_MAX + 1]; /* queue, in: whose messages; service: which worker */
    char title[400];
    const struct link_work *work;
    struct pair *pair; /* latest, topic: what both directions know */
    pthread_t thread;
    bool has_thread;
    atomic_bool is_ready; /* it has worked once */
    atomic_bool is_working;
    _Atomic uint64_t counters[COUNTERS];
    char problem[512]; /* what was said last; "" when it works */
};

struct bridge {
    const struct config *config;
    struct server server;
    struct link *links;
    size_t count;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    atomic_bool is_stopping;
    int status; /* of the last problem: what to exit with if there is no time left */
    int fatal;  /* a problem that no retry will solve; 0: none */
};

/* Make the links of the configuration; they do not run. False: no memory. */
bool bridge_begin(struct bridge *bridge, const struct config *config);
bool bridge_start(struct bridge *bridge);
void bridge_stop(struct bridge *bridge);
void bridge_end(struct bridge *bridge);

/* All links have worked once. */
bool bridge_is_ready(struct bridge *bridge);

static inline bool
link_is_stopping(const struct link *link)
{
    return atomic_load_explicit(&link->bridge->is_stopping, memory_order_relaxed);
}

static inline void
link_count(struct link *link, enum counter counter, uint64_t more)
{
    atomic_fetch_add_explicit(&link->counters[counter], more, memory_order_relaxed);
}

/* It works: said once after each problem. */
void link_works(struct link *link);

/*
 * The try has failed: say why, once for the same reason. False. `status` is what the program
 * exits with, if it has never worked and no time is left.
 */
bool link_fails(struct link *link, int status, const char *format, ...)
    LOG_FORMAT(3, 4);

/* The same, with a failure of the server's, with one of a call ("WHAT: ...") or of a call that
 * concerns a stream, or with mmf_last_message. */
bool link_fails_by(struct link *link, const struct failure *failure);
bool link_fails_on(struct link *link, const char *what, natsStatus status);
bool link_fails_on_stream(struct link *link, const char *stream, natsStatus status,
                          jsErrCode code);
bool link_fails_locally(struct link *link, int status, const char *what);

/* Sleep, but for the end of the program: then false. */
bool link_sleep(struct link *link, int64_t milliseconds);

/* What a link of each kind does in a try. Its state has so many bytes, which are 0 at first. */
struct link_work {
    size_t size;
    bool (*begin)(void *state, struct link *link); /* false: it was said why */
    bool (*step)(void *state); /* soon to return; false: the try is over */
    void (*end)(void *state);  /* also if it did not begin */
};
extern const struct link_work queue_out, queue_in, queue_shared, topic_out, topic_in,
    topic_stored, latest_out, latest_in, service_out, service_in;

#endif
