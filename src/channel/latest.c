/*
 * latest.c - one value that is replaced. A ring of a few slots, so that a writer need
 * touch neither the newest value nor what readers have pinned.
 */
#include <mmf/latest.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "channel/channel.h"
#include "channel/transfer.h"
#include "shared/ring/latest.h"

/* Copies before one with a pin, and in all. */
enum { TRIES_BEFORE_PIN = 3, MOST_TRIES = 100 };

struct mmf_latest {
    struct mmf_channel channel;
    uint64_t taken; /* index */
    bool has_taken;
    uint64_t seen; /* the version that was received or taken last */
};

/*
 * Handles.
 */

/* `is_newest`: no value is newer than that version, nor is it one to come. */
static enum mmf_step
find_newer(struct mmf_ring *ring, uint64_t version, bool *is_newest)
{
    struct mmf_ring_message found = {.index = 0};
    enum mmf_step step = mmf_ring_newest(ring, &found);
    int64_t difference = mmf_index_difference(found.index, version);

    *is_newest = difference == 0;
    return step == MMF_STEP_DONE && difference <= 0 ? MMF_STEP_WOULD_BLOCK : step;
}

static bool
has_newer(struct mmf_channel *channel)
{
    const struct mmf_latest *latest = (const struct mmf_latest *)channel;
    bool is_newest;

    return find_newer(channel->ring, latest->seen, &is_newest) != MMF_STEP_WOULD_BLOCK;
}

const struct mmf_channel_kind mmf_latest_values = {
    .kind = MMF_KIND_LATEST,
    .wakes = MMF_RING_ALL,
    .flags_known = MMF_CHANNEL_SINGLE_PRODUCER | MMF_CHANNEL_PEER_CLOSED,
    .handle_size = sizeof(struct mmf_latest),
    .has_message = has_newer,
};

static struct mmf_channel_sizes
sizes_of(size_t value_size)
{
    return (struct mmf_channel_sizes){.message_size = value_size,
                                      .capacity = 1,
                                      .overflow = MMF_OVERFLOW_DROP_OLDEST};
}

int
mmf_latest_create_new(const char *name, size_t value_size,
                      const mmf_channel_options *options, mmf_latest **out)
{
    const struct mmf_channel_sizes sizes = sizes_of(value_size);

    return mmf_channel_create_new(&mmf_latest_values, name, &sizes, options, out);
}

int
mmf_latest_create_or_open(const char *name, size_t value_size,
                          const mmf_channel_options *options, int *created,
                          mmf_latest **out)
{
    const struct mmf_channel_sizes sizes = sizes_of(value_size);

    return mmf_channel_create_or_open(&mmf_latest_values, name, &sizes, options,
                                      created, out);
}

int
mmf_latest_open_existing(const char *name, const mmf_channel_options *options,
                         mmf_latest **out)
{
    return mmf_channel_open_existing(&mmf_latest_values, name, options, out);
}

void
mmf_latest_close(mmf_latest *latest)
{
    if (latest != NULL)
        mmf_channel_close(&latest->channel);
}

static inline int
check(const mmf_latest *latest, mmf_role role)
{
    return latest != NULL ? mmf_channel_check(&latest->channel, role)
                          : mmf_fail_null("latest");
}

/*
 * Writing.
 */

/* A slot; dead writers may have had the last ones. */
static int
reserve(struct mmf_channel *channel, size_t length, uint8_t **place)
{
    struct mmf_ring *ring = channel->ring;
    enum mmf_step step;

    MMF_ASSERT(!ring->has_reserved && length <= ring->shape.message_size);
    step = mmf_ring_reserve(ring, length, place);
    if (step == MMF_STEP_WOULD_BLOCK) {
        mmf_channel_recover(channel, MMF_ROLE_SEND);
        step = mmf_ring_reserve(ring, length, place);
    }
    if (step == MMF_STEP_DONE)
        return MMF_OK;
    if (step == MMF_STEP_WOULD_BLOCK)
        return mmf_fail(MMF_E_BUSY, "living writers have all %llu slots reserved",
                        (unsigned long long)ring->shape.slots);
    return mmf_channel_fail_corrupt();
}

int
mmf_latest_reserve(mmf_latest *latest, size_t length, void **bytes)
{
    uint8_t *place;
    int rc = check(latest, MMF_ROLE_SEND);

    if (rc == MMF_OK && bytes == NULL)
        rc = mmf_fail_null("bytes");
    if (rc == MMF_OK)
        rc = mmf_channel_check_length(&latest->channel, length);
    if (rc == MMF_OK)
        rc = mmf_channel_check_send(&latest->channel, NULL, 0, 0);
    if (rc == MMF_OK)
        rc = reserve(&latest->channel, length, &place);
    if (rc != MMF_OK)
        return rc;
    latest->channel.reserved_size = length;
    *bytes = place;
    return MMF_OK;
}

int
mmf_latest_commit(mmf_latest *latest, size_t length, uint64_t *version)
{
    return mmf_channel_commit(&mmf_latest_values, mmf_channel_of(latest), length,
                              version);
}

