/* channel_object.c - see channel_object.h. */
#include "object/channel_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "base/text.h"
#include "base/turns.h"
#include "os/os.h"
#include "os/stop.h"

enum { USUAL_SIZE = 1024, USUAL_CAPACITY = 64, BROWSED_MOST = 1 << 18 };

/* What differs between the kinds; timeouts are short. */
struct channel_kind {
    mmf_kind kind;
    int (*open)(const char *name, const mmf_channel_options *options,
                struct channel_object *channel);
    int (*send)(struct channel_object *channel, const void *bytes, size_t length,
                int32_t timeout_ms);
    int (*receive)(struct channel_object *channel, void *buffer, int32_t timeout_ms,
                   size_t *length, mmf_message *message);
    void (*close)(struct channel_object *channel);
};

/*
 * Queues.
 */

static int
open_queue(const char *name, const mmf_channel_options *options,
           struct channel_object *channel)
{
    mmf_queue *queue = NULL;
    int rc = mmf_queue_open_existing(name, options, &queue);

    channel->handle = queue;
    return rc;
}

static int
send_to_queue(struct channel_object *channel, const void *bytes, size_t length,
              int32_t timeout_ms)
{
    return mmf_queue_send(channel->handle, bytes, length, timeout_ms, NULL);
}

static int
receive_from_queue(struct channel_object *channel, void *buffer, int32_t timeout_ms,
                   size_t *length, mmf_message *message)
{
    return mmf_queue_receive(channel->handle, buffer, channel->message_size, timeout_ms,
                             length, message);
}

static void
close_queue(struct channel_object *channel)
{
    mmf_queue_close(channel->handle);
}

/*
 * Topics.
 */

static int
open_topic(const char *name, const mmf_channel_options *options,
           struct channel_object *channel)
{
    mmf_topic *topic = NULL;
    int rc = mmf_topic_open_existing(name, options, &topic);

    channel->handle = topic;
    return rc;
}

static int
send_to_topic(struct channel_object *channel, const void *bytes, size_t length,
              int32_t timeout_ms)
{
    return mmf_topic_send(channel->handle, bytes, length, timeout_ms, NULL);
}

static int
receive_from_topic(struct channel_object *channel, void *buffer, int32_t timeout_ms,
                   size_t *length, mmf_message *message)
{
    return mmf_topic_receive(channel->handle, buffer, channel->message_size, timeout_ms,
                             length, message);
}

static void
close_topic(struct channel_object *channel)
{
    mmf_topic_close(channel->handle);
}

/*
 * Latest values.
 */

static int
open_latest(const char *name, const mmf_channel_options *options,
            struct channel_object *channel)
{
    mmf_latest *latest = NULL;
    int rc = mmf_latest_open_existing(name, options, &latest);

    channel->handle = latest;
    return rc;
}

static int
send_to_latest(struct channel_object *channel, const void *bytes, size_t length,
               int32_t timeout_ms)
{
    (void)timeout_ms; /* it never waits */
    return mmf_latest_send(channel->handle, bytes, length, NULL);
}

static int
receive_from_latest(struct channel_object *channel, void *buffer, int32_t timeout_ms,
                    size_t *length, mmf_message *message)
{
    int rc = mmf_latest_wait(channel->handle, channel->version, timeout_ms);

    if (rc != MMF_OK)
        return rc;
    rc = mmf_latest_receive(channel->handle, buffer, channel->message_size, length,
                            &channel->version);
    memset(message, 0, sizeof(*message));
    message->sequence = channel->version;
    return rc;
}

static void
close_latest(struct channel_object *channel)
{
    mmf_latest_close(channel->handle);
}

static const struct channel_kind kinds[] = {
    {MMF_KIND_QUEUE, open_queue, send_to_queue, receive_from_queue, close_queue},
    {MMF_KIND_TOPIC, open_topic, send_to_topic, receive_from_topic, close_topic},
    {MMF_KIND_LATEST, open_latest, send_to_latest, receive_from_latest, close_latest},
};

/*
 * All of them.
 */

void
channel_object_open(const char *name, mmf_role role, int32_t replay,
                    struct channel_object *channel)
{
    mmf_channel_options options;
    mmf_channel_stats stats;
    int rc = MMF_E_WRONG_KIND;

