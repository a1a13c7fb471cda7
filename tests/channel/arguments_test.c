/*
 * arguments_test.c - every failure of a queue's calls, and that nothing has changed
 * then.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

static int
create(const char *name, size_t size, size_t count, mmf_overflow overflow,
       const mmf_channel_options *options, int *created, mmf_queue **queue)
{
    return mmf_queue_create_or_open(name, size, count, overflow, options, created,
                                    queue);
}

static void
creating_checks_its_arguments(void **state)
{
    mmf_queue *queue = UNTOUCHED;
    int created = -7;

    (void)state;
#define REFUSE(name, size, count, overflow, status, parameter)                         \
    do {                                                                               \
        CHECK_FAILS_PARAM(create(name, size, count, overflow, NULL, &created, &queue), \
                          status, parameter);                                          \
        CHECK(queue == UNTOUCHED);                                                     \
        CHECK_INT(created, -7);                                                        \
    } while (0)
    CHECK_FAILS_PARAM(create("Q", 8, 8, MMF_OVERFLOW_BLOCK, NULL, NULL, NULL),
                      MMF_E_NULL, "out");
    REFUSE(NULL, 8, 8, MMF_OVERFLOW_BLOCK, MMF_E_NULL, "name");
    REFUSE("", 8, 8, MMF_OVERFLOW_BLOCK, MMF_E_INVALID, "name");
    REFUSE("Local\\", 8, 8, MMF_OVERFLOW_BLOCK, MMF_E_INVALID, "name");
    REFUSE("a\\b", 8, 8, MMF_OVERFLOW_BLOCK, MMF_E_PATH_NOT_FOUND, "name");
    REFUSE("Q", 0, 8, MMF_OVERFLOW_BLOCK, MMF_E_RANGE, "message_size");
    REFUSE("Q", SIZE_MAX, 8, MMF_OVERFLOW_BLOCK, MMF_E_RANGE, "message_size");
    REFUSE("Q", SIZE_MAX / 2 + 1, 8, MMF_OVERFLOW_BLOCK, MMF_E_RANGE, "message_size");
    REFUSE("Q", (size_t)1 << 31, 8, MMF_OVERFLOW_BLOCK, MMF_E_RANGE, "message_size");
    REFUSE("Q", SIZE_MAX / 2, 8, MMF_OVERFLOW_BLOCK, MMF_E_RANGE, "message_size");
    REFUSE("Q", 8, 0, MMF_OVERFLOW_BLOCK, MMF_E_RANGE, "capacity");
    REFUSE("Q", 8, SIZE_MAX, MMF_OVERFLOW_BLOCK, MMF_E_RANGE, "capacity");
    REFUSE("Q", 8, ((size_t)1 << 30) + 1, MMF_OVERFLOW_BLOCK, MMF_E_RANGE, "capacity");
    REFUSE("Q", 8, SIZE_MAX / 2, MMF_OVERFLOW_BLOCK, MMF_E_RANGE, "capacity");
    REFUSE("Q", INT32_MAX, (size_t)1 << 30, MMF_OVERFLOW_BLOCK, MMF_E_RANGE,
           "capacity");
    REFUSE("Q", 8, 8, 0, MMF_E_INVALID, "overflow");
    REFUSE("Q", 8, 8, 4, MMF_E_INVALID, "overflow");
    REFUSE("Q", 8, 8, -1, MMF_E_INVALID, "overflow");
#undef REFUSE
}

static void
a_name_has_its_limits(void **state)
{
    size_t too_long = longest_name() + 1;
    char *name = malloc(too_long + 1);
    mmf_queue *queue = UNTOUCHED;

    (void)state;
    CHECK(name != NULL);
    memset(name, 'x', too_long);
    name[too_long] = '\0';
    CHECK_FAILS(create(name, 8, 8, MMF_OVERFLOW_BLOCK, NULL, NULL, &queue),
                MMF_E_PATH_TOO_LONG);
    CHECK_FAILS(mmf_queue_open_existing(name, NULL, &queue), MMF_E_PATH_TOO_LONG);
    CHECK(queue == UNTOUCHED);
    name[too_long - 1] = '\0';
    CHECK_OK(create(name, 8, 8, MMF_OVERFLOW_BLOCK, NULL, NULL, &queue));
    mmf_queue_close(queue);
    free(name);
}

/* `created_only`: opening ignores the field. */
static void
refuse_options(mmf_channel_options options, int status, const char *parameter,
               int created_only)
{
    mmf_queue *queue = UNTOUCHED;
    int created = -7;

    CHECK_FAILS_PARAM(create("Q", 8, 8, MMF_OVERFLOW_BLOCK, &options, &created, &queue),
                      status, parameter);
    CHECK(queue == UNTOUCHED);
    CHECK_INT(created, -7);
    if (created_only)
        CHECK_FAILS(mmf_queue_open_existing("Q", &options, &queue), MMF_E_NOT_FOUND);
    else
        CHECK_FAILS_PARAM(mmf_queue_open_existing("Q", &options, &queue), status,
                          parameter);
    CHECK(queue == UNTOUCHED);
}