int
mmf_latest_abandon(mmf_latest *latest)
{
    return mmf_channel_abandon(&mmf_latest_values, mmf_channel_of(latest));
}

int
mmf_latest_send(mmf_latest *latest, const void *bytes, size_t length, uint64_t *version)
{
    uint8_t *place;
    int rc = check(latest, MMF_ROLE_SEND);

    if (rc == MMF_OK)
        rc = mmf_channel_check_send(&latest->channel, bytes, length, 0);
    if (rc == MMF_OK)
        rc = reserve(&latest->channel, length, &place);
    if (rc != MMF_OK)
        return rc;
    mmf_channel_put(latest->channel.ring, place, bytes, length, version);
    return mmf_channel_notify_receivers(&latest->channel);
}

/*
 * Reading.
 */

/* MMF_TIMED_OUT: no value yet. */
static int
find_newest(mmf_latest *latest, struct mmf_ring_message *found)
{
    MMF_ASSERT(latest->channel.role & MMF_ROLE_RECEIVE);
    switch (mmf_ring_newest(latest->channel.ring, found)) {
    case MMF_STEP_DONE:
        return MMF_OK;
    case MMF_STEP_WOULD_BLOCK:
        return MMF_TIMED_OUT;
    default:
        return mmf_channel_fail_corrupt();
    }
}

static int
fail_overwritten(void)
{
    return mmf_fail(MMF_E_BUSY,
                    "writers have overwritten the value %d times while it was read",
                    MOST_TRIES);
}

/* From now on only newer values make the descriptor readable. */
static void
drain(mmf_latest *latest)
{
    MMF_ASSERT(latest->channel.role & MMF_ROLE_RECEIVE);
    if (latest->channel.has_fd)
        mmf_os_channel_consume(latest->channel.os);
}

static int
check_read(const mmf_latest *latest, const void *buffer, size_t capacity,
           const size_t *length, const uint64_t *version)
{
    int rc = check(latest, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK)
        rc = mmf_channel_check_buffer(buffer, capacity, length);
    if (rc == MMF_OK && version == NULL)
        rc = mmf_fail_null("version");
    return rc;
}

/*
 * Copy the newest value. A writer that is quick overwrites it meanwhile: after a few such
 * copies the value is pinned. MMF_OVERWRITTEN: not now.
 */
static int
try_copy(mmf_latest *latest, void *buffer, size_t capacity, bool pins,
         struct mmf_ring_message *found)
{
    struct mmf_ring *ring = latest->channel.ring;
    int rc = find_newest(latest, found);
    bool is_valid;

    if (rc != MMF_OK)
        return rc;
    pins = pins && mmf_ring_pin(ring, found->index) == MMF_STEP_DONE;
    if (found->length > 0 && found->length <= capacity)
        mmf_copy_changing(buffer, found->bytes, (size_t)found->length);
    is_valid = pins || mmf_ring_still_valid(ring, found->index);
    if (pins)
        mmf_ring_unpin(ring);
    return is_valid ? MMF_OK : MMF_OVERWRITTEN;
}

/* A handle that has taken a value has its pin for that, and copies without one. */
static int
copy_newest(mmf_latest *latest, void *buffer, size_t capacity,
            struct mmf_ring_message *found)
{
    for (int tries = 0; tries < MOST_TRIES; tries++) {
        bool pins = tries >= TRIES_BEFORE_PIN && !latest->has_taken;
        int rc = try_copy(latest, buffer, capacity, pins, found);

        if (rc != MMF_OVERWRITTEN)
            return rc;
    }
    return fail_overwritten();
}

/* The general path: bad arguments, a descriptor to drain, writers at work. */
static int
read_general(mmf_latest *latest, void *buffer, size_t capacity, size_t *length,
             uint64_t *version)
{
    struct mmf_ring_message found;
    int rc = check_read(latest, buffer, capacity, length, version);

    if (rc < 0)
        return rc;
    drain(latest);
    rc = copy_newest(latest, buffer, capacity, &found);
    if (rc < 0)
        return rc;
    if (rc == MMF_TIMED_OUT) {
        *length = 0;
        *version = 0;
        return MMF_OK;
    }
    if (found.length > capacity)
        return mmf_channel_fail_small(&found, capacity);
    mmf_ring_count_received(latest->channel.ring);
    *length = (size_t)found.length;
    *version = latest->seen = found.index;
    return MMF_OK;
}

/* The arguments are good, and there is nothing to do but read. The capacity is checked
 * later. */
static inline bool
is_fast_read(mmf_latest *latest, const void *buffer, const size_t *length,
             const uint64_t *version)
{
    return mmf_channel_is_fast(mmf_channel_of(latest), MMF_ROLE_RECEIVE, 0) &&
           buffer != NULL && length != NULL && version != NULL;
}

