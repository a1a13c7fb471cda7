/*
 * source.c - messages of a source, committed to a queue with their positions.
 */
#include <mmf/queue.h>

#include "base/fail.h"
#include "channel/transfer.h"

static int
check(const mmf_queue *queue, mmf_role role)
{
    return queue != NULL ? mmf_channel_check((const struct mmf_channel *)queue, role)
                         : mmf_fail_null("queue");
}

static int
check_number(const char *parameter, uint64_t number)
{
    return number != 0 ? MMF_OK
                       : mmf_fail_argument(MMF_E_RANGE, parameter,
                                           "invalid %s 0: at least 1", parameter);
}

/* Why the handle cannot commit for the source with its reservation. */
static int
fail_to_own(enum mmf_step step, unsigned long long number, uint64_t reserved,
            const struct mmf_ring_source *source)
{
    if (step == MMF_STEP_CORRUPT)
        return mmf_channel_fail_corrupt();
    if (step == MMF_STEP_AGAIN)
        return mmf_fail(MMF_E_STATE,
                        "message %llu was reserved before message %llu, the last of "
                        "source %llu: abandon it and reserve again",
                        (unsigned long long)reserved, (unsigned long long)source->last,
                        number);
    if (source->entry == NULL)
        return mmf_fail(
            MMF_E_TOO_MANY,
            "%u sources, of at most %u, have committed to this queue: use "
            "one of their numbers instead of %llu, or create the queue anew",
            MMF_SOURCES_MAX, MMF_SOURCES_MAX, number);
    return mmf_fail(
        MMF_E_SHARING,
        "process %llu has a handle that commits for source %llu: close that "
        "one first",
        (unsigned long long)source->pid, number);
}

static int
own_source(struct mmf_channel *channel, uint64_t number, uint64_t position,
           struct mmf_ring_source *source)
{
    enum mmf_step step =
        mmf_ring_own_source(channel->ring, number, channel->ops, source);

    if (step != MMF_STEP_DONE)
        return fail_to_own(step, number, channel->ring->reserved, source);
    if (position > source->applied)
        return MMF_OK;
    return mmf_fail(MMF_E_EXISTS,
                    "position %llu of source %llu is not above %llu, which is applied: "
                    "abandon the reservation",
                    (unsigned long long)position, (unsigned long long)number,
                    (unsigned long long)source->applied);
}

int
mmf_queue_commit_from(mmf_queue *queue, size_t length, uint64_t source,
                      uint64_t position, uint64_t *sequence)
{
    struct mmf_channel *channel = (struct mmf_channel *)queue;
    struct mmf_ring_source owned;
    int rc = check(queue, MMF_ROLE_SEND);

    if (rc == MMF_OK)
        rc = mmf_channel_check_commit(channel, length);
    if (rc == MMF_OK)
        rc = check_number("source", source);
    if (rc == MMF_OK)
        rc = check_number("position", position);
    if (rc == MMF_OK)
        rc = own_source(channel, source, position, &owned);
    if (rc < 0)
        return rc;
    if (sequence != NULL)
        *sequence = channel->ring->reserved;
    mmf_ring_commit_from(channel->ring, length, &owned, position);
    mmf_ring_notify_receivers(channel->ring, 1, channel->ops);
    return MMF_OK;
}

int
mmf_queue_applied(mmf_queue *queue, uint64_t source, uint64_t *position)
{
    struct mmf_channel *channel = (struct mmf_channel *)queue;
    uint64_t applied;
    int rc = check(queue, MMF_ROLE_BOTH);

    if (rc == MMF_OK)
        rc = check_number("source", source);
    if (rc == MMF_OK && position == NULL)
        rc = mmf_fail_null("position");
    if (rc == MMF_OK && mmf_ring_applied(channel->ring, source, channel->ops,
                                         &applied) != MMF_STEP_DONE)
        rc = mmf_channel_fail_corrupt();
    if (rc == MMF_OK)
        *position = applied;
    return rc;
}
