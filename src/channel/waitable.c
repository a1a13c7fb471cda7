/*
 * waitable.c - channels beside mutexes, events and semaphores in a wait for any.
 *
 * The wait takes a mutex, an event or a semaphore, but no message: it says that there is
 * one, as a descriptor does. A ring that woke it and that it has no use for is passed on.
 */
#include "channel/channel.h"

#include "base/fail.h"

/* A channel of the wait. */
struct entry {
    struct mmf_channel *channel;
    int index; /* the caller's */
    bool has_marked;
    struct mmf_doorbell_mark mark;
};

/* Objects and channels, each in the order of their indexes. */
struct mixed {
    struct mmf_os_sync *syncs[MMF_WAIT_MAXIMUM];
    int sync_index[MMF_WAIT_MAXIMUM];
    int sync_count;
    struct entry entries[MMF_WAIT_MAXIMUM];
    struct mmf_os_beside beside;
    int ready; /* the index of a channel with a message, or -1 */
};

static void
sort_in(struct mixed *mixed, struct mmf_waitable *object, int index)
{
    if (object->channel == NULL) {
        mixed->sync_index[mixed->sync_count] = index;
        mixed->syncs[mixed->sync_count++] = object->sync;
        return;
    }
    mixed->entries[mixed->beside.count] =
        (struct entry){.channel = object->channel, .index = index};
    mixed->beside.channels[mixed->beside.count++] = object->channel->os;
}

static bool
look(struct mixed *mixed)
{
    for (int i = 0; i < mixed->beside.count && mixed->ready < 0; i++) {
        struct mmf_channel *channel = mixed->entries[i].channel;

        if (channel->kind->has_message(channel))
            mixed->ready = mixed->entries[i].index;
    }
    return mixed->ready >= 0;
}

/* Ask after the dead. What the last peer has left comes before its end. */
static bool
check(struct mixed *mixed)
{
    for (int i = 0; i < mixed->beside.count; i++) {
        const struct entry *entry = &mixed->entries[i];
        struct mmf_ring_wait ring =
            mmf_channel_wait_for(entry->channel, MMF_ROLE_RECEIVE);

        if (!mmf_ring_wait_check(&ring))
            continue;
        if (look(mixed))
            return true;
        if (ring.is_peer_closed) {
            entry->channel->ring->dead_checked = 0; /* a receive finds the same */
            mixed->ready = entry->index;
            return true;
        }
    }
    return false;
}

/* As of struct mmf_os_beside. */
static bool
is_over(void *context)
{
    struct mixed *mixed = context;
    int looks = 1;

    for (int i = 0; i < mixed->beside.count; i++) {
        struct entry *entry = &mixed->entries[i];
        struct mmf_ring_wait ring =
            mmf_channel_wait_for(entry->channel, MMF_ROLE_RECEIVE);

        ring.has_marked = entry->has_marked;
        ring.mark = entry->mark;
        mmf_ring_wait_mark(&ring);
        entry->has_marked = true;
        entry->mark = ring.mark;
        mixed->beside.expected[i] = ring.mark.value;
        if (ring.mark.is_fresh)
            looks = MMF_RING_ARRIVAL;
    }
    while (!look(mixed) && --looks > 0)
        mmf_pause();
    return mixed->ready >= 0 || check(mixed);
}

static void
end(struct mixed *mixed, int index)
{
    for (int i = 0; i < mixed->beside.count; i++) {
        const struct entry *entry = &mixed->entries[i];
        struct mmf_channel *channel = entry->channel;

        if (!entry->has_marked)
            continue;
        mmf_doorbell_unmark(&channel->ring->shared->message_doorbell, &entry->mark);
        if (entry->index != index && channel->kind->has_message(channel))
            mmf_ring_notify_receivers(channel->ring, 1, channel->ops);
    }
}

/* A channel has a message. The objects before it come first. */
static int
take_before(struct mixed *mixed, int *found)
{
    int count = 0;

    while (count < mixed->sync_count && mixed->sync_index[count] < mixed->ready)
        count++;
    return count == 0 ? MMF_TIMED_OUT
                      : mmf_os_sync_wait_any(mixed->syncs, count, NULL, 0, found);
}

int
mmf_channel_wait_any(struct mmf_waitable *const *objects, int count, int32_t timeout_ms,
                     int *index)
{
    struct mixed mixed;
    int found = 0;
    int rc;

    MMF_ASSERT(count > 0 && count <= MMF_WAIT_MAXIMUM);
    mixed.sync_count = 0;
    mixed.ready = -1;
    mixed.beside.count = 0;
    mixed.beside.is_over = is_over;
    mixed.beside.context = &mixed;
    for (int i = 0; i < count; i++)
        sort_in(&mixed, objects[i], i);
    rc = look(&mixed) ? take_before(&mixed, &found)
                      : mmf_os_sync_wait_any(mixed.syncs, mixed.sync_count,
                                             &mixed.beside, timeout_ms, &found);
    if (rc == MMF_OK || rc == MMF_ABANDONED) {
        *index = mixed.sync_index[found];
    } else if (rc == MMF_TIMED_OUT &&
               (mixed.ready >= 0 || look(&mixed) || check(&mixed))) {
        *index = mixed.ready;
        rc = MMF_OK;
    }
    end(&mixed, rc >= 0 && rc != MMF_TIMED_OUT ? *index : -1);
    return rc;
}

bool
mmf_channel_is_available(struct mmf_channel *channel)
{
    struct mmf_ring_wait ring = mmf_channel_wait_for(channel, MMF_ROLE_RECEIVE);

    if (channel->kind->has_message(channel))
        return true;
    channel->ring->dead_checked = 0;
    mmf_ring_recover_dead(&ring);
    mmf_ring_wait_check(&ring);
    if (ring.is_peer_closed)
        channel->ring->dead_checked = 0; /* a receive finds the same */
    return ring.is_peer_closed || channel->kind->has_message(channel);
}
