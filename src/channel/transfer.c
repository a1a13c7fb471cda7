/*
 * transfer.c - sending several messages with one call.
 */
#include "channel/transfer.h"

static int
check_messages(const struct mmf_channel *channel, const mmf_buffer *messages,
               int32_t count, const int32_t *sent)
{
    int rc = MMF_OK;

    if (sent == NULL)
        return mmf_fail_argument(MMF_E_NULL, "sent", "sent is NULL");
    if (count < 0)
        return mmf_fail_argument(MMF_E_RANGE, "count", "%d messages", count);
    if (messages == NULL && count > 0)
        return mmf_fail_argument(MMF_E_NULL, "messages", "messages is NULL");
    for (int32_t i = 0; i < count && rc == MMF_OK; i++)
        rc = mmf_channel_check_message(channel, messages[i].bytes, messages[i].length);
    return rc;
}

/* As many as there is room for. */
static int32_t
send_at_once(struct mmf_ring *ring, const mmf_buffer *messages, int32_t count)
{
    int32_t i;

    for (i = 0; i < count; i++) {
        uint8_t *place;

        if (mmf_ring_reserve(ring, (uint64_t)messages[i].length, &place) !=
            MMF_STEP_DONE)
            break;
        mmf_channel_put(ring, place, messages[i].bytes, messages[i].length);
    }
    return i;
}

int
mmf_channel_send_many(struct mmf_channel *channel, const mmf_buffer *messages,
                      int32_t count, int32_t timeout_ms, int wakes_all, int32_t *sent)
{
    int64_t deadline = 0;
    int32_t done = 0;
    int rc = mmf_channel_check_send(channel, timeout_ms);

    if (rc == MMF_OK)
        rc = check_messages(channel, messages, count, sent);
    if (rc < 0)
        return rc;
    for (;;) {
        int32_t more = send_at_once(channel->ring, messages + done, count - done);
        uint8_t *place;

        done += more;
        if (more > 0)
            mmf_ring_notify_receivers(channel->ring, wakes_all ? MMF_RING_ALL : more,
                                    channel->ops);
        if (done == count)
            break;
        if (deadline == 0)
            deadline = mmf_ring_deadline(channel->ops, timeout_ms);
        rc = mmf_channel_reserve(channel, (uint64_t)messages[done].length, deadline,
                                 &place);
        if (rc != MMF_OK)
            break;
        mmf_channel_put(channel->ring, place, messages[done].bytes,
                        messages[done].length);
        mmf_ring_notify_receivers(channel->ring, wakes_all ? MMF_RING_ALL : 1,
                                channel->ops);
        done++;
    }
    if (rc >= 0 || done > 0)
        *sent = done;
    return done > 0 ? MMF_OK : rc;
}
