/*
 * waitable.c - channels beside mutexes, events and semaphores in a wait for any.
 *
 * The wait takes a mutex, an event or a semaphore, but no message: it says that there is
 * one, as a descriptor does. A ring that woke it and that it has no use for is passed on.
 */
#include "channel/channel.h"

#include <assert.h>

#include "base/fail.h"

/* A channel of the wait, in a role; a service's handle can be there in two. Small: all of
 * them are on a stack that may be the smallest. */
struct entry {
    struct mmf_channel *channel;
    struct mmf_doorbell_mark mark;
    uint8_t index; /* the caller's */
    uint8_t role;
    bool has_marked;
};

static_assert(sizeof(struct entry) <= 24 && MMF_WAIT_MAXIMUM <= UINT8_MAX, "small");

/* Objects and channels, each in the order of their indexes. */
struct mixed {
    struct mmf_os_sync *syncs[MMF_WAIT_MAXIMUM];
    uint8_t sync_index[MMF_WAIT_MAXIMUM];
    int sync_count;
    struct entry entries[MMF_WAIT_MAXIMUM]; /* as many as `beside` has doorbells */
    struct mmf_os_beside beside;
    int ready;       /* the index of a channel with a message, or -1 */
    bool has_polled; /* often, before the first mark */
};

/* To look in that role, and to sleep. A client waits for answers, not for space. */
static struct mmf_ring_wait
wait_in(const struct mmf_channel *channel, mmf_role role)
{
    struct mmf_ring_wait ring = mmf_channel_wait_for(channel, role);

    ring.doorbell = role == MMF_ROLE_RECEIVE ? &channel->ring->shared->message_doorbell
                                             : channel->answer_doorbell;
    return ring;
}

static mmf_role
roles_of(const struct mmf_channel *channel)
{
    return channel->kind->waits_in != NULL ? channel->kind->waits_in(channel)
                                           : MMF_ROLE_RECEIVE;
}

static int
fail_too_many(void)
{
    return mmf_fail(MMF_E_NOT_SUPPORTED,
                    "the objects have more than %d doorbells: a service's handle that "
                    "is client and server has two",
                    MMF_WAIT_MAXIMUM);
}

static void
add(struct mixed *mixed, struct mmf_channel *channel, int index, mmf_role role)
{
    int at = mixed->beside.count++;

    mixed->entries[at] = (struct entry){
        .channel = channel, .index = (uint8_t)index, .role = (uint8_t)role};
    mixed->beside.doorbells[at] = (struct mmf_os_doorbell){
        .ops = channel->ops, .word = wait_in(channel, role).doorbell};
}

