/*
 * wait.c - waiting for a message or for space, and what its answers mean to the caller.
 */
#include "channel/channel.h"

#include "base/fail.h"

/* A kill shows as a closed descriptor a moment before the kernel drops its locks. */
#define DEATH_SETTLES_NS ((int64_t)5000000)
#define SETTLE_PAUSE_NS ((int64_t)500000)

int
mmf_channel_fail_corrupt(void)
{
    return mmf_fail(MMF_E_CORRUPT, "the channel's shared words are invalid: another "
                                   "program has written to them");
}

static int
fail_peer_closed(mmf_role role)
{
    return mmf_fail(MMF_E_PEER_CLOSED,
                    role == MMF_ROLE_SEND
                        ? "the channel is full, and its last receiver has closed it or "
                          "died"
                        : "there is no message, and the last sender has closed the "
                          "channel or died");
}

static int
status_of(const struct mmf_channel *channel, mmf_role role, enum mmf_ring_answer answer)
{
    switch (answer) {
    case MMF_RING_DONE:
        return MMF_OK;
    case MMF_RING_GONE:
        return fail_peer_closed(role);
    case MMF_RING_NOT_NOW:
        if (role == MMF_ROLE_SEND && channel->ring->shape.overflow == MMF_RING_FAIL)
            return mmf_fail(MMF_E_FULL, "all %llu slots of the channel are in use",
                            (unsigned long long)channel->ring->shape.slots);
        return MMF_TIMED_OUT;
    default:
        return mmf_channel_fail_corrupt();
    }
}

/* A participant may have died just now: try until that must show. */
static enum mmf_ring_answer
settle(const struct mmf_ring_wait *wait)
{
    const struct mmf_ring_ops *ops = wait->ops;
    mmf_atomic_u32 *doorbell = &wait->ring->shared->message_doorbell;
    int64_t end = ops->now(ops->context) + DEATH_SETTLES_NS;
    enum mmf_ring_answer answer;
    int64_t now;

    for (;;) {
        mmf_ring_bury(wait);
        answer = wait->attempt(wait->payload);
        now = ops->now(ops->context);
        if (answer != MMF_RING_NOT_NOW || now >= end)
            return answer;
        ops->sleep(ops->context, doorbell, mmf_load_relaxed_u32(doorbell),
                   now + SETTLE_PAUSE_NS);
    }
}

static struct mmf_ring_wait
wait_for(const struct mmf_channel *channel, mmf_role role)
{
    MMF_ASSERT(role == MMF_ROLE_SEND || role == MMF_ROLE_RECEIVE);
    return (struct mmf_ring_wait){
        .ring = channel->ring,
        .ops = channel->ops,
        .strategy = channel->strategy,
        .sending = role == MMF_ROLE_SEND,
        .wants_peer = channel->wants_peer,
        .may_write_slots = channel->os->may_write_slots,
    };
}

void
mmf_channel_recover(struct mmf_channel *channel, mmf_role role)
{
    const struct mmf_ring_wait wait = wait_for(channel, role);

    mmf_ring_bury(&wait);
}

int
mmf_channel_wait(struct mmf_channel *channel, mmf_role role, int64_t deadline,
                 enum mmf_ring_answer (*attempt)(void *payload), void *payload)
{
    struct mmf_ring_wait wait = wait_for(channel, role);
    bool drains = role == MMF_ROLE_RECEIVE && channel->has_fd;
    enum mmf_ring_answer answer = MMF_RING_NOT_NOW;

    MMF_ASSERT(attempt != NULL && deadline >= 0);
    wait.attempt = attempt;
    wait.payload = payload;
    wait.deadline = deadline;
    if (drains && mmf_os_channel_drain(channel->os) && deadline == MMF_RING_POLL)
        answer = settle(&wait);
    if (answer == MMF_RING_NOT_NOW)
        answer = mmf_ring_wait(&wait);
    if (answer == MMF_RING_DONE && drains)
        mmf_os_channel_renew(channel->os); /* there may be more */
    return status_of(channel, role, answer);
}

int
mmf_channel_fd(struct mmf_channel *channel, int *fd)
{
    int rc;

    if (fd == NULL)
        return mmf_fail_argument(MMF_E_NULL, "fd", "fd is NULL");
    rc = mmf_os_channel_poll_fd(channel->os, fd);
    if (rc == MMF_OK)
        channel->has_fd = true;
    return rc;
}