    memset(channel, 0, sizeof(*channel));
    say_check(mmf_channel_stat(name, &stats)); /* its message is the best one */
    mmf_channel_options_init(&options);
    options.role = role;
    options.replay = replay;
    options.strategy = MMF_STRATEGY_WAIT;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == MMF_E_WRONG_KIND;
         i++) {
        rc = kinds[i].open(name, &options, channel);
        channel->how = &kinds[i];
    }
    if (rc == MMF_E_WRONG_KIND)
        say_and_exit(TOOL_WRONG_KIND,
                     "\"%s\" is a service: mmf call sends requests to it, mmf serve "
                     "answers them",
                     name);
    say_check(rc);
    channel->name = name;
    channel->kind = channel->how->kind;
    channel->message_size = (size_t)stats.message_size;
}

int
channel_object_make(const char *name, size_t length, struct channel_object *channel)
{
    mmf_channel_options options = {.size = sizeof(options), .role = MMF_ROLE_SEND};
    mmf_queue *queue = NULL;
    int rc = mmf_queue_create_new(name, length > USUAL_SIZE ? length : USUAL_SIZE,
                                  USUAL_CAPACITY, MMF_OVERFLOW_BLOCK, &options, &queue);

    if (rc != MMF_E_EXISTS && rc != MMF_E_WRONG_KIND)
        say_check(rc); /* else it may be a topic */
    channel_object_open(name, MMF_ROLE_SEND, 0, channel);
    mmf_queue_close(queue); /* the channel keeps it */
    return rc == MMF_OK;
}

void
channel_object_close(struct channel_object *channel)
{
    channel->how->close(channel);
}

int
channel_object_send(struct channel_object *channel, const void *bytes, size_t length,
                    int32_t timeout_ms)
{
    struct turns turns = turns_begin(timeout_ms);
    int rc = MMF_TIMED_OUT;
    int32_t turn;

    while (rc == MMF_TIMED_OUT && (turn = turns_next(&turns)) >= 0)
        rc = channel->how->send(channel, bytes, length, turn);
    return rc;
}

int
channel_object_receive(struct channel_object *channel, void *buffer, int32_t timeout_ms,
                       size_t *length, mmf_message *message)
{
    struct turns turns = turns_begin(timeout_ms);
    int rc = MMF_TIMED_OUT;
    int32_t turn;

    while (rc == MMF_TIMED_OUT && (turn = turns_next(&turns)) >= 0)
        rc = channel->how->receive(channel, buffer, turn, length, message);
    return rc;
}

/*
 * Browsing.
 */

/* A first look counts: memory for as many as there can be may be too much. */
void
channel_object_browse(const char *name, int64_t most, size_t each,
                      struct browsed *browsed)
{
    mmf_channel_stats stats;
    size_t count;

    say_check(mmf_channel_stat(name, &stats));
    count = (size_t)(stats.capacity < most ? stats.capacity : most);
    count = count < BROWSED_MOST ? count : BROWSED_MOST;
    each = each < (size_t)stats.message_size ? each : (size_t)stats.message_size;
    browsed->items = calloc(count, sizeof(*browsed->items));
    if (browsed->items == NULL)
        say_no_memory();
    say_check(mmf_queue_browse(name, browsed->items, count, &count));
    browsed->bytes = calloc(count + 1, each);
    if (browsed->bytes == NULL)
        say_no_memory();
    say_check(mmf_queue_browse_bytes(name, browsed->items, count, browsed->bytes, each,
                                     &browsed->count));
}

void
channel_object_forget(struct browsed *browsed)
{
    free(browsed->items);
    free(browsed->bytes);
}

/*
 * Printing.
 */

void
channel_object_print_one(const char *bytes, size_t length, int raw)
{
    char *text;

    if (raw || !os_is_terminal(stdout)) {
        fwrite(bytes, 1, length, stdout);
    } else {
        text = text_escape(bytes, length);
        fputs(text, stdout);
        free(text);
    }
    if (!raw)
        putchar('\n');
    fflush(stdout);
}

int
channel_object_print(struct channel_object *channel, int64_t most, int32_t timeout_ms,
                     int raw, int numbered)
{
    char *buffer = malloc(channel->message_size + 1);
    int status = TOOL_DONE;

    if (buffer == NULL)
        say_no_memory();
    for (int64_t i = 0; i < most && !stop_signal() && !ferror(stdout); i++) {
        mmf_message message;
        size_t length = 0;
        int rc = channel_object_receive(channel, buffer, timeout_ms, &length, &message);

        if (rc == MMF_TIMED_OUT) {
            status = stop_signal() ? TOOL_DONE : TOOL_TIMED_OUT;
            break;
        }
        say_check(rc);
        if (message.lost > 0)
            say("%llu messages were lost before the next one",
                (unsigned long long)message.lost);
        if (numbered)
            printf("%llu\t", (unsigned long long)message.sequence);
        channel_object_print_one(buffer, length, raw);
    }
    free(buffer);
    return status;
}
