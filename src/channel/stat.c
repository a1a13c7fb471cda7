/*
 * stat.c - a channel's counters, for its participants and for a process that only asks.
 */
#include "channel/channel.h"

#include "base/fail.h"
#include "shared/ring/stat.h"

static void
fill_stats(const struct mmf_ring *ring, const struct mmf_ring_ops *ops,
           mmf_channel_stats *stats)
{
    const struct mmf_ring_shape *shape = &ring->shape;
    struct mmf_ring_totals totals;

    MMF_ASSERT(ring != NULL && ops != NULL);
    mmf_ring_sum_up(ring, ops, &totals);
    memset(stats, 0, sizeof(*stats));
    memcpy(stats->identity, shape->identity, sizeof(stats->identity));
    stats->message_size = (int64_t)shape->message_size;
    stats->capacity = (int64_t)shape->slots;
    stats->sent = totals.sent;
    stats->received = totals.received;
    stats->dropped = totals.dropped;
    stats->lost = totals.lost;
    stats->redelivered = totals.redelivered;
    stats->depth = (int64_t)totals.depth;
    stats->high_water = (int64_t)totals.high_water;
    stats->senders = (int32_t)totals.senders;
    stats->receivers = (int32_t)totals.receivers;
    stats->max_senders = (int32_t)shape->max_senders;
    stats->max_receivers = (int32_t)shape->max_receivers;
    stats->overflow = (mmf_overflow)shape->overflow;
    stats->flags = shape->is_spsc ? MMF_CHANNEL_SPSC : 0;
}

int
mmf_channel_stat_handle(struct mmf_channel *channel, mmf_channel_stats *stats)
{
    if (stats == NULL)
        return mmf_fail_null("stats");
    fill_stats(channel->ring, channel->ops, stats);
    return MMF_OK;
}

/* Which kind of channel it is, the name does not say. */
static int
inspect_any(const struct mmf_name *name, struct mmf_os_channel **os)
{
    static const mmf_kind kinds[] = {MMF_KIND_QUEUE, MMF_KIND_TOPIC, MMF_KIND_LATEST};
    mmf_error before;
    int rc = MMF_E_WRONG_KIND;

    mmf_last_error(&before);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == MMF_E_WRONG_KIND;
         i++)
        rc = mmf_os_channel_inspect(name, kinds[i], os);
    if (rc == MMF_OK)
        mmf_fail_restore(&before);
    if (rc == MMF_E_WRONG_KIND)
        return mmf_fail(
            MMF_E_WRONG_KIND,
            "\"%.200s\" belongs to another kind of object; this call needs a "
            "queue, topic or latest value",
            name->text);
    return rc;
}

int
mmf_channel_stat(const char *name, mmf_channel_stats *stats)
{
    struct mmf_os_channel *os;
    struct mmf_name parsed;
    int rc = mmf_channel_parse_name(name, 0, &parsed);

    if (rc < 0)
        return rc;
    if (stats == NULL)
        return mmf_fail_null("stats");
    rc = inspect_any(&parsed, &os);
    if (rc < 0)
        return rc;
    fill_stats(os->ring, os->ops, stats);
    mmf_os_channel_close(os);
    return MMF_OK;
}