static void
options_are_checked(void **state)
{
    struct {
        mmf_channel_options known;
        uint32_t more;
    } newer;
    const mmf_channel_options good = options_for(MMF_ROLE_SEND, 0);
    mmf_channel_options bad;
    mmf_queue *queue = UNTOUCHED;

    (void)state;
#define BAD(field, value, status, parameter)                                           \
    bad = good;                                                                        \
    bad.field = value;                                                                 \
    refuse_options(bad, status, parameter, 0)
#define BAD_FOR_CREATING(field, value, status, parameter)                              \
    bad = good;                                                                        \
    bad.field = value;                                                                 \
    refuse_options(bad, status, parameter, 1)
    BAD(size, 0, MMF_E_INVALID, "options");
    BAD(size, 3, MMF_E_INVALID, "options");
    BAD(size, 100000, MMF_E_INVALID, "options");
    BAD(role, 4, MMF_E_INVALID, "role");
    BAD(strategy, -1, MMF_E_INVALID, "strategy");
    BAD(strategy, 3, MMF_E_INVALID, "strategy");
    BAD(flags, 4, MMF_E_INVALID, "flags");
    BAD(flags, 0x80000000u, MMF_E_INVALID, "flags");
    BAD_FOR_CREATING(max_senders, -1, MMF_E_RANGE, "max_senders");
    BAD_FOR_CREATING(max_senders, 1025, MMF_E_RANGE, "max_senders");
    BAD_FOR_CREATING(max_receivers, -1, MMF_E_RANGE, "max_receivers");
    BAD_FOR_CREATING(max_receivers, 1025, MMF_E_RANGE, "max_receivers");
    BAD(replay, -1, MMF_E_RANGE, "replay");
    BAD_FOR_CREATING(mode, 01000, MMF_E_RANGE, "mode");
#undef BAD
#undef BAD_FOR_CREATING
    bad = good;
    bad.wait_ms = -2;
    CHECK_FAILS_PARAM(mmf_queue_open_existing("Q", &bad, &queue), MMF_E_RANGE,
                      "wait_ms");
    bad = good;
    bad.all_users = 1;
    CHECK_FAILS_PARAM(create("Local\\Q", 8, 8, MMF_OVERFLOW_BLOCK, &bad, NULL, &queue),
                      MMF_E_INVALID, "name");
    CHECK_FAILS_PARAM(mmf_queue_open_existing("Local\\Q", &bad, &queue), MMF_E_INVALID,
                      "name");
    bad = options_for(MMF_ROLE_SEND, MMF_CHANNEL_SPSC);
    CHECK_FAILS_PARAM(create("Q", 8, 8, MMF_OVERFLOW_DROP_OLDEST, &bad, NULL, &queue),
                      MMF_E_INVALID, "overflow");

    /* Of a newer program: accepted if it asks for nothing new. */
    newer.known = good;
    newer.known.size = sizeof(newer);
    newer.more = 1;
    CHECK_FAILS_PARAM(create("Q", 8, 8, MMF_OVERFLOW_BLOCK, &newer.known, NULL, &queue),
                      MMF_E_INVALID, "options");
    CHECK(queue == UNTOUCHED);
    newer.more = 0;
    CHECK_OK(create("Q", 8, 8, MMF_OVERFLOW_BLOCK, &newer.known, NULL, &queue));
    mmf_queue_close(queue);
    /* Of an older one, which knows only the size. */
    bad = good;
    bad.size = 4;
    bad.role = 77;
    CHECK_OK(create("Q", 8, 8, MMF_OVERFLOW_BLOCK, &bad, NULL, &queue));
    mmf_queue_close(queue);
    mmf_channel_options_init(NULL);
}

