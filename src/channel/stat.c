/*
 * stat.c - a channel's counters, for its participants and for a process that only asks.
 */
#include "channel/channel.h"

#include "base/fail.h"
#include "shared/ring/stat.h"

int
mmf_channel_stat_handle(struct mmf_channel *channel, mmf_channel_stats *stats)
{
    if (stats == NULL)
        return mmf_fail_null("stats");
    mmf_ring_sum_up(channel->ring, channel->ops, stats);
    return MMF_OK;
}

/* Which kind of channel it is, the name does not say. */
static int
inspect_any(const struct mmf_name *name, struct mmf_os_channel **os)
{
    static const mmf_kind kinds[] = {MMF_KIND_QUEUE, MMF_KIND_TOPIC, MMF_KIND_LATEST,
                                     MMF_KIND_SERVICE};
    mmf_error before;
    int rc = MMF_E_WRONG_KIND;

    mmf_fail_keep(&before);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == MMF_E_WRONG_KIND;
         i++)
        rc = mmf_os_channel_inspect(name, kinds[i], os);
    if (rc == MMF_E_WRONG_KIND)
        return mmf_fail(
            MMF_E_WRONG_KIND,
            "\"%.200s\" belongs to another kind of object; this call needs a "
            "queue, topic, latest value or service",
            name->text);
    return mmf_fail_settle(rc, &before);
}

static int
stat_name(const struct mmf_name *name, mmf_channel_stats *stats)
{
    struct mmf_os_channel *os;
    int rc = inspect_any(name, &os);

    if (rc < 0)
        return rc;
    mmf_ring_sum_up(os->ring, os->ops, stats);
    mmf_os_channel_close(os);
    return MMF_OK;
}

int
mmf_channel_stat(const char *name, mmf_channel_stats *stats)
{
    struct mmf_name parsed;
    int rc = mmf_channel_parse_name(name, 0, &parsed);

    if (rc < 0)
        return rc;
    if (stats == NULL)
        return mmf_fail_null("stats");
    return stat_name(&parsed, stats);
}

int
mmf_channel_stat_listed(const mmf_object_info *info, mmf_channel_stats *stats)
{
    struct mmf_name parsed;
    int rc = mmf_channel_parse_name(info->name, 0, &parsed);

    if (rc < 0)
        return rc;
    if (!mmf_os_is_own(info))
        parsed.other_user = info->owner;
    return stat_name(&parsed, stats);
}
