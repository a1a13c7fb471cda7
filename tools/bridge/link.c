/* link.c - the threads of the bridge: each tries, pauses and tries again. */
#include "link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 50, LONGEST_PAUSE_MS = 5000 };

static const struct link_work *
find_work(const struct channel_config *channel, enum direction direction)
{
    bool is_out = direction == DIRECTION_OUT;

    switch (channel->kind) {
    case MMF_KIND_QUEUE:
        return is_out ? &queue_out : channel->shared ? &queue_shared : &queue_in;
    case MMF_KIND_TOPIC:
        return is_out ? &topic_out : channel->stored ? &topic_stored : &topic_in;
    case MMF_KIND_LATEST:
        return is_out ? &latest_out : &latest_in;
    default:
        return is_out ? &service_out : &service_in;
    }
}

/* One for each direction; of a queue that comes in, one for each origin; of a service, one
 * for each request at a time. */
static size_t
links_of(const struct channel_config *channel)
{
    const char *rest = channel->from;
    char origin[ORIGIN_MAX + 1];
    size_t count = 0;

    if (channel->kind == MMF_KIND_SERVICE)
        return (size_t)channel->workers;
    if (rest == NULL)
        return channel->direction == DIRECTION_BOTH ? 2 : 1;
    while (config_next_origin(&rest, origin, sizeof origin))
        count++;
    return count;
}

static struct link *
make_link(struct bridge *bridge, const struct channel_config *channel,
          enum direction direction, struct pair *pair)
{
    struct link *link = &bridge->links[bridge->count++];

    link->bridge = bridge;
    link->channel = channel;
    link->direction = direction;
    link->pair = pair;
    link->work = find_work(channel, direction);
    (void)snprintf(link->title, sizeof link->title, "%s %s", channel->title,
                   config_direction(direction));
    return link;
}

static void
make_origins(struct bridge *bridge, const struct channel_config *channel,
             struct pair *pair)
{
    const char *rest = channel->from;
    char origin[ORIGIN_MAX + 1];

    while (config_next_origin(&rest, origin, sizeof origin)) {
        struct link *link = make_link(bridge, channel, DIRECTION_IN, pair);

        memcpy(link->origin, origin, sizeof origin);
        (void)snprintf(link->title, sizeof link->title, "%s in from %s", channel->title,
                       origin);
    }
}

static void
make_workers(struct bridge *bridge, const struct channel_config *channel,
             struct pair *pair)
{
    for (int64_t i = 1; i <= channel->workers; i++) {
        struct link *link =
            make_link(bridge, channel, (enum direction)channel->direction, pair);

        (void)snprintf(link->origin, sizeof link->origin, "worker %d", (int)i);
        (void)snprintf(link->title, sizeof link->title, "%s %s, worker %d",
                       channel->title, config_direction(channel->direction), (int)i);
    }
}

static bool
make_links(struct bridge *bridge, const struct channel_config *channel)
{
    struct pair *pair = pair_create(channel->direction == DIRECTION_BOTH);

    if (pair == NULL)
        return false;
    if (channel->kind == MMF_KIND_SERVICE) {
        make_workers(bridge, channel, pair);
        return true;
    }
    if (channel->direction & DIRECTION_OUT)
        (void)make_link(bridge, channel, DIRECTION_OUT, pair);
    if (channel->from != NULL)
        make_origins(bridge, channel, pair);
    else if (channel->direction & DIRECTION_IN)
        (void)make_link(bridge, channel, DIRECTION_IN, pair);
    return true;
}

static void
begin_condition(struct bridge *bridge)
{
    pthread_condattr_t monotonic;

    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&bridge->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&bridge->mutex, NULL);
}

bool
bridge_begin(struct bridge *bridge, const struct config *config)
{
    size_t count = 0;

    memset(bridge, 0, sizeof *bridge);
    bridge->config = config;
    begin_condition(bridge);
    for (size_t i = 0; i < config->count; i++)
        count += links_of(config->channels[i]);
    bridge->links = calloc(count + 1, sizeof *bridge->links);
    if (bridge->links == NULL)
        return false;
    for (size_t i = 0; i < config->count; i++)
        if (!make_links(bridge, config->channels[i]))
            return false;
    return true;
}

void
bridge_end(struct bridge *bridge)
{
    for (size_t i = 0; i < bridge->count; i++)
        if (i + 1 == bridge->count ||
            bridge->links[i + 1].pair != bridge->links[i].pair)
            pair_free(bridge->links[i].pair);
    free(bridge->links);
    (void)pthread_cond_destroy(&bridge->changed);
    (void)pthread_mutex_destroy(&bridge->mutex);
}

/* It ends at the first failure, or with the program. */
static void
try(struct link *link)
{
    const struct link_work *work = link->work;
    void *state = calloc(1, work->size);

    if (state == NULL) {
        (void)link_fails(link, EXIT_FAILED, "there is no memory");
        return;
    }
    if (work->begin(state, link)) {
        link_works(link);
        while (!link_is_stopping(link) && work->step(state))
            ;
    }
    work->end(state);
    free(state);
}