static void
the_name_may_be_anothers(void **state)
{
    mmf_queue *queue = UNTOUCHED;
    mmf_channel_stats stats = {.sent = 77};
    int created = -7;
    mmf_mutex *mutex;
    mmf_map *map;

    (void)state;
    CHECK_OK(mmf_map_create_new("M", 10, NULL, &map));
    CHECK_FAILS(create("M", 8, 8, MMF_OVERFLOW_BLOCK, NULL, &created, &queue),
                MMF_E_WRONG_KIND);
    CHECK_FAILS(mmf_queue_open_existing("M", NULL, &queue), MMF_E_WRONG_KIND);
    CHECK_FAILS(mmf_channel_stat("M", &stats), MMF_E_WRONG_KIND);
    CHECK(queue == UNTOUCHED);
    CHECK_INT(created, -7);
    CHECK_INT(stats.sent, 77);
    mmf_map_close(map);
    CHECK_OK(create("M", 8, 8, MMF_OVERFLOW_BLOCK, NULL, &created, &queue));
    CHECK_INT(created, 1);
    CHECK_FAILS(mmf_map_create_new("M", 10, NULL, &map), MMF_E_WRONG_KIND);
    CHECK_FAILS(mmf_mutex_create_or_open("M", 0, NULL, NULL, &mutex), MMF_E_WRONG_KIND);
    mmf_queue_close(queue);
}

static void
opening_needs_a_queue(void **state)
{
    mmf_queue *queue = UNTOUCHED;
    mmf_channel_stats stats = {.sent = 77};

    (void)state;
    CHECK_FAILS_PARAM(mmf_queue_open_existing("Q", NULL, NULL), MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_queue_open_existing(NULL, NULL, &queue), MMF_E_NULL, "name");
    CHECK_FAILS_PARAM(mmf_queue_open_existing("", NULL, &queue), MMF_E_INVALID, "name");
    CHECK_FAILS(mmf_queue_open_existing("Q", NULL, &queue), MMF_E_NOT_FOUND);
    CHECK_FAILS_PARAM(mmf_channel_stat(NULL, &stats), MMF_E_NULL, "name");
    CHECK_FAILS_PARAM(mmf_channel_stat("Q", NULL), MMF_E_NULL, "stats");
    CHECK_FAILS(mmf_channel_stat("Q", &stats), MMF_E_NOT_FOUND);
    CHECK_INT(stats.sent, 77);
    CHECK(queue == UNTOUCHED);
    mmf_queue_close(NULL);
}

/* `create` with one thing other than the queue has it: refused, with both values. */
static void
refuse_other(size_t size, size_t count, mmf_overflow overflow,
             const mmf_channel_options *options, const char *asked,
             const char *existing)
{
    mmf_queue *queue = UNTOUCHED;
    int created = -7;
    mmf_error error;

    CHECK_FAILS(create("Q", size, count, overflow, options, &created, &queue),
                MMF_E_MISMATCH);
    mmf_last_error(&error);
    if (strstr(error.message, asked) == NULL || strstr(error.message, existing) == NULL)
        CHECK_FAIL("\"%s\" does not say %s and %s", error.message, asked, existing);
    CHECK(queue == UNTOUCHED);
    CHECK_INT(created, -7);
}

static void
an_existing_queue_must_be_as_asked(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_BOTH, 0);
    mmf_channel_options other;
    mmf_queue *first, *second;
    int created = -7;

    (void)state;
    options.max_senders = 3;
    options.max_receivers = 5;
    CHECK_OK(create("Q", 100, 5, MMF_OVERFLOW_FAIL, &options, &created, &first));
    CHECK_INT(created, 1);
    refuse_other(7, 5, MMF_OVERFLOW_FAIL, &options, "7", "100");
    refuse_other(100, 99, MMF_OVERFLOW_FAIL, &options, "128", "8");
    refuse_other(100, 5, MMF_OVERFLOW_BLOCK, &options, "BLOCK", "FAIL");
    other = options;
    other.flags = MMF_CHANNEL_SPSC;
    refuse_other(100, 5, MMF_OVERFLOW_FAIL, &other, "flags 0", "1");
    other = options;
    other.max_senders = 0;
    refuse_other(100, 5, MMF_OVERFLOW_FAIL, &other, "64", "3");
    other = options;
    other.max_receivers = 1024;
    refuse_other(100, 5, MMF_OVERFLOW_FAIL, &other, "1024", "5");
    CHECK_INT(stats_of(first).senders, 1);
    CHECK_INT(stats_of(first).receivers, 1);
    /* 5 and 8 are one capacity, after rounding; roles and the like are each handle's. */
    options.role = MMF_ROLE_SEND;
    options.strategy = MMF_STRATEGY_WAIT;
    options.flags = MMF_CHANNEL_PEER_CLOSED;
    CHECK_OK(create("Q", 100, 8, MMF_OVERFLOW_FAIL, &options, &created, &second));
    CHECK_INT(created, 0);
    CHECK_INT(stats_of(second).senders, 2);
    mmf_queue_close(first);
    mmf_queue_close(second);
}

