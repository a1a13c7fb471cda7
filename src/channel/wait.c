/*
 * wait.c - waiting for a message or for space, and what its answers mean to the caller.
 */
#include "channel/channel.h"

#include "base/fail.h"
#include "shared/ring/spsc.h"

/*
 * A kill shows as a closed descriptor a moment before the kernel drops the locks. For so long
 * after such an event a descriptor that finds nothing is readable again at once, if a
 * participant is there whose death would matter. No call waits for that.
 */
#define DEATH_SETTLES_NS ((int64_t)5000000)

/* A receiver tries this often before it takes the path on which it can sleep: a round
 * trip between two distant processors is over by then. */
enum { TRIES = 512 };

int
mmf_channel_fail_corrupt(void)
{
    return mmf_fail(MMF_E_CORRUPT, "the channel's shared words are invalid: another "
                                   "program has written to them");
}

static int
fail_peer_closed(const struct mmf_channel_wait *wait)
{
    return mmf_fail(MMF_E_PEER_CLOSED,
                    wait->drains ? "messages are left, and the last receiver has "
                                   "closed the channel or died"
                    : wait->role == MMF_ROLE_SEND
                        ? "the channel is full, and its last receiver has closed it or "
                          "died"
                        : "there is no message, and the last sender has closed the "
                          "channel or died");
}

static int
status_of(const struct mmf_channel_wait *wait, enum mmf_step step)
{
    const struct mmf_ring_shape *shape = &wait->channel->ring->shape;

    switch (step) {
    case MMF_STEP_DONE:
        return MMF_OK;
    case MMF_STEP_GONE:
        return fail_peer_closed(wait);
    case MMF_STEP_WOULD_BLOCK:
        if (wait->role == MMF_ROLE_SEND && !wait->drains &&
            shape->overflow == MMF_OVERFLOW_FAIL)
            return mmf_fail(MMF_E_FULL, "all %llu slots of the channel are in use",
                            (unsigned long long)shape->slots);
        return MMF_TIMED_OUT;
    default:
        return mmf_channel_fail_corrupt();
    }
}

struct mmf_ring_wait
mmf_channel_wait_for(const struct mmf_channel *channel, mmf_role role)
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
    const struct mmf_ring_wait wait = mmf_channel_wait_for(channel, role);

    mmf_ring_recover_dead(&wait);
}

int
mmf_channel_pin(struct mmf_channel *channel, uint64_t index)
{
    enum mmf_step step = mmf_ring_pin(channel->ring, index);

    MMF_ASSERT(channel->role & MMF_ROLE_RECEIVE);
    if (step == MMF_STEP_WOULD_BLOCK) {
        mmf_channel_recover(channel, MMF_ROLE_RECEIVE);
        step = mmf_ring_pin(channel->ring, index);
    }
    if (step == MMF_STEP_WOULD_BLOCK)
        return mmf_fail(MMF_E_TOO_MANY,
                        "living readers have all %u pins of the channel: release one, "
                        "or create it with more (max_pins)",
                        channel->ring->shape.max_pins);
    return step == MMF_STEP_DONE ? MMF_OK : MMF_OVERWRITTEN;
}

/*
 * The descriptor's readiness is taken. No process wakes a poller again, so it does not wait
 * for its turn to ask after the dead.
 */
static void
consume(struct mmf_channel *channel)
{
    const struct mmf_ring_wait wait = mmf_channel_wait_for(channel, MMF_ROLE_RECEIVE);

    if (mmf_os_channel_consume(channel->os))
        channel->settles_until =
            channel->ops->now(channel->ops->context) + DEATH_SETTLES_NS;
    channel->ring->dead_checked = 0;
    mmf_ring_recover_dead(&wait);
}

bool
mmf_channel_spin(const struct mmf_channel *channel, bool may_wait)
{
    struct mmf_ring *ring = channel->ring;

    MMF_ASSERT((channel->role & MMF_ROLE_RECEIVE) && !channel->has_fd);
    if (!may_wait || !channel->ops->may_spin)
        return false;
    mmf_ring_slip(ring, false);
    return ring->shape.is_spsc ? mmf_ring_spsc_poll(ring, TRIES)
                               : mmf_ring_poll(ring, TRIES);
}

struct mmf_channel_wait
mmf_channel_wait_begin(struct mmf_channel *channel, mmf_role role, int64_t deadline)
{
    struct mmf_channel_wait wait = {.channel = channel, .role = role};

    mmf_os_cancellation_point();
    MMF_ASSERT(deadline >= 0);
    wait.ring = mmf_channel_wait_for(channel, role);
    wait.ring.deadline = deadline;
    if (role == MMF_ROLE_RECEIVE)
        mmf_channel_wait_consume(&wait);
    return wait;
}

void
mmf_channel_wait_consume(struct mmf_channel_wait *wait)
{
    wait->consumes = wait->channel->has_fd;
    if (wait->consumes)
        consume(wait->channel);
}

bool
mmf_channel_wait_more(struct mmf_channel_wait *wait)
{
    return mmf_ring_wait_more(&wait->ring);
}

/*
 * A participant that may just have died, and that would be in the way, still looks alive: the
 * poller is to come again.
 */
static bool
may_settle(struct mmf_channel *channel)
{
    if (channel->settles_until == 0)
        return false;
    if (channel->ops->now(channel->ops->context) < channel->settles_until &&
        (channel->wants_peer || mmf_ring_has_suspects(channel->ring, false)))
        return true;
    channel->settles_until = 0;
    return false;
}

/* A service's handle takes requests, and answers to several calls: the wait was for one. */
static bool
has_another(struct mmf_channel *channel)
{
    return channel->kind->waits_in != NULL && channel->kind->has_message(channel);
}

int
mmf_channel_wait_end(struct mmf_channel_wait *wait, enum mmf_step step)
{
    MMF_ASSERT(step != MMF_STEP_AGAIN);
    step = mmf_ring_wait_end(&wait->ring, step);
    /* There may be more. */
    if (wait->consumes && (step == MMF_STEP_DONE || may_settle(wait->channel) ||
                           has_another(wait->channel)))
        mmf_os_channel_rearm(wait->channel->os);
    return status_of(wait, step);
}

int
mmf_channel_fd(struct mmf_channel *channel, int *fd)
{
    int rc = mmf_os_channel_poll_fd(channel->os, fd);

    if (rc < 0)
        return rc;
    channel->has_fd = true;
    channel->fast &= ~(mmf_role)MMF_ROLE_RECEIVE; /* which drains no descriptor */
    return MMF_OK;
}