/* A try that has worked for a while begins with short pauses again. */
static void *
run_link(void *argument)
{
    struct link *link = argument;
    int64_t pause = FIRST_PAUSE_MS;

    while (!link_is_stopping(link)) {
        atomic_store(&link->is_working, false);
        try(link);
        if (atomic_load(&link->is_working))
            pause = FIRST_PAUSE_MS;
        if (!link_sleep(link, pause))
            break;
        pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
    }
    atomic_store(&link->is_working, false);
    return NULL;
}

bool
bridge_start(struct bridge *bridge)
{
    for (size_t i = 0; i < bridge->count; i++) {
        struct link *link = &bridge->links[i];
        int error = pthread_create(&link->thread, NULL, run_link, link);

        link->has_thread = error == 0;
        if (error != 0) {
            log_say(LOG_ERROR, link->title, "no thread can be started: %s",
                    strerror(error));
            return false;
        }
    }
    return true;
}

void
bridge_stop(struct bridge *bridge)
{
    (void)pthread_mutex_lock(&bridge->mutex);
    atomic_store(&bridge->is_stopping, true);
    (void)pthread_cond_broadcast(&bridge->changed);
    (void)pthread_mutex_unlock(&bridge->mutex);
    atomic_store(&bridge->server.heard, NULL);
    natsConnection_Close(
        bridge->server.connection); /* ends what waits for the server */
    for (size_t i = 0; i < bridge->count; i++)
        if (bridge->links[i].has_thread)
            (void)pthread_join(bridge->links[i].thread, NULL);
}

bool
bridge_is_ready(struct bridge *bridge)
{
    for (size_t i = 0; i < bridge->count; i++)
        if (!atomic_load(&bridge->links[i].is_ready))
            return false;
    return true;
}

bool
link_sleep(struct link *link, int64_t milliseconds)
{
    struct bridge *bridge = link->bridge;
    struct timespec until;
    int error = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&bridge->mutex);
    while (!link_is_stopping(link) && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&bridge->changed, &bridge->mutex, &until);
    (void)pthread_mutex_unlock(&bridge->mutex);
    return !link_is_stopping(link);
}

void
link_works(struct link *link)
{
    bool first = !atomic_exchange(&link->is_ready, true);

    atomic_store(&link->is_working, true);
    if (first)
        log_say(LOG_INFO, link->title, "ready");
    else if (link->problem[0] != '\0')
        log_say(LOG_INFO, link->title, "it works again");
    link->problem[0] = '\0';
}

static void
note_status(struct link *link, int status, bool is_fatal)
{
    struct bridge *bridge = link->bridge;

    if (atomic_load(&link->is_ready))
        return;
    (void)pthread_mutex_lock(&bridge->mutex);
    bridge->status = status;
    if (is_fatal && bridge->fatal == 0)
        bridge->fatal = status;
    (void)pthread_mutex_unlock(&bridge->mutex);
}

static bool
fail(struct link *link, int status, bool is_fatal, const char *text)
{
    if (link_is_stopping(link))
        return false;
    link_count(link, FAILURES, 1);
    note_status(link, status, is_fatal);
    if (strcmp(link->problem, text) == 0)
        return false;
    (void)snprintf(link->problem, sizeof link->problem, "%s", text);
    log_say(LOG_ERROR, link->title, "%s%s", text,
            is_fatal && !atomic_load(&link->is_ready) ? "" : "; trying again");
    return false;
}

bool
link_fails(struct link *link, int status, const char *format, ...)
{
    char text[sizeof link->problem];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return fail(link, status, false, text);
}

bool
link_fails_by(struct link *link, const struct failure *failure)
{
    return fail(link, failure->status, failure->is_fatal, failure->text);
}

bool
link_fails_on(struct link *link, const char *what, natsStatus status)
{
    struct failure failure;

    server_explain(&failure, what, status, 0);
    return link_fails_by(link, &failure);
}

bool
link_fails_on_stream(struct link *link, const char *stream, natsStatus status,
                     jsErrCode code)
{
    struct failure failure;

    (void)server_explain_stream(&failure, stream, status, code);
    return link_fails_by(link, &failure);
}

bool
link_fails_locally(struct link *link, int status, const char *what)
{
    bool is_fatal = status == MMF_E_MISMATCH || status == MMF_E_WRONG_KIND ||
                    status == MMF_E_ACCESS || status == MMF_E_RANGE ||
                    status == MMF_E_INVALID || status == MMF_E_LAYOUT;
    char text[sizeof link->problem];

    (void)snprintf(text, sizeof text, "%s: %s", what, mmf_last_message());
    return fail(link, EXIT_CHANNEL, is_fatal, text);
}