static void
opening_ignores_the_sizes(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_BOTH, 0);
    mmf_channel_stats stats;
    mmf_queue *first, *second;

    (void)state;
    options.max_senders = 3;
    options.max_receivers = 5;
    CHECK_OK(create("Q", 100, 5, MMF_OVERFLOW_FAIL, &options, NULL, &first));
    options.max_senders = options.max_receivers = 1024;
    options.flags = MMF_CHANNEL_SPSC;
    CHECK_OK(mmf_queue_open_existing("Q", &options, &second));
    stats = stats_of(second);
    CHECK_INT(stats.message_size, 100);
    CHECK_INT(stats.capacity, 8);
    CHECK_INT(stats.overflow, MMF_OVERFLOW_FAIL);
    CHECK_INT(stats.flags, 0);
    CHECK_INT(stats.senders, 2);
    CHECK_INT(stats.receivers, 2);
    CHECK_INT(stats.max_senders, 3);
    CHECK_INT(stats.max_receivers, 5);
    mmf_queue_close(first);
    mmf_queue_close(second);
}

/* A zeroed struct with its size is the default. */
static void
zeroed_options_are_the_default(void **state)
{
    mmf_channel_options zeroed = {.size = sizeof(zeroed)};
    mmf_channel_stats stats;
    mmf_queue *queue, *other = UNTOUCHED;
    int created = -7;

    (void)state;
    CHECK_OK(create("Q", 8, 8, MMF_OVERFLOW_BLOCK, &zeroed, &created, &queue));
    CHECK_INT(created, 1);
    stats = stats_of(queue);
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 1);
    CHECK_INT(stats.max_senders, 64);
    CHECK_INT(stats.max_receivers, 64);
    CHECK_INT(stats.flags, 0);
    send_number(queue, 1);
    expect_number(queue, 1);
    CHECK_OK(create("Q", 8, 8, MMF_OVERFLOW_BLOCK, NULL, &created, &other));
    CHECK_INT(created, 0);
    mmf_queue_close(other);
    mmf_queue_close(queue);
}

