/*
 * latest.c - one value that is replaced. A ring of a few slots, so that a writer need
 * not touch the newest value, and readers have time to copy it.
 */
#include <stdlib.h>
#include <string.h>

#include <mmf/latest.h>

#include "base/fail.h"
#include "channel/channel.h"
#include "channel/transfer.h"
#include "shared/ring/latest.h"

/* The newest, one for each of some writers, and time for slow readers. */
enum { SLOTS = 8 };

struct mmf_latest {
    struct mmf_channel channel;
    uint64_t peeked; /* index */
    int has_peeked;
};

/*
 * Handles.
 */

static int
make_handle(mmf_latest **out, mmf_latest **latest)
{
    if (out == NULL)
        return mmf_fail_argument(MMF_E_NULL, "out", "out is NULL");
    *latest = calloc(1, sizeof(**latest));
    if (*latest == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on a latest value");
    return MMF_OK;
}

static struct mmf_channel_request
request_for(const char *name)
{
    return (struct mmf_channel_request){.name = name,
                                        .kind = MMF_KIND_LATEST,
                                        .capacity = SLOTS,
                                        .overflow = MMF_OVERFLOW_DROP_OLDEST,
                                        .flags_known = MMF_CHANNEL_PEER_CLOSED};
}

int
mmf_latest_create_or_open(const char *name, int64_t value_size,
                  const mmf_channel_options *options, int *created_new,
                  mmf_latest **out)
{
    struct mmf_channel_request request = request_for(name);
    mmf_latest *latest;
    int created;
    int rc = make_handle(out, &latest);

    if (rc < 0)
        return rc;
    request.message_size = value_size;
    rc = mmf_channel_create(&request, options, &latest->channel, &created);
    if (rc < 0) {
        free(latest);
        return rc;
    }
    if (created_new != NULL)
        *created_new = created;
    *out = latest;
    return MMF_OK;
}

int
mmf_latest_open_existing(const char *name, const mmf_channel_options *options, mmf_latest **out)
{
    struct mmf_channel_request request = request_for(name);
    mmf_latest *latest;
    int rc = make_handle(out, &latest);

    if (rc < 0)
        return rc;
    rc = mmf_channel_open(&request, options, &latest->channel);
    if (rc < 0) {
        free(latest);
        return rc;
    }
    *out = latest;
    return MMF_OK;
}

void
mmf_latest_close(mmf_latest *latest)
{
    if (latest == NULL)
        return;
    mmf_channel_close(&latest->channel);
    free(latest);
}

static int
check(const mmf_latest *latest, mmf_role role)
{
    if (latest == NULL)
        return mmf_fail_argument(MMF_E_NULL, "latest", "the latest value is NULL");
    return mmf_channel_check(&latest->channel, role);
}

/*
 * Writing.
 */

/* A slot; the dead may have had the last ones. */
static int
reserve(struct mmf_channel *channel, int64_t length, uint8_t **place)
{
    struct mmf_ring *ring = channel->ring;
    enum mmf_step answer = mmf_ring_reserve(ring, (uint64_t)length, place);

    if (answer == MMF_STEP_WOULD_BLOCK) {
        mmf_channel_recover_dead(channel, MMF_ROLE_SEND);
        answer = mmf_ring_reserve(ring, (uint64_t)length, place);
    }
    if (answer == MMF_STEP_DONE)
        return MMF_OK;
    if (answer == MMF_STEP_WOULD_BLOCK)
        return mmf_fail(MMF_E_BUSY, "living writers have all %llu slots reserved",
                        (unsigned long long)ring->shape.slots);
    return mmf_channel_fail_corrupt();
}

int
mmf_latest_reserve(mmf_latest *latest, int64_t length, void **bytes)
{
    uint8_t *place;
    int rc = check(latest, MMF_ROLE_SEND);

    if (rc == MMF_OK && bytes == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "bytes", "bytes is NULL");
    if (rc == MMF_OK)
        rc = mmf_channel_check_length(&latest->channel, length);
    if (rc == MMF_OK)
        rc = mmf_channel_check_send(&latest->channel, 0);
    if (rc == MMF_OK)
        rc = reserve(&latest->channel, length, &place);
    if (rc != MMF_OK)
        return rc;
    latest->channel.room = (uint64_t)length;
    *bytes = place;
    return MMF_OK;
}

int
mmf_latest_commit(mmf_latest *latest, int64_t length)
{
    int rc = check(latest, MMF_ROLE_SEND);

    return rc < 0 ? rc : mmf_channel_commit(&latest->channel, length, MMF_RING_ALL);
}

int
mmf_latest_abandon(mmf_latest *latest)
{
    int rc = check(latest, MMF_ROLE_SEND);

    return rc < 0 ? rc : mmf_channel_abandon(&latest->channel);
}

int
mmf_latest_send(mmf_latest *latest, const void *bytes, int64_t length)
{
    struct mmf_channel *channel;
    uint8_t *place;
    int rc = check(latest, MMF_ROLE_SEND);

    if (rc == MMF_OK)
        rc = mmf_channel_check_message(&latest->channel, bytes, length);
    if (rc == MMF_OK)
        rc = mmf_channel_check_send(&latest->channel, 0);
    if (rc == MMF_OK)
        rc = reserve(&latest->channel, length, &place);
    if (rc != MMF_OK)
        return rc;
    channel = &latest->channel;
    mmf_channel_put(channel->ring, place, bytes, length);
    mmf_ring_notify_receivers(channel->ring, MMF_RING_ALL, channel->ops);
    return MMF_OK;
}

/*
 * Reading.
 */

/* MMF_TIMED_OUT: none yet. */
static int
find_newest(mmf_latest *latest, struct mmf_ring_message *found)
{
    switch (mmf_ring_newest(latest->channel.ring, found)) {
    case MMF_STEP_DONE:
        return MMF_OK;
    case MMF_STEP_WOULD_BLOCK:
        return MMF_TIMED_OUT;
    default:
        return mmf_channel_fail_corrupt();
    }
}

/* From now on only what is newer shall show at the descriptor. */
static void
drain(mmf_latest *latest)
{
    if (latest->channel.has_fd)
        mmf_os_channel_drain(latest->channel.os);
}

static int
check_read(const mmf_latest *latest, const void *buffer, int64_t capacity,
           const int64_t *length, const uint64_t *version)
{
    int rc = check(latest, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK)
        rc = mmf_channel_check_buffer(buffer, capacity, length);
    if (rc == MMF_OK && version == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "version", "version is NULL");
    return rc;
}

/* Whatever may be the matter: arguments, a descriptor to drain, writers at work. */
static int
read_carefully(mmf_latest *latest, void *buffer, int64_t capacity, int64_t *length,
               uint64_t *version)
{
    struct mmf_ring_message found;
    int rc = check_read(latest, buffer, capacity, length, version);

    if (rc < 0)
        return rc;
    drain(latest);
    do {
        rc = find_newest(latest, &found);
        if (rc < 0)
            return rc;
        if (rc == MMF_TIMED_OUT) {
            *length = 0;
            *version = 0;
            return MMF_OK;
        }
        if (found.length > 0 && found.length <= (uint64_t)capacity)
            mmf_copy_changing(buffer, found.bytes, (size_t)found.length);
    } while (!mmf_ring_still_valid(latest->channel.ring, found.index));
    if (found.length > (uint64_t)capacity)
        return mmf_channel_fail_small(&found, capacity);
    mmf_ring_count_received(latest->channel.ring);
    *length = (int64_t)found.length;
    *version = found.index;
    return MMF_OK;
}

/* Nothing to complain of, and nothing to do but read. The capacity is looked at later. */
static inline int
is_usual_read(const mmf_latest *latest, const void *buffer, const int64_t *length,
              const uint64_t *version)
{
    return latest != NULL && mmf_channel_is_usual(&latest->channel, MMF_ROLE_RECEIVE) &&
           buffer != NULL && length != NULL && version != NULL;
}

/* Inlined twice, so that what is short is copied without a call. */
static inline int
read_usual(mmf_latest *latest, void *buffer, int64_t capacity, int64_t *length,
           uint64_t *version, int is_short)
{
    struct mmf_ring_try_read seen;

    if (!mmf_ring_try_read(latest->channel.ring, &seen) ||
        (int64_t)seen.message.length > capacity)
        return read_carefully(latest, buffer, capacity, length, version);
    if (is_short)
        mmf_copy_short_changing(buffer, seen.message.bytes,
                                (size_t)seen.message.length);
    else
        mmf_copy_changing(buffer, seen.message.bytes, (size_t)seen.message.length);
    if (!mmf_ring_read_still_valid(&seen))
        return read_carefully(latest, buffer, capacity, length, version);
    mmf_ring_count_received(latest->channel.ring);
    *length = (int64_t)seen.message.length;
    *version = seen.message.index;
    return MMF_OK;
}

__attribute__((noinline)) static int
read_long(mmf_latest *latest, void *buffer, int64_t capacity, int64_t *length,
          uint64_t *version)
{
    return read_usual(latest, buffer, capacity, length, version, 0);
}

int
mmf_latest_receive(mmf_latest *latest, void *buffer, int64_t capacity, int64_t *length,
                uint64_t *version)
{
    if (!is_usual_read(latest, buffer, length, version))
        return read_carefully(latest, buffer, capacity, length, version);
    if (latest->channel.ring->shape.message_size > MMF_COPY_SHORT)
        return read_long(latest, buffer, capacity, length, version);
    return read_usual(latest, buffer, capacity, length, version, 1);
}

int
mmf_latest_take(mmf_latest *latest, mmf_message *message)
{
    struct mmf_ring_message found;
    int rc = check(latest, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK && message == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "message", "message is NULL");
    if (rc == MMF_OK && latest->has_peeked)
        rc = mmf_fail(MMF_E_STATE, "this handle has peeked version %llu: release it",
                      (unsigned long long)latest->peeked);
    if (rc < 0)
        return rc;
    drain(latest);
    rc = find_newest(latest, &found);
    if (rc != MMF_OK)
        return rc;
    latest->peeked = found.index;
    latest->has_peeked = 1;
    mmf_channel_show(&found, message);
    return MMF_OK;
}

int
mmf_latest_release(mmf_latest *latest)
{
    int rc = check(latest, MMF_ROLE_RECEIVE);

    if (rc < 0)
        return rc;
    if (!latest->has_peeked)
        return mmf_fail(MMF_E_STATE, "nothing is peeked");
    latest->has_peeked = 0;
    if (!mmf_ring_still_valid(latest->channel.ring, latest->peeked))
        return MMF_OVERWRITTEN;
    mmf_ring_count_received(latest->channel.ring);
    return MMF_OK;
}

struct newer {
    struct mmf_ring *ring;
    uint64_t version;
};

static enum mmf_step
attempt_newer(void *payload)
{
    const struct newer *wanted = payload;
    struct mmf_ring_message found;
    enum mmf_step answer = mmf_ring_newest(wanted->ring, &found);

    if (answer == MMF_STEP_DONE &&
        mmf_index_difference(found.index, wanted->version) <= 0)
        return MMF_STEP_WOULD_BLOCK;
    return answer;
}

int
mmf_latest_wait(mmf_latest *latest, uint64_t version, int32_t timeout_ms)
{
    struct newer wanted = {.version = version};
    struct mmf_channel *channel;
    int rc = check(latest, MMF_ROLE_RECEIVE);

    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    if (rc < 0)
        return rc;
    channel = &latest->channel;
    wanted.ring = channel->ring;
    return mmf_channel_wait(channel, MMF_ROLE_RECEIVE,
                            mmf_ring_deadline(channel->ops, timeout_ms), attempt_newer,
                            &wanted);
}

int
mmf_latest_fd(mmf_latest *latest, int *fd)
{
    int rc = check(latest, MMF_ROLE_RECEIVE);

    return rc < 0 ? rc : mmf_channel_fd(&latest->channel, fd);
}

int
mmf_latest_stat(mmf_latest *latest, mmf_channel_stats *stats)
{
    int rc = check(latest, MMF_ROLE_BOTH);

    return rc < 0 ? rc : mmf_channel_stat_handle(&latest->channel, stats);
}
