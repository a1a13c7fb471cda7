/*
 * source.c - messages that come from elsewhere: committed with their positions.
 */
#include "shared/ring/source.h"

#include "base/fail.h"
#include "channel/transfer.h"

static int
check_number(const char *parameter, uint64_t number)
{
    return number != 0 ? MMF_OK
                       : mmf_fail_argument(MMF_E_RANGE, parameter,
                                           "invalid %s 0: at least 1", parameter);
}

/* The caller cannot become the one that commits for it. */
static int
fail_to_own(uint64_t number, const struct mmf_ring_source *source)
{
    if (source->entry == NULL)
        return mmf_fail(
            MMF_E_TOO_MANY,
            "%u sources, of at most %u, have committed to this queue: use "
            "one of their numbers instead of %llu, or create the queue anew",
            MMF_SOURCES_MAX, MMF_SOURCES_MAX, (unsigned long long)number);
    return mmf_fail(
        MMF_E_SHARING,
        "process %llu has a handle that commits for source %llu: close that "
        "one first",
        (unsigned long long)source->pid, (unsigned long long)number);
}

static int
own_source(struct mmf_channel *channel, uint64_t number, struct mmf_ring_source *source)
{
    enum mmf_step step =
        mmf_ring_own_source(channel->ring, number, channel->ops, source);

    switch (step) {
    case MMF_STEP_DONE:
        return MMF_OK;
    case MMF_STEP_WOULD_BLOCK:
        return fail_to_own(number, source);
    case MMF_STEP_AGAIN:
        return mmf_fail(MMF_E_STATE,
                        "message %llu was reserved before message %llu, the last of "
                        "source %llu: abandon it and reserve another",
                        (unsigned long long)channel->ring->reserved,
                        (unsigned long long)source->last, (unsigned long long)number);
    default:
        return mmf_channel_fail_corrupt();
    }
}

static int
check_position(uint64_t number, uint64_t position, const struct mmf_ring_source *source)
{
    if (position > source->applied)
        return MMF_OK;
    return mmf_fail(MMF_E_EXISTS,
                    "position %llu of source %llu is not above %llu, which is applied: "
                    "abandon the reservation",
                    (unsigned long long)position, (unsigned long long)number,
                    (unsigned long long)source->applied);
}

int
mmf_channel_commit_from(struct mmf_channel *channel, size_t length, uint64_t number,
                        uint64_t position, uint64_t *sequence)
{
    struct mmf_ring *ring = channel->ring;
    struct mmf_ring_source source;
    int rc = mmf_channel_check_commit(channel, length);

    if (rc == MMF_OK)
        rc = check_number("source", number);
    if (rc == MMF_OK)
        rc = check_number("position", position);
    if (rc == MMF_OK)
        rc = own_source(channel, number, &source);
    if (rc == MMF_OK)
        rc = check_position(number, position, &source);
    if (rc < 0)
        return rc;
    if (sequence != NULL)
        *sequence = ring->reserved;
    mmf_ring_commit_from(ring, length, &source, position);
    mmf_ring_notify_receivers(ring, 1, channel->ops);
    return MMF_OK;
}

int
mmf_channel_applied(struct mmf_channel *channel, uint64_t source, uint64_t *position)
{
    uint64_t applied;
    int rc = check_number("source", source);

    if (rc < 0)
        return rc;
    if (position == NULL)
        return mmf_fail_null("position");
    if (mmf_ring_applied(channel->ring, source, channel->ops, &applied) !=
        MMF_STEP_DONE)
        return mmf_channel_fail_corrupt();
    *position = applied;
    return MMF_OK;
}
