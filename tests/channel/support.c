/*
 * support.c - see support.h.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

static int begins_near_the_end;

void
for_each_kind(void (*run)(uint32_t flags))
{
    static const char *const names[] = {"for many", "single", "for many, indexes wrap",
                                        "single, indexes wrap"};

    for (int i = 0; i < 4; i++) {
        CHECK_CONTEXT("queue %s", names[i]);
        begins_near_the_end = i >= 2;
        run(i % 2 == 0 ? 0 : MMF_CHANNEL_SPSC);
    }
    begins_near_the_end = 0;
}

mmf_queue *
new_queue(mmf_role role, uint32_t flags, size_t size, size_t count,
          mmf_overflow overflow)
{
    struct hold *hold;
    mmf_queue *queue;
    int created = -1;

    CHECK_OK(mmf_queue_create_or_open("Q", size, count, overflow,
                                      CHANNEL_OPTIONS(.role = role, .flags = flags),
                                      &created, &queue));
    if (!begins_near_the_end)
        return queue;
    CHECK_INT(created, 1);
    hold = hold_channel("Q");
    mmf_queue_close(queue);
    CHECK(hold != NULL && put_near_the_end(hold, true));
    queue = open_queue(role, flags);
    release_hold(hold);
    return queue;
}

mmf_queue *
new_sender(uint32_t flags, size_t size, size_t count)
{
    return new_queue(MMF_ROLE_SEND, flags, size, count, MMF_OVERFLOW_BLOCK);
}

mmf_queue *
new_receiver(uint32_t flags, size_t size, size_t count)
{
    return new_queue(MMF_ROLE_RECEIVE, flags, size, count, MMF_OVERFLOW_BLOCK);
}

mmf_queue *
open_queue(mmf_role role, uint32_t flags)
{
    mmf_queue *queue;

    CHECK_OK(mmf_queue_open_existing("Q", CHANNEL_OPTIONS(.role = role, .flags = flags),
                                     &queue));
    return queue;
}

mmf_topic *
join_topic(mmf_role role)
{
    mmf_topic *topic;

    CHECK_OK(mmf_topic_open_existing("T", CHANNEL_OPTIONS(.role = role), &topic));
    return topic;
}

mmf_message
take_number(mmf_queue *queue, uint64_t number)
{
    mmf_message message;
    uint64_t got;

    CHECK_STATUS(mmf_queue_take(queue, LONG_MS, &message), MMF_OK);
    CHECK_INT(message.length, sizeof(got));
    memcpy(&got, message.bytes, sizeof(got));
    CHECK_INT(got, number);
    return message;
}

mmf_channel_stats
stats_of(mmf_queue *queue)
{
    mmf_channel_stats stats;

    CHECK_STATUS(mmf_queue_stat(queue, &stats), MMF_OK);
    return stats;
}

/*
 * Roles that are killed at random.
 */

int64_t
random_moment(uint64_t *seed)
{
    return now_us() + (int64_t)(next_random(seed) % 20000);
}

void
end_victim(struct process *victim)
{
    CHECK(!process_has_ended(victim));
    process_kill(victim);
    process_finish(victim);
}

void
overwrite(const char *name, enum part part, int64_t offset, const void *bytes,
          size_t size)
{
    struct hold *hold = open_channel(name);

    CHECK(hold != NULL && write_part(hold, part, offset, bytes, size));
    release_hold(hold);
}
