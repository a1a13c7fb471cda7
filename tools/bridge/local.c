/* local.c - opening the channel on this host; making it, if the configuration says how. */
#include "local.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static mmf_channel_options
options_for(const struct channel_config *channel, mmf_role role)
{
    mmf_channel_options options;

    mmf_channel_options_init(&options);
    options.role = role;
    options.strategy = MMF_STRATEGY_WAIT;
    options.wait_ms = LOCAL_WAIT_MS;
    options.flags = channel->spsc ? MMF_CHANNEL_SPSC : 0;
    return options;
}

static mmf_overflow
overflow_of(const struct channel_config *channel, mmf_overflow otherwise)
{
    return channel->overflow != 0 ? (mmf_overflow)channel->overflow : otherwise;
}

static bool
has_opened(struct link *link, int status)
{
    char what[300];

    if (status >= 0)
        return true;
    (void)snprintf(what, sizeof what, "%s \"%s\"", mmf_kind_name(link->channel->kind),
                   link->channel->channel);
    return link_fails_locally(link, status, what);
}

bool
local_open_queue(struct link *link, mmf_role role, mmf_queue **out)
{
    const struct channel_config *channel = link->channel;
    mmf_channel_options options = options_for(channel, role);
    int status =
        channel->message_size > 0
            ? mmf_queue_create_or_open(channel->channel, (size_t)channel->message_size,
                                       (size_t)channel->capacity,
                                       overflow_of(channel, MMF_OVERFLOW_BLOCK),
                                       &options, NULL, out)
            : mmf_queue_open_existing(channel->channel, &options, out);

    return has_opened(link, status);
}

bool
local_open_topic(struct link *link, mmf_role role, mmf_topic **out)
{
    const struct channel_config *channel = link->channel;
    mmf_channel_options options = options_for(channel, role);
    int status =
        channel->message_size > 0
            ? mmf_topic_create_or_open(channel->channel, (size_t)channel->message_size,
                                       (size_t)channel->capacity,
                                       overflow_of(channel, MMF_OVERFLOW_DROP_OLDEST),
                                       &options, NULL, out)
            : mmf_topic_open_existing(channel->channel, &options, out);

    return has_opened(link, status);
}

bool
local_open_latest(struct link *link, mmf_role role, mmf_latest **out)
{
    const struct channel_config *channel = link->channel;
    mmf_channel_options options = options_for(channel, role);
    int status =
        channel->message_size > 0
            ? mmf_latest_create_or_open(channel->channel, (size_t)channel->message_size,
                                        &options, NULL, out)
            : mmf_latest_open_existing(channel->channel, &options, out);

    return has_opened(link, status);
}

bool
local_open_service(struct link *link, mmf_role role, mmf_service **out)
{
    const struct channel_config *channel = link->channel;
    mmf_service_options options;
    int status;

    mmf_service_options_init(&options);
    options.role = role;
    options.strategy = MMF_STRATEGY_WAIT;
    options.wait_ms = LOCAL_WAIT_MS;
    options.flags = role == MMF_ROLE_CLIENT ? MMF_CHANNEL_PEER_CLOSED : 0;
    status = channel->message_size > 0
                 ? mmf_service_create_or_open(
                       channel->channel, (size_t)channel->message_size,
                       (size_t)channel->answer_size, (size_t)channel->capacity,
                       &options, NULL, out)
                 : mmf_service_open_existing(channel->channel, &options, out);
    return has_opened(link, status);
}

/* mmf_queue_browse reads no more. */
enum { SLOTS_SEEN = 1 << 18 };

mmf_queue_item *
local_browse(const struct link *link, int64_t capacity, size_t *count)
{
    size_t most = capacity < SLOTS_SEEN ? (size_t)capacity : SLOTS_SEEN;
    mmf_queue_item *items = malloc(most * sizeof *items);

    if (items != NULL &&
        mmf_queue_browse(link->channel->channel, items, most, count) >= 0)
        return items;
    free(items);
    return NULL;
}

int64_t
local_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t
local_random(void)
{
    uint64_t number = 0;

    while (number == 0)
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
            struct timespec now;

            (void)clock_gettime(CLOCK_REALTIME, &now);
            number = ((uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec << 1) | 1;
        }
    return number;
}