static void
a_new_queue_needs_a_free_name(void **state)
{
    mmf_queue *first, *second = UNTOUCHED;

    (void)state;
    CHECK_FAILS_PARAM(mmf_queue_create_new("Q", 8, 8, MMF_OVERFLOW_BLOCK, NULL, NULL),
                      MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(
        mmf_queue_create_new(NULL, 8, 8, MMF_OVERFLOW_BLOCK, NULL, &second), MMF_E_NULL,
        "name");
    CHECK_OK(mmf_queue_create_new("Q", 8, 8, MMF_OVERFLOW_BLOCK, NULL, &first));
    CHECK_FAILS(mmf_queue_create_new("Q", 8, 8, MMF_OVERFLOW_BLOCK, NULL, &second),
                MMF_E_EXISTS);
    CHECK_INT(stats_of(first).senders, 1);
    mmf_queue_close(first);
    CHECK_FAILS_PARAM(
        mmf_queue_create_new("Q", 8, 0, MMF_OVERFLOW_BLOCK, NULL, &second), MMF_E_RANGE,
        "capacity");
    CHECK(second == UNTOUCHED);
    CHECK_OK(mmf_queue_create_new("Q", 8, 8, MMF_OVERFLOW_BLOCK, NULL, &second));
    mmf_queue_close(second);
}

static void
there_are_as_many_participants_as_the_creator_said(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    mmf_queue *senders[3] = {UNTOUCHED, UNTOUCHED, UNTOUCHED};
    mmf_queue *receivers[3] = {UNTOUCHED, UNTOUCHED, UNTOUCHED};

    (void)state;
    options.max_senders = options.max_receivers = 2;
    for (int i = 0; i < 3; i++) {
        if (i < 2)
            CHECK_OK(
                create("Q", 8, 8, MMF_OVERFLOW_BLOCK, &options, NULL, &senders[i]));
        else
            CHECK_FAILS(
                create("Q", 8, 8, MMF_OVERFLOW_BLOCK, &options, NULL, &senders[i]),
                MMF_E_TOO_MANY);
    }
    options.role = MMF_ROLE_RECEIVE;
    CHECK_OK(mmf_queue_open_existing("Q", &options, &receivers[0]));
    /* Both roles at once: there is no free entry for a sender. */
    options.role = MMF_ROLE_BOTH;
    CHECK_FAILS(mmf_queue_open_existing("Q", &options, &receivers[1]), MMF_E_TOO_MANY);
    options.role = MMF_ROLE_RECEIVE;
    CHECK_OK(mmf_queue_open_existing("Q", &options, &receivers[1]));
    CHECK_FAILS(mmf_queue_open_existing("Q", &options, &receivers[2]), MMF_E_TOO_MANY);
    CHECK(senders[2] == UNTOUCHED);
    CHECK(receivers[2] == UNTOUCHED);
    /* The entry of a participant that has closed is free. */
    mmf_queue_close(receivers[0]);
    CHECK_OK(mmf_queue_open_existing("Q", &options, &receivers[0]));
    for (int i = 0; i < 2; i++) {
        mmf_queue_close(senders[i]);
        mmf_queue_close(receivers[i]);
    }
}

static void
a_single_role_is_taken_once(void **state)
{
    mmf_queue *sender = new_sender(MMF_CHANNEL_SPSC, 8, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    mmf_queue *other = UNTOUCHED;

    (void)state;
    CHECK_FAILS(mmf_queue_open_existing("Q", &options, &other), MMF_E_SHARING);
    options.role = MMF_ROLE_RECEIVE;
    CHECK_FAILS(mmf_queue_open_existing("Q", &options, &other), MMF_E_SHARING);
    CHECK_FAILS(mmf_queue_open_existing("Q", NULL, &other), MMF_E_SHARING);
    mmf_queue_close(receiver);
    /* The sender's entry is in use, and the receiver's is free again. */
    CHECK_FAILS(mmf_queue_open_existing("Q", NULL, &other), MMF_E_SHARING);
    CHECK(other == UNTOUCHED);
    CHECK_INT(stats_of(sender).receivers, 0);
    CHECK_INT(stats_of(sender).flags, MMF_CHANNEL_SPSC);
    mmf_queue_close(sender);
}

static void
calls_need_a_handle_and_outputs(void **state)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, 0, 8, 8, MMF_OVERFLOW_BLOCK);
    mmf_message message = {.length = 77};
    mmf_channel_stats stats;
    mmf_buffer buffer = {NULL, 1};
    size_t length = 77;
    size_t count = 77;
    void *bytes = UNTOUCHED;
    char byte = 0;
    int fd = -7;

    (void)state;
    CHECK_FAILS_PARAM(mmf_queue_reserve(NULL, 1, 0, &bytes), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_reserve(queue, 1, 0, NULL), MMF_E_NULL, "bytes");
    CHECK_FAILS_PARAM(mmf_queue_commit(NULL, 1, NULL), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_abandon(NULL), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_send(NULL, &byte, 1, 0, NULL), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_send(queue, NULL, 1, 0, NULL), MMF_E_NULL, "bytes");
    CHECK_FAILS_PARAM(mmf_queue_send_many(NULL, &buffer, 1, 0, &count), MMF_E_NULL,
                      "queue");
    CHECK_FAILS_PARAM(mmf_queue_send_many(queue, NULL, 1, 0, &count), MMF_E_NULL,
                      "messages");
    CHECK_FAILS_PARAM(mmf_queue_send_many(queue, &buffer, 1, 0, NULL), MMF_E_NULL,
                      "sent");
    CHECK_FAILS_PARAM(mmf_queue_send_many(queue, &buffer, 1, 0, &count), MMF_E_NULL,
                      "bytes");
    CHECK_FAILS_PARAM(mmf_queue_take(NULL, 0, &message), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_take(queue, 0, NULL), MMF_E_NULL, "message");
    CHECK_FAILS_PARAM(mmf_queue_take_many(NULL, 1, 0, &message, &count), MMF_E_NULL,
                      "queue");
    CHECK_FAILS_PARAM(mmf_queue_take_many(queue, 1, 0, NULL, &count), MMF_E_NULL,
                      "messages");
    CHECK_FAILS_PARAM(mmf_queue_take_many(queue, 1, 0, &message, NULL), MMF_E_NULL,
                      "count");
    CHECK_FAILS_PARAM(mmf_queue_release(NULL, &message), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_release(queue, NULL), MMF_E_NULL, "message");
    CHECK_FAILS_PARAM(mmf_queue_release_many(NULL, &message, 1), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_release_many(queue, NULL, 1), MMF_E_NULL, "messages");
    CHECK_FAILS_PARAM(mmf_queue_receive(NULL, &byte, 1, 0, &length, NULL), MMF_E_NULL,
                      "queue");
    CHECK_FAILS_PARAM(mmf_queue_receive(queue, NULL, 1, 0, &length, NULL), MMF_E_NULL,
                      "buffer");
    CHECK_FAILS_PARAM(mmf_queue_receive(queue, &byte, 1, 0, NULL, NULL), MMF_E_NULL,
                      "length");
    CHECK_FAILS_PARAM(mmf_queue_fd(NULL, &fd), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_fd(queue, NULL), MMF_E_NULL, "fd");
    CHECK_FAILS_PARAM(mmf_queue_stat(NULL, &stats), MMF_E_NULL, "queue");
    CHECK_FAILS_PARAM(mmf_queue_stat(queue, NULL), MMF_E_NULL, "stats");
    CHECK(bytes == UNTOUCHED);
    CHECK_INT(length, 77);
    CHECK_INT(count, 77);
    CHECK_INT(fd, -7);
    CHECK_INT(message.length, 77);

    /* Nothing was sent or received; an empty message needs no bytes. */
    expect_none(queue);
    CHECK_STATUS(mmf_queue_send(queue, NULL, 0, 0, NULL), MMF_OK);
    CHECK_STATUS(mmf_queue_receive(queue, NULL, 0, 0, &length, NULL), MMF_OK);
    CHECK_INT(length, 0);
    CHECK_STATUS(mmf_queue_send_many(queue, NULL, 0, 0, &count), MMF_OK);
    CHECK_INT(count, 0);
    CHECK_STATUS(mmf_queue_release_many(queue, NULL, 0), MMF_OK);
    mmf_queue_close(queue);
}