/* Inlined twice, so that what is short is copied without a call. */
static inline int
read_fast(mmf_latest *latest, void *buffer, size_t capacity, size_t *length,
          uint64_t *version, bool is_short)
{
    struct mmf_ring_read seen;

    MMF_ASSERT(latest->channel.ring->receiving != NULL);
    if (!mmf_ring_try_read(latest->channel.ring, &seen) ||
        seen.message.length > capacity)
        return read_general(latest, buffer, capacity, length, version);
    if (is_short)
        mmf_copy_short_changing(buffer, seen.message.bytes,
                                (size_t)seen.message.length);
    else
        mmf_copy_changing(buffer, seen.message.bytes, (size_t)seen.message.length);
    if (!mmf_ring_read_still_valid(&seen))
        return read_general(latest, buffer, capacity, length, version);
    mmf_ring_count_received(latest->channel.ring);
    *length = (size_t)seen.message.length;
    *version = latest->seen = seen.message.index;
    return MMF_OK;
}

static MMF_NOINLINE int
read_long(mmf_latest *latest, void *buffer, size_t capacity, size_t *length,
          uint64_t *version)
{
    return read_fast(latest, buffer, capacity, length, version, false);
}

int
mmf_latest_receive(mmf_latest *latest, void *buffer, size_t capacity, size_t *length,
                   uint64_t *version)
{
    if (!is_fast_read(latest, buffer, length, version))
        return read_general(latest, buffer, capacity, length, version);
    if (latest->channel.ring->shape.message_size > MMF_COPY_SHORT)
        return read_long(latest, buffer, capacity, length, version);
    return read_fast(latest, buffer, capacity, length, version, true);
}

static int
pin_newest(mmf_latest *latest, struct mmf_ring_message *found)
{
    for (int tries = 0; tries < MOST_TRIES; tries++) {
        int rc = find_newest(latest, found);

        if (rc == MMF_OK)
            rc = mmf_channel_pin(&latest->channel, found->index);
        if (rc != MMF_OVERWRITTEN)
            return rc;
    }
    return fail_overwritten();
}

static void
show_taken(mmf_latest *latest, const struct mmf_ring_message *found,
           mmf_message *message)
{
    latest->taken = latest->seen = found->index;
    latest->has_taken = true;
    mmf_channel_show(found, message);
}

static MMF_NOINLINE int
take(mmf_latest *latest, mmf_message *message)
{
    struct mmf_ring_message found;
    int rc = check(latest, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK && message == NULL)
        rc = mmf_fail_null("message");
    if (rc == MMF_OK && latest->has_taken)
        rc = mmf_fail(MMF_E_STATE, "this handle has taken version %llu: release it",
                      (unsigned long long)latest->taken);
    if (rc < 0)
        return rc;
    drain(latest);
    rc = pin_newest(latest, &found);
    if (rc != MMF_OK)
        return rc;
    show_taken(latest, &found, message);
    return MMF_OK;
}

int
mmf_latest_take(mmf_latest *latest, mmf_message *message)
{
    struct mmf_ring_read seen;

    if (!mmf_channel_is_fast(mmf_channel_of(latest), MMF_ROLE_RECEIVE, 0) ||
        message == NULL || latest->has_taken ||
        !mmf_ring_try_read(latest->channel.ring, &seen) ||
        mmf_ring_pin(latest->channel.ring, seen.message.index) != MMF_STEP_DONE)
        return take(latest, message);
    show_taken(latest, &seen.message, message);
    return MMF_OK;
}

int
mmf_latest_release(mmf_latest *latest)
{
    int rc = check(latest, MMF_ROLE_RECEIVE);

    if (rc < 0)
        return rc;
    if (!latest->has_taken)
        return mmf_fail(MMF_E_STATE, "nothing is taken");
    latest->has_taken = false;
    mmf_ring_unpin(latest->channel.ring);
    mmf_ring_count_received(latest->channel.ring);
    return MMF_OK;
}

int
mmf_latest_wait(mmf_latest *latest, uint64_t version, int32_t timeout_ms)
{
    struct mmf_channel_wait wait;
    enum mmf_step step;
    int rc = check(latest, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    if (rc < 0)
        return rc;
    wait = mmf_channel_wait_begin(&latest->channel, MMF_ROLE_RECEIVE,
                                  mmf_ring_deadline(latest->channel.ops, timeout_ms));
    do
        step = find_newer(latest->channel.ring, version, &wait.ring.is_for_newer);
    while (step == MMF_STEP_WOULD_BLOCK && mmf_channel_wait_more(&wait));
    return mmf_channel_wait_end(&wait, step);
}

mmf_waitable *
mmf_latest_waitable(mmf_latest *latest)
{
    return latest != NULL ? &latest->channel.waitable : NULL;
}

int
mmf_latest_fd(mmf_latest *latest, int *fd)
{
    return latest != NULL ? mmf_waitable_fd(mmf_latest_waitable(latest), fd)
                          : mmf_fail_null("latest");
}

int
mmf_latest_stat(mmf_latest *latest, mmf_channel_stats *stats)
{
    int rc = check(latest, MMF_ROLE_BOTH);

    return rc < 0 ? rc : mmf_channel_stat_handle(&latest->channel, stats);
}
