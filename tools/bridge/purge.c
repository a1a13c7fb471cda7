/*
 * purge.c - what is applied here and released is removed from the stream, but for its newest
 * messages.
 */
#include "purge.h"

#include <stdlib.h>

#include "local.h"

enum { PENDING = 1024, PENDING_BYTES = 64 << 10 };

static struct pending *
pending_at(struct purge *purge, size_t i)
{
    return &purge->pending[(purge->from + i) % PENDING];
}

/*
 * How many of the pending ones are released. What was applied before this process lies
 * before what it has applied itself.
 */
static size_t
count_released(struct purge *purge, uint64_t oldest)
{
    size_t released = 0;

    for (size_t i = 0; i < purge->count; i++) {
        const struct pending *pending = pending_at(purge, i);

        if (pending->is_known && pending->last >= oldest)
            break;
        if (pending->is_known || oldest == UINT64_MAX)
            released = i + 1;
    }
    return released;
}

/*
 * Those that can go. The newest ones stay, as many as a block of the server's store has: a
 * purge in the block that 2.9.10 writes to loses messages if the server is killed later. And
 * the sender needs the last one.
 */
static size_t
count_purged(struct purge *purge, size_t released, int64_t keep)
{
    int64_t behind = 0;
    size_t purged = purge->count;

    while (purged > 0 && (purged > released || behind < keep))
        behind += (int64_t)pending_at(purge, --purged)->bytes;
    return purged;
}

static bool
purge_store(struct purge *purge, struct store *store, uint64_t sequence)
{
    struct failure failure;

    if (sequence <= store->purged)
        return true;
    if (!server_purge(&purge->link->bridge->server, purge->stream, sequence,
                      store->domain, &failure)) {
        log_say(LOG_WARNING, purge->link->title, "purge: %s", failure.text);
        return false;
    }
    store->purged = sequence;
    return true;
}

/* Every message before it is released; UINT64_MAX: all are. A message that a consumer keeps for
 * longer than a lap is not the first slot's: so all are asked for. */
static bool
find_oldest(struct purge *purge, uint64_t *oldest)
{
    size_t count = 0;
    mmf_queue_item *items = local_browse(purge->link, purge->capacity, &count);

    if (items == NULL)
        return false;
    *oldest = count > 0 ? items[0].sequence : UINT64_MAX;
    free(items);
    return true;
}

/* What is purged in all stores is forgotten. */
void
purge_now(struct purge *purge)
{
    uint64_t oldest = 0;
    size_t released, least = purge->count;

    purge->unpurged = 0;
    if (!find_oldest(purge, &oldest))
        return;
    released = count_released(purge, oldest);
    purge->was_released = released == purge->count;
    for (size_t i = 0; i < purge->store_count; i++) {
        size_t purged = count_purged(purge, released, purge->stores[i].keep);

        if (purged > 0 && !purge_store(purge, &purge->stores[i],
                                       pending_at(purge, purged - 1)->stream_sequence))
            return;
        least = purged < least ? purged : least;
    }
    purge->from = (purge->from + least) % PENDING;
    purge->count -= least;
}

/* The store that keeps least is the last one. */
static int64_t
least_kept(const struct purge *purge)
{
    return purge->stores[purge->store_count - 1].keep;
}

static void
merge(struct pending *into, const struct pending *pending)
{
    into->stream_sequence = pending->stream_sequence;
    into->bytes += pending->bytes;
    if (pending->is_known) {
        into->is_known = true;
        into->last = pending->last;
    }
}

/* A few small ones count as one; so do all, where there is no space for another one. */
void
purge_note(struct purge *purge, const struct pending *pending)
{
    struct pending *newest =
        purge->count > 0 ? pending_at(purge, purge->count - 1) : NULL;

    if (newest != NULL &&
        (newest->bytes + pending->bytes <= PENDING_BYTES || purge->count == PENDING))
        merge(newest, pending);
    else
        *pending_at(purge, purge->count++) = *pending;
    purge->unpurged += (int64_t)pending->bytes;
    if (purge->unpurged >= least_kept(purge))
        purge_now(purge);
}

bool
purge_is_due(struct purge *purge)
{
    return (purge->unpurged > 0 || !purge->was_released) &&
           count_purged(purge, purge->count, least_kept(purge)) > 0;
}

bool
purge_begin(struct purge *purge, struct link *link, const char *stream,
            int64_t capacity)
{
    purge->link = link;
    purge->capacity = capacity;
    purge->stream = stream;
    purge->pending = calloc(PENDING, sizeof *purge->pending);
    return purge->pending != NULL ||
           link_fails(link, EXIT_FAILED, "there is no memory to note what is applied");
}

void
purge_end(struct purge *purge)
{
    free(purge->pending);
}

/* A mirror has no limit. */
void
purge_set_stores(struct purge *purge, int64_t most_bytes)
{
    const char *domain = purge->link->channel->mirror_domain;

    purge->count = 0; /* what is read again is noted again */
    purge->store_count = 0;
    if (domain != NULL)
        purge->stores[purge->store_count++] = (struct store){.keep = BLOCK_BYTES};
    purge->stores[purge->store_count++] =
        (struct store){.domain = domain, .keep = purge_keeps(most_bytes)};
}

int64_t
purge_keeps(int64_t most_bytes)
{
    return most_bytes > 0 && most_bytes / 4 < BLOCK_BYTES ? most_bytes / 4
                                                          : BLOCK_BYTES;
}