static void
numbers(uint32_t flags)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, flags, 100, 8, MMF_OVERFLOW_BLOCK);
    uint8_t bytes[101] = {0};
    mmf_buffer buffers[2] = {{bytes, 1}, {bytes, 101}};
    mmf_message message = {.length = 77};
    size_t length = 77;
    size_t count = 77;
    void *place = UNTOUCHED;
    mmf_error error;

    CHECK_FAILS_PARAM(mmf_queue_send(queue, bytes, 101, 0, NULL), MMF_E_RANGE,
                      "length");
    mmf_last_error(&error);
    CHECK(strstr(error.message, "101") != NULL);
    CHECK(strstr(error.message, " 100") != NULL);
    CHECK_FAILS_PARAM(mmf_queue_send(queue, bytes, SIZE_MAX, 0, NULL), MMF_E_RANGE,
                      "length");
    CHECK_FAILS_PARAM(mmf_queue_send(queue, bytes, SIZE_MAX / 2, 0, NULL), MMF_E_RANGE,
                      "length");
    CHECK_FAILS_PARAM(mmf_queue_send(queue, bytes, 1, -2, NULL), MMF_E_RANGE,
                      "timeout_ms");
    CHECK_FAILS_PARAM(mmf_queue_reserve(queue, 101, 0, &place), MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_queue_reserve(queue, SIZE_MAX, 0, &place), MMF_E_RANGE,
                      "length");
    CHECK_FAILS_PARAM(mmf_queue_reserve(queue, 1, -2, &place), MMF_E_RANGE,
                      "timeout_ms");
    CHECK_FAILS_PARAM(mmf_queue_send_many(queue, buffers, 2, 0, &count), MMF_E_RANGE,
                      "length");
    CHECK_FAILS_PARAM(mmf_queue_send_many(queue, buffers, 1, -2, &count), MMF_E_RANGE,
                      "timeout_ms");
    CHECK_FAILS_PARAM(mmf_queue_take(queue, -2, &message), MMF_E_RANGE, "timeout_ms");
    CHECK_FAILS_PARAM(mmf_queue_take_many(queue, 0, 0, &message, &count), MMF_E_RANGE,
                      "most");
    CHECK_FAILS_PARAM(mmf_queue_take_many(queue, 1, -2, &message, &count), MMF_E_RANGE,
                      "timeout_ms");
    CHECK_FAILS_PARAM(mmf_queue_receive(queue, bytes, 1, -2, &length, NULL),
                      MMF_E_RANGE, "timeout_ms");
    CHECK(place == UNTOUCHED);
    CHECK_INT(length, 77);
    CHECK_INT(count, 77);
    CHECK_INT(message.length, 77);
    expect_none(queue);
    CHECK_INT(stats_of(queue).sent, 0);
    mmf_queue_close(queue);
}

