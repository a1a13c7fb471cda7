/*
 * purge.h - what is applied here and released is removed from the stream, but for its newest
 * messages, as many as a block of the server's store has: a purge in the block that 2.9.10
 * writes to loses messages if the server is killed later. The sender needs the last one.
 */
#ifndef MMF_BRIDGE_PURGE_H
#define MMF_BRIDGE_PURGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link.h"

/* A block of the server's store has so many bytes, or a fourth of what the stream may have. */
#define BLOCK_BYTES ((int64_t)8 << 20)

/* Messages of the stream that are applied, and not yet purged. */
struct pending {
    uint64_t stream_sequence; /* of the last one */
    size_t bytes;
    uint64_t last; /* sequence in the queue of the last one of it */
    bool is_known; /* else it was applied before this process */
};

/* A store that has the stream: that of the server here; of a mirror, the original one, too. */
struct store {
    const char *domain; /* NULL: here */
    int64_t keep;       /* bytes of the newest messages that are not purged */
    uint64_t purged;    /* what lies before this sequence */
};

struct purge {
    struct link *link;
    const char *stream;
    int64_t capacity;        /* of the queue */
    struct pending *pending; /* a ring */
    size_t from, count;
    int64_t unpurged;  /* bytes that have come since the last purge */
    bool was_released; /* at the last purge, all of it */
    struct store stores[2];
    size_t store_count;
};

/* False: it was said why. */
bool purge_begin(struct purge *purge, struct link *link, const char *stream,
                 int64_t capacity);
void purge_end(struct purge *purge);

/* The stream is read from its beginning; it may have so many bytes. */
void purge_set_stores(struct purge *purge, int64_t most_bytes);

/* So many bytes of the newest messages stay in a stream of so many. */
int64_t purge_keeps(int64_t most_bytes);

/* Note what was applied; purges when much has come. */
void purge_note(struct purge *purge, const struct pending *pending);

/* There is something that may be purged, if it is released. */
bool purge_is_due(struct purge *purge);
void purge_now(struct purge *purge);

#endif