static int
sort_in(struct mixed *mixed, struct mmf_waitable *object, int index)
{
    static const mmf_role roles[] = {MMF_ROLE_RECEIVE, MMF_ROLE_SEND};
    struct mmf_channel *channel = object->channel;

    for (int i = 0; channel != NULL && i < 2; i++) {
        if (!(roles_of(channel) & roles[i]))
            continue;
        if (mixed->sync_count + mixed->beside.count == MMF_WAIT_MAXIMUM)
            return fail_too_many();
        add(mixed, channel, index, roles[i]);
    }
    if (channel != NULL)
        return MMF_OK;
    if (mixed->sync_count + mixed->beside.count == MMF_WAIT_MAXIMUM)
        return fail_too_many();
    mixed->sync_index[mixed->sync_count] = (uint8_t)index;
    mixed->syncs[mixed->sync_count++] = object->sync;
    return MMF_OK;
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

/* As often as a ring can have missed a mark. */
static bool
poll_often(struct mixed *mixed)
{
    for (int polls = 1; !look(mixed) && polls < MMF_RING_ARRIVAL; polls++)
        mmf_pause();
    return mixed->ready >= 0;
}

/* Ask after the dead. What the last peer has left comes before its end. */
static bool
check(struct mixed *mixed)
{
    for (int i = 0; i < mixed->beside.count; i++) {
        const struct entry *entry = &mixed->entries[i];
        struct mmf_ring_wait ring = wait_in(entry->channel, entry->role);

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
    bool is_fresh = false;

    /* A message that is under way then costs neither a mark nor a ring. */
    if (!mixed->has_polled && mixed->beside.count > 0 &&
        mixed->entries[0].channel->ops->may_spin && poll_often(mixed))
        return true;
    mixed->has_polled = true;
    for (int i = 0; i < mixed->beside.count; i++) {
        struct mmf_os_doorbell *doorbell = &mixed->beside.doorbells[i];
        struct entry *entry = &mixed->entries[i];
        struct mmf_ring_wait ring = wait_in(entry->channel, entry->role);

        ring.has_marked = entry->has_marked;
        ring.mark = entry->mark;
        mmf_ring_wait_mark(&ring);
        entry->has_marked = true;
        entry->mark = ring.mark;
        doorbell->expected = ring.mark.value;
        is_fresh = is_fresh || ring.mark.is_fresh;
    }
    return (is_fresh ? poll_often(mixed) : look(mixed)) || check(mixed);
}

static void
end(struct mixed *mixed, int index)
{
    for (int i = 0; i < mixed->beside.count; i++) {
        const struct entry *entry = &mixed->entries[i];
        struct mmf_channel *channel = entry->channel;

        if (!entry->has_marked)
            continue;
        mmf_doorbell_unmark(mixed->beside.doorbells[i].word, &entry->mark);
        if (entry->index != index && entry->role == MMF_ROLE_RECEIVE &&
            channel->kind->has_message(channel))
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

static int
wait_for(struct mixed *mixed, int32_t timeout_ms, int *found)
{
    if (mixed->sync_count + mixed->beside.count == 0)
        return mmf_fail(MMF_E_STATE,
                        "no call is open that an answer could come to, and "
                        "there is nothing else to wait for");
    if (look(mixed))
        return take_before(mixed, found);
    if (mixed->sync_count == 0 && timeout_ms == 0)
        return MMF_TIMED_OUT;
    return mmf_os_sync_wait_any(mixed->syncs, mixed->sync_count, &mixed->beside,
                                timeout_ms, found);
}

int
mmf_channel_wait_any(struct mmf_waitable *const *objects, int count, int32_t timeout_ms,
                     int *index)
{
    struct mixed mixed;
    int found = 0;
    int rc = MMF_OK;

    MMF_ASSERT(count > 0 && count <= MMF_WAIT_MAXIMUM);
    mixed.sync_count = 0;
    mixed.ready = -1;
    mixed.has_polled = false;
    mixed.beside.count = 0;
    mixed.beside.is_over = is_over;
    mixed.beside.context = &mixed;
    for (int i = 0; i < count && rc == MMF_OK; i++)
        rc = sort_in(&mixed, objects[i], i);
    if (rc < 0)
        return rc;
    rc = wait_for(&mixed, timeout_ms, &found);
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

static bool
is_available_in(struct mmf_channel *channel, mmf_role role)
{
    struct mmf_ring_wait ring = wait_in(channel, role);

    channel->ring->dead_checked = 0;
    mmf_ring_recover_dead(&ring);
    mmf_ring_wait_check(&ring);
    if (ring.is_peer_closed)
        channel->ring->dead_checked = 0; /* a receive finds the same */
    return ring.is_peer_closed || channel->kind->has_message(channel);
}

bool
mmf_channel_is_available(struct mmf_channel *channel)
{
    mmf_role roles = roles_of(channel);

    return channel->kind->has_message(channel) ||
           ((roles & MMF_ROLE_RECEIVE) && is_available_in(channel, MMF_ROLE_RECEIVE)) ||
           ((roles & MMF_ROLE_SEND) && is_available_in(channel, MMF_ROLE_SEND));
}

int
mmf_channel_check_waitable(const struct mmf_channel *channel)
{
    return mmf_channel_check(
        channel, channel->kind->waits_in != NULL ? MMF_ROLE_BOTH : MMF_ROLE_RECEIVE);
}