static void
numbers_are_checked(void **state)
{
    (void)state;
    for_each_kind(numbers);
}

static void
reservations(uint32_t flags)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, flags, 100, 8, MMF_OVERFLOW_BLOCK);
    mmf_buffer buffer = {"x", 1};
    size_t count = 77;
    void *place, *other = UNTOUCHED;

    CHECK_FAILS(mmf_queue_commit(queue, 0, NULL), MMF_E_STATE);
    CHECK_FAILS(mmf_queue_abandon(queue), MMF_E_STATE);
    CHECK_STATUS(mmf_queue_reserve(queue, 50, 0, &place), MMF_OK);
    CHECK_FAILS(mmf_queue_reserve(queue, 1, 0, &other), MMF_E_STATE);
    CHECK(other == UNTOUCHED);
    CHECK_FAILS(mmf_queue_send(queue, "x", 1, 0, NULL), MMF_E_STATE);
    CHECK_FAILS(mmf_queue_send_many(queue, &buffer, 1, 0, &count), MMF_E_STATE);
    CHECK_INT(count, 77);
    CHECK_FAILS_PARAM(mmf_queue_commit(queue, 51, NULL), MMF_E_RANGE, "length");
    CHECK_FAILS_PARAM(mmf_queue_commit(queue, SIZE_MAX, NULL), MMF_E_RANGE, "length");
    expect_none(queue);
    memcpy(place, "12345678", 8);
    CHECK_STATUS(mmf_queue_commit(queue, 8, NULL), MMF_OK);
    CHECK_FAILS(mmf_queue_commit(queue, 8, NULL), MMF_E_STATE);
    CHECK_FAILS(mmf_queue_abandon(queue), MMF_E_STATE);
    expect_number(queue, 0x3837363534333231u);
    CHECK_STATUS(mmf_queue_reserve(queue, 0, 0, &place), MMF_OK);
    CHECK_FAILS_PARAM(mmf_queue_commit(queue, 1, NULL), MMF_E_RANGE, "length");
    CHECK_STATUS(mmf_queue_abandon(queue), MMF_OK);
    CHECK_FAILS(mmf_queue_abandon(queue), MMF_E_STATE);
    mmf_queue_close(queue);
}

static void
a_handle_has_one_reservation(void **state)
{
    (void)state;
    for_each_kind(reservations);
}

static void
releases(uint32_t flags)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, flags, 8, 8, MMF_OVERFLOW_BLOCK);
    mmf_message messages[3], strange = {.sequence = 5};
    size_t length = 77;
    uint64_t number;

    CHECK_FAILS(mmf_queue_release(queue, &strange), MMF_E_STATE);
    strange.sequence = UINT64_MAX;
    CHECK_FAILS(mmf_queue_release(queue, &strange), MMF_E_STATE);
    for (uint64_t i = 0; i < 4; i++)
        send_number(queue, i);
    for (uint64_t i = 0; i < 3; i++)
        messages[i] = take_number(queue, i);
    /* One that is not taken. */
    strange = messages[2];
    strange.sequence++;
    CHECK_FAILS(mmf_queue_release(queue, &strange), MMF_E_STATE);
    if (flags == MMF_CHANNEL_SPSC) {
        /* In order, and no copy before what is held. */
        CHECK_FAILS(mmf_queue_release(queue, &messages[1]), MMF_E_STATE);
        CHECK_FAILS(mmf_queue_receive(queue, &number, 8, 0, &length, NULL),
                    MMF_E_STATE);
        CHECK_FAILS(mmf_queue_release_many(queue, messages + 1, 2), MMF_E_STATE);
        CHECK_INT(length, 77);
        CHECK_STATUS(mmf_queue_release_many(queue, messages, 2), MMF_OK);
        CHECK_STATUS(mmf_queue_release(queue, &messages[2]), MMF_OK);
    } else {
        CHECK_STATUS(mmf_queue_release(queue, &messages[1]), MMF_OK);
        CHECK_FAILS(mmf_queue_release_many(queue, messages, 3), MMF_E_STATE);
        messages[1] = messages[2];
        expect_number(queue, 3);
        send_number(queue, 3);
        CHECK_STATUS(mmf_queue_release_many(queue, messages, 2), MMF_OK);
    }
    for (int i = 0; i < 3; i++)
        CHECK_FAILS(mmf_queue_release(queue, &messages[i]), MMF_E_STATE);
    expect_number(queue, 3);
    expect_none(queue);
    CHECK_INT(stats_of(queue).received, flags == MMF_CHANNEL_SPSC ? 4 : 5);
    mmf_queue_close(queue);
}

static void
only_what_is_held_is_released(void **state)
{
    (void)state;
    for_each_kind(releases);
}

static void
a_role_is_needed(void **state)
{
    mmf_queue *sender = new_sender(0, 8, 8);
    mmf_queue *receiver = open_queue(MMF_ROLE_RECEIVE, 0);
    mmf_message message = {.length = 77};
    mmf_buffer buffer = {"x", 1};
    size_t length = 77;
    size_t count = 77;
    char byte;
    void *bytes = UNTOUCHED;
    int fd = -7;

    (void)state;
    CHECK_FAILS(mmf_queue_reserve(receiver, 1, 0, &bytes), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_commit(receiver, 1, NULL), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_abandon(receiver), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_send(receiver, "x", 1, 0, NULL), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_send_many(receiver, &buffer, 1, 0, &count),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_take(sender, 0, &message), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_take_many(sender, 1, 0, &message, &count),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_release(sender, &message), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_release_many(sender, &message, 1), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_receive(sender, &byte, 1, 0, &length, NULL),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_queue_fd(sender, &fd), MMF_E_NOT_SUPPORTED);
    CHECK(bytes == UNTOUCHED);
    CHECK_INT(length, 77);
    CHECK_INT(count, 77);
    CHECK_INT(fd, -7);
    CHECK_INT(message.length, 77);
    CHECK_INT(stats_of(sender).senders, 1);
    CHECK_INT(stats_of(receiver).receivers, 1);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

/* The list's line on "Q". */
static mmf_object_info
listed(mmf_list **list)
{
    CHECK_OK(mmf_list_create(0, list));
    for (int32_t i = 0; i < mmf_list_count(*list); i++)
        if (strcmp(mmf_list_get(*list, i)->name, "Q") == 0)
            return *mmf_list_get(*list, i);
    CHECK_FAIL("the queue is not in the list");
}

static void
the_list_has_it(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    mmf_object_info info;
    mmf_queue *queue;
    mmf_list *before, *list;

    (void)state;
    CHECK_OK(mmf_list_create(0, &before));
    CHECK_OK(create("Q", 100, 100, MMF_OVERFLOW_BLOCK, &options, NULL, &queue));
    info = listed(&list);
    CHECK_INT(mmf_list_count(list), mmf_list_count(before) + 1);
    CHECK_INT(info.kind, MMF_KIND_QUEUE);
    CHECK_TEXT(mmf_kind_name(info.kind), "queue");
    CHECK_INT(info.status, MMF_OBJECT_IN_USE);
    CHECK_INT(info.holders, 1);
    CHECK(info.creator_pid > 0);
    CHECK(info.created > 0);
    CHECK(info.sync == NULL);
    /* 1,664 bytes and two tables of 64 entries, to the page; 128 slots of 256 bytes. */
    CHECK_INT(info.capacity, 20480 + 128 * 256);
    mmf_list_close(list);
    mmf_list_close(before);
    mmf_queue_close(queue);
}

static void
the_file_has_the_creators_mode(void **state)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    mmf_queue *queue;
    mmf_list *list;

    (void)state;
    need_modes();
    options.mode = 0640;
    CHECK_OK(create("Q", 100, 100, MMF_OVERFLOW_BLOCK, &options, NULL, &queue));
    CHECK_INT(listed(&list).mode, 0640);
    mmf_list_close(list);
    mmf_queue_close(queue);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_checks_its_arguments),
        cmocka_unit_test(a_name_has_its_limits),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(the_name_may_be_anothers),
        cmocka_unit_test(opening_needs_a_queue),
        cmocka_unit_test(an_existing_queue_must_be_as_asked),
        cmocka_unit_test(opening_ignores_the_sizes),
        cmocka_unit_test(zeroed_options_are_the_default),
        cmocka_unit_test(a_new_queue_needs_a_free_name),
        cmocka_unit_test(there_are_as_many_participants_as_the_creator_said),
        cmocka_unit_test(a_single_role_is_taken_once),
        cmocka_unit_test(calls_need_a_handle_and_outputs),
        cmocka_unit_test(numbers_are_checked),
        cmocka_unit_test(a_handle_has_one_reservation),
        cmocka_unit_test(only_what_is_held_is_released),
        cmocka_unit_test(a_role_is_needed),
        cmocka_unit_test(the_list_has_it),
        cmocka_unit_test(the_file_has_the_creators_mode),
    };

    return harness_main(argc, argv, "channel_arguments", tests, COUNT_OF(tests), NULL);
}
