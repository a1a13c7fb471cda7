/*
 * pattern_test.c - what holds for every kind of named object: the three calls that make
 * a handle, the options that they share, and, for channels, what create_or_open compares.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The kinds, alike.
 */

/* The options that all kinds have. */
struct common {
    int32_t all_users;
    uint32_t mode;
    int32_t wait_ms;
};

struct kind {
    mmf_kind kind;
    int (*create_new)(const char *name, const struct common *common, void **out);
    int (*create_or_open)(const char *name, const struct common *common, int *created,
                          void **out);
    int (*open_existing)(const char *name, const struct common *common, void **out);
    void (*close)(void *object);
};

#define MAP_OPTIONS(c)                                                                 \
    (&(mmf_map_options){.size = sizeof(mmf_map_options),                               \
                        .all_users = (c)->all_users,                                   \
                        .mode = (c)->mode,                                             \
                        .wait_ms = (c)->wait_ms})
#define SYNC_OPTIONS(c)                                                                \
    (&(mmf_sync_options){.size = sizeof(mmf_sync_options),                             \
                         .all_users = (c)->all_users,                                  \
                         .mode = (c)->mode,                                            \
                         .wait_ms = (c)->wait_ms})
#define CHANNEL_OPTIONS(c)                                                             \
    (&(mmf_channel_options){.size = sizeof(mmf_channel_options),                       \
                            .all_users = (c)->all_users,                               \
                            .mode = (c)->mode,                                         \
                            .wait_ms = (c)->wait_ms})

#define SERVICE_OPTIONS(c)                                                             \
    (&(mmf_service_options){.size = sizeof(mmf_service_options),                       \
                            .all_users = (c)->all_users,                               \
                            .mode = (c)->mode,                                         \
                            .wait_ms = (c)->wait_ms})

/* The four functions of one kind; what a creator says beside the name is in brackets. */
#define DEFINE_KIND(name_, options_, ...)                                              \
    static int name_##_create_new_(const char *name, const struct common *c,           \
                                   void **out)                                         \
    {                                                                                  \
        mmf_##name_ *object = UNTOUCHED;                                               \
        int rc = mmf_##name_##_create_new(name, __VA_ARGS__, options_(c), &object);    \
                                                                                       \
        *out = object;                                                                 \
        return rc;                                                                     \
    }                                                                                  \
    static int name_##_create_or_open_(const char *name, const struct common *c,       \
                                       int *created, void **out)                       \
    {                                                                                  \
        mmf_##name_ *object = UNTOUCHED;                                               \
        int rc = mmf_##name_##_create_or_open(name, __VA_ARGS__, options_(c), created, \
                                              &object);                                \
                                                                                       \
        *out = object;                                                                 \
        return rc;                                                                     \
    }                                                                                  \
    static int name_##_open_existing_(const char *name, const struct common *c,        \
                                      void **out)                                      \
    {                                                                                  \
        mmf_##name_ *object = UNTOUCHED;                                               \
        int rc = mmf_##name_##_open_existing(name, options_(c), &object);              \
                                                                                       \
        *out = object;                                                                 \
        return rc;                                                                     \
    }                                                                                  \
    static void name_##_close_(void *object)                                           \
    {                                                                                  \
        mmf_##name_##_close(object);                                                   \
    }

DEFINE_KIND(map, MAP_OPTIONS, 4096)
DEFINE_KIND(mutex, SYNC_OPTIONS, 0)
DEFINE_KIND(event, SYNC_OPTIONS, 0, MMF_EVENT_AUTO_RESET)
DEFINE_KIND(semaphore, SYNC_OPTIONS, 0, 1)
DEFINE_KIND(queue, CHANNEL_OPTIONS, 16, 4, MMF_OVERFLOW_BLOCK)
DEFINE_KIND(topic, CHANNEL_OPTIONS, 16, 4, MMF_OVERFLOW_BLOCK)
DEFINE_KIND(latest, CHANNEL_OPTIONS, 16)
DEFINE_KIND(service, SERVICE_OPTIONS, 16, 16, 4)

#define KIND(name_, number)                                                            \
    {                                                                                  \
        .kind = (number), .create_new = name_##_create_new_,                           \
        .create_or_open = name_##_create_or_open_,                                     \
        .open_existing = name_##_open_existing_, .close = name_##_close_               \
    }

static const struct kind kinds[] = {
    KIND(map, MMF_KIND_MAP),       KIND(mutex, MMF_KIND_MUTEX),
    KIND(event, MMF_KIND_EVENT),   KIND(semaphore, MMF_KIND_SEMAPHORE),
    KIND(queue, MMF_KIND_QUEUE),   KIND(topic, MMF_KIND_TOPIC),
    KIND(latest, MMF_KIND_LATEST), KIND(service, MMF_KIND_SERVICE),
};

static const struct common defaults;

static void *
made(const struct kind *kind, const char *name, const struct common *common)
{
    void *object;

    CHECK_STATUS(kind->create_new(name, common, &object), MMF_OK);
    return object;
}

static void
close_opened(const struct kind *kind, const char *name, const struct common *common)
{
    void *object;

    CHECK_STATUS(kind->open_existing(name, common, &object), MMF_OK);
    kind->close(object);
}

/* The last message has the text in it. */
static void
check_said(const char *text)
{
    if (strstr(mmf_last_message(), text) == NULL)
        CHECK_FAIL("\"%s\" does not say \"%s\"", mmf_last_message(), text);
}

/*
 * The three calls.
 */

TEST(create_new_makes_it_or_it_exists)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        void *object = made(&kinds[i], "Cat", &defaults);
        void *second;

        CHECK_CONTEXT("%s", mmf_kind_name(kinds[i].kind));
        CHECK_FAILS(kinds[i].create_new("Cat", &defaults, &second), MMF_E_EXISTS);
        check_said("\"Cat\"");
        CHECK(second == UNTOUCHED);
        kinds[i].close(object);
        kinds[i].close(made(&kinds[i], "Cat", &defaults));
    }
}

TEST(create_or_open_says_which)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        int created = -7;
        void *first;
        void *second;

        CHECK_CONTEXT("%s", mmf_kind_name(kinds[i].kind));
        CHECK_OK(kinds[i].create_or_open("Cat", &defaults, &created, &first));
        CHECK_INT(created, 1);
        CHECK_OK(kinds[i].create_or_open("Cat", &defaults, &created, &second));
        CHECK_INT(created, 0);
        kinds[i].close(second);
        CHECK_OK(kinds[i].create_or_open("Cat", &defaults, NULL, &second));
        kinds[i].close(second);
        kinds[i].close(first);
    }
}

TEST(open_existing_needs_it)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        void *object;

        CHECK_CONTEXT("%s", mmf_kind_name(kinds[i].kind));
        CHECK_FAILS(kinds[i].open_existing("Cat", &defaults, &object), MMF_E_NOT_FOUND);
        check_said("\"Cat\"");
        CHECK(object == UNTOUCHED);
        object = made(&kinds[i], "Cat", &defaults);
        close_opened(&kinds[i], "Cat", &defaults);
        kinds[i].close(object);
        CHECK_FAILS(kinds[i].open_existing("Cat", &defaults, &object), MMF_E_NOT_FOUND);
    }
}

static void
check_other_kind(const struct kind *kind)
{
    int created = -7;
    void *object;

    CHECK_FAILS(kind->create_new("Cat", &defaults, &object), MMF_E_WRONG_KIND);
    CHECK_FAILS(kind->create_or_open("Cat", &defaults, &created, &object),
                MMF_E_WRONG_KIND);
    CHECK_FAILS(kind->open_existing("Cat", &defaults, &object), MMF_E_WRONG_KIND);
    CHECK_INT(created, -7);
    CHECK(object == UNTOUCHED);
}

TEST(a_name_has_one_kind)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        void *object = made(&kinds[i], "Cat", &defaults);

        for (size_t j = 0; j < COUNT_OF(kinds); j++) {
            CHECK_CONTEXT("%s, not %s", mmf_kind_name(kinds[i].kind),
                          mmf_kind_name(kinds[j].kind));
            if (j != i)
                check_other_kind(&kinds[j]);
        }
        kinds[i].close(object);
    }
}

TEST(closing_null_does_nothing)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        kinds[i].close(NULL);
    mmf_waitable_close(NULL);
}

/*
 * Waiting for a name.
 */

/* Another process: each line it hears is a kind to make, and to close at the next. */
static int
make_on_request(int argc, char **argv)
{
    char line[32];
    int i;

    (void)argc;
    (void)argv;
    role_say("ready");
    while (role_hear(line, sizeof(line))) {
        void *object;

        i = atoi(line);
        object = made(&kinds[i], "Cat", &defaults);
        CHECK(role_hear(line, sizeof(line)));
        kinds[i].close(object);
        role_say("closed");
    }
    return EXIT_SUCCESS;
}

TEST(open_waits_for_another_process)
{
    static const int32_t waits[] = {-1, 20000, INT32_MAX};
    struct process *maker = process_start("make", NULL);

    process_expect(maker, "ready");
    for (size_t i = 0; i < COUNT_OF(kinds) * COUNT_OF(waits); i++) {
        const struct kind *kind = &kinds[i % COUNT_OF(kinds)];
        const struct common waiting = {.wait_ms = waits[i / COUNT_OF(kinds)]};
        char line[32];

        CHECK_CONTEXT("%s, %d ms", mmf_kind_name(kind->kind), waiting.wait_ms);
        snprintf(line, sizeof(line), "%d", (int)(i % COUNT_OF(kinds)));
        process_send(maker, line);
        close_opened(kind, "Cat", &waiting);
        process_send(maker, "close");
        process_expect(maker, "closed");
    }
    CHECK_INT(process_finish(maker), EXIT_SUCCESS);
}

static int64_t
nanoseconds(void)
{
    struct timespec now;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

TEST(open_waits_in_vain)
{
    const struct common waiting = {.wait_ms = 30};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        int64_t begin = nanoseconds();
        void *object;

        CHECK_CONTEXT("%s", mmf_kind_name(kinds[i].kind));
        CHECK_FAILS(kinds[i].open_existing("Cat", &waiting, &object), MMF_E_NOT_FOUND);
        CHECK(nanoseconds() - begin >= INT64_C(30000000));
    }
}

TEST(open_wait_out_of_range)
{
    const struct common waiting = {.wait_ms = -2};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        void *first = made(&kinds[i], "Cat", &defaults);
        void *object;

        CHECK_CONTEXT("%s", mmf_kind_name(kinds[i].kind));
        CHECK_FAILS_PARAM(kinds[i].open_existing("Cat", &waiting, &object), MMF_E_RANGE,
                          "wait_ms");
        check_said("-2");
        /* A creator does not wait for anything, and does not read it. */
        CHECK_OK(kinds[i].create_or_open("Cat", &waiting, NULL, &object));
        kinds[i].close(object);
        kinds[i].close(first);
    }
}

/* What stands in the way is no missing name: there is nothing to wait for. */
TEST(open_waits_for_a_missing_name_only)
{
    const struct common waiting = {.wait_ms = -1};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct kind *other = &kinds[(i + 1) % COUNT_OF(kinds)];
        void *first = made(other, "Cat", &defaults);
        void *object;

        CHECK_CONTEXT("%s", mmf_kind_name(kinds[i].kind));
        CHECK_FAILS(kinds[i].open_existing("Cat", &waiting, &object), MMF_E_WRONG_KIND);
        other->close(first);
    }
}

/*
 * Other users, and modes.
 */

TEST(all_users_is_the_global_name)
{
    const struct common all = {.all_users = 1};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        void *object = made(&kinds[i], "Cat", &all);
        void *second;

        CHECK_CONTEXT("%s", mmf_kind_name(kinds[i].kind));
        close_opened(&kinds[i], "Global\\Cat", &defaults);
        close_opened(&kinds[i], "Global\\Cat", &all);
        close_opened(&kinds[i], "Cat", &all);
        CHECK_FAILS(kinds[i].open_existing("Cat", &defaults, &second), MMF_E_NOT_FOUND);
        kinds[i].close(object);
    }
}

TEST(all_users_contradicts_a_local_name)
{
    const struct common all = {.all_users = 1};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        void *object;

        CHECK_CONTEXT("%s", mmf_kind_name(kinds[i].kind));
        CHECK_FAILS(kinds[i].create_new("Local\\Cat", &all, &object), MMF_E_INVALID);
        check_said("\"Local\\Cat\"");
        check_said("\"Global\\Cat\"");
        CHECK_FAILS(kinds[i].create_or_open("Local\\Cat", &all, NULL, &object),
                    MMF_E_INVALID);
        CHECK_FAILS(kinds[i].open_existing("Local\\Cat", &all, &object), MMF_E_INVALID);
        CHECK(object == UNTOUCHED);
    }
}

TEST(all_users_is_a_flag)
{
    static const int32_t bad[] = {2, -1};

    for (size_t i = 0; i < COUNT_OF(kinds) * COUNT_OF(bad); i++) {
        const struct kind *kind = &kinds[i % COUNT_OF(kinds)];
        const struct common wrong = {.all_users = bad[i / COUNT_OF(kinds)]};
        void *object;

        CHECK_CONTEXT("%s", mmf_kind_name(kind->kind));
        CHECK_FAILS_PARAM(kind->create_new("Cat", &wrong, &object), MMF_E_INVALID,
                          "options");
        CHECK_FAILS_PARAM(kind->open_existing("Cat", &wrong, &object), MMF_E_INVALID,
                          "options");
        check_said("all_users");
    }
}

static void
check_mode(const struct kind *kind, const char *name, const struct common *common,
           uint32_t expected)
{
    void *object = made(kind, name, common);
    mmf_list *list;

    CHECK_CONTEXT("%s \"%s\"", mmf_kind_name(kind->kind), name);
    CHECK_OK(mmf_list_create(0, &list));
    CHECK_INT(mmf_list_count(list), 1);
    CHECK_INT(mmf_list_get(list, 0)->mode, expected);
    mmf_list_close(list);
    kind->close(object);
}

TEST(a_new_object_has_the_mode_of_its_users)
{
    const struct common all = {.all_users = 1};
    const struct common group = {.all_users = 1, .mode = 0660};

    need_modes();
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        check_mode(&kinds[i], "Cat", &defaults, 0600);
        check_mode(&kinds[i], "Global\\Cat", &defaults, 0600);
        check_mode(&kinds[i], "Cat", &all, 0666);
        check_mode(&kinds[i], "Global\\Cat", &all, 0666);
        check_mode(&kinds[i], "Cat", &group, 0660);
    }
}

/*
 * A waitable, whatever its kind.
 */

TEST(a_waitable_is_opened_by_its_name)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        void *object = made(&kinds[i], "Cat", &defaults);
        mmf_waitable *opened = UNTOUCHED;
        mmf_kind kind = MMF_KIND_UNKNOWN;
        int rc = mmf_waitable_open_existing("Cat", NULL, &kind, &opened);

        CHECK_CONTEXT("%s", mmf_kind_name(kinds[i].kind));
        if (kinds[i].kind >= MMF_KIND_MUTEX && kinds[i].kind <= MMF_KIND_SEMAPHORE) {
            CHECK_INT(rc, MMF_OK);
            CHECK_INT(kind, kinds[i].kind);
            CHECK_STATUS(mmf_wait_one(opened, 0),
                         kind == MMF_KIND_MUTEX ? MMF_OK : MMF_TIMED_OUT);
            if (kind == MMF_KIND_MUTEX)
                CHECK_OK(mmf_mutex_release(object));
            mmf_waitable_close(opened);
            CHECK_OK(mmf_waitable_open_existing("Cat", NULL, NULL, &opened));
            mmf_waitable_close(opened);
        } else {
            CHECK_INT(rc, MMF_E_WRONG_KIND);
            CHECK_INT(kind, MMF_KIND_UNKNOWN);
            CHECK((void *)opened == UNTOUCHED);
        }
        kinds[i].close(object);
    }
    CHECK_FAILS(mmf_waitable_open_existing("Cat", NULL, NULL, NULL), MMF_E_NULL);
}

TEST(a_missing_waitable_is_not_found)
{
    mmf_sync_options options = {.size = sizeof(options), .wait_ms = 10};
    mmf_waitable *opened = UNTOUCHED;

    CHECK_FAILS(mmf_waitable_open_existing("Cat", NULL, NULL, &opened),
                MMF_E_NOT_FOUND);
    check_said("\"Cat\"");
    CHECK_FAILS(mmf_waitable_open_existing("Cat", &options, NULL, &opened),
                MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_waitable_open_existing(NULL, NULL, NULL, &opened), MMF_E_NULL);
    CHECK((void *)opened == UNTOUCHED);
}

TEST(a_full_semaphore_is_at_its_maximum)
{
    mmf_semaphore *semaphore;
    mmf_event *event;
    int32_t previous = -7;

    CHECK_OK(mmf_semaphore_create_new("Cat", 1, 2, NULL, &semaphore));
    CHECK_OK(mmf_event_create_new(NULL, 1, MMF_EVENT_MANUAL_RESET, NULL, &event));
    CHECK_FAILS(mmf_semaphore_release(semaphore, 2, &previous), MMF_E_MAXIMUM);
    CHECK_INT(previous, -7);
    CHECK_OK(mmf_semaphore_release(semaphore, 1, &previous));
    CHECK_INT(previous, 1);
    CHECK_FAILS(mmf_signal_and_wait(mmf_semaphore_waitable(semaphore),
                                    mmf_event_waitable(event), 0),
                MMF_E_MAXIMUM);
    mmf_event_close(event);
    mmf_semaphore_close(semaphore);
}

/*
 * Channels: what create_or_open compares.
 */

struct wanted {
    size_t message_size;
    size_t capacity;
    mmf_overflow overflow;
    mmf_channel_options options;
};

static int
create_or_open_queue(const struct wanted *wanted, int *created, mmf_queue **out)
{
    return mmf_queue_create_or_open("Cat", wanted->message_size, wanted->capacity,
                                    wanted->overflow, &wanted->options, created, out);
}

static struct wanted
usual_queue(void)
{
    return (struct wanted){.message_size = 100,
                           .capacity = 8,
                           .overflow = MMF_OVERFLOW_FAIL,
                           .options = {.size = sizeof(mmf_channel_options),
                                       .max_senders = 3,
                                       .max_receivers = 5}};
}

static void
check_mismatch(const struct wanted *wanted, const char *field, const char *found,
               const char *asked)
{
    mmf_queue *queue = UNTOUCHED;
    int created = -7;

    CHECK_CONTEXT("%s", field);
    CHECK_FAILS_PARAM(create_or_open_queue(wanted, &created, &queue), MMF_E_MISMATCH,
                      field);
    check_said("\"Cat\"");
    check_said(field);
    check_said(found);
    check_said(asked);
    CHECK_INT(created, -7);
    CHECK((void *)queue == UNTOUCHED);
}

TEST(a_queue_of_other_sizes_is_a_mismatch)
{
    struct wanted wanted = usual_queue();
    mmf_queue *queue;
    mmf_queue *second;

    CHECK_OK(create_or_open_queue(&wanted, NULL, &queue));
    wanted.message_size = 101;
    check_mismatch(&wanted, "message_size", "100", "101");
    wanted = usual_queue();
    wanted.capacity = 9;
    check_mismatch(&wanted, "capacity", "8", "16");
    wanted = usual_queue();
    wanted.overflow = MMF_OVERFLOW_BLOCK;
    check_mismatch(&wanted, "overflow", "MMF_OVERFLOW_FAIL", "MMF_OVERFLOW_BLOCK");
    wanted = usual_queue();
    wanted.options.flags = MMF_CHANNEL_SPSC;
    check_mismatch(&wanted, "flags", "0", "1");
    wanted = usual_queue();
    wanted.options.max_senders = 0;
    check_mismatch(&wanted, "max_senders", "3", "64");
    wanted = usual_queue();
    wanted.options.max_receivers = 6;
    check_mismatch(&wanted, "max_receivers", "5", "6");
    /* What is rounded to the same, and what only the handle has, is no mismatch. */
    wanted = usual_queue();
    wanted.capacity = 5;
    wanted.options.strategy = MMF_STRATEGY_WAIT;
    wanted.options.flags = MMF_CHANNEL_PEER_CLOSED;
    wanted.options.role = MMF_ROLE_SEND;
    CHECK_OK(create_or_open_queue(&wanted, NULL, &second));
    mmf_queue_close(second);
    mmf_queue_close(queue);
}

TEST(a_topic_and_a_value_mismatch_too)
{
    mmf_latest *latest;
    mmf_latest *other_latest = UNTOUCHED;
    mmf_topic *topic;
    mmf_topic *other_topic = UNTOUCHED;

    CHECK_OK(mmf_topic_create_new("Cat", 16, 1, MMF_OVERFLOW_BLOCK, NULL, &topic));
    CHECK_OK(mmf_latest_create_new("Dog", 16, NULL, &latest));
    CHECK_FAILS_PARAM(mmf_topic_create_or_open("Cat", 16, 3, MMF_OVERFLOW_BLOCK, NULL,
                                               NULL, &other_topic),
                      MMF_E_MISMATCH, "capacity");
    check_said("topic \"Cat\"");
    CHECK_FAILS_PARAM(mmf_latest_create_or_open("Dog", 17, NULL, NULL, &other_latest),
                      MMF_E_MISMATCH, "value_size");
    check_said("16");
    check_said("17");
    CHECK_OK(mmf_topic_create_or_open("Cat", 16, 2, MMF_OVERFLOW_BLOCK, NULL, NULL,
                                      &other_topic));
    mmf_topic_close(other_topic);
    mmf_topic_close(topic);
    mmf_latest_close(latest);
}

/* As many as the creator allowed, of each role by itself. */
TEST(senders_and_receivers_have_limits_of_their_own)
{
    struct wanted wanted = usual_queue();
    mmf_queue *queue;
    mmf_queue *more[4] = {NULL};
    mmf_channel_stats stats;

    wanted.options.max_senders = 1;
    wanted.options.max_receivers = 3;
    CHECK_OK(create_or_open_queue(&wanted, NULL, &queue));
    wanted.options.role = MMF_ROLE_SEND;
    CHECK_FAILS(mmf_queue_open_existing("Cat", &wanted.options, &more[0]),
                MMF_E_TOO_MANY);
    check_said("1 sender");
    wanted.options.role = MMF_ROLE_RECEIVE;
    CHECK_OK(mmf_queue_open_existing("Cat", &wanted.options, &more[0]));
    CHECK_OK(mmf_queue_open_existing("Cat", &wanted.options, &more[1]));
    CHECK_FAILS(mmf_queue_open_existing("Cat", &wanted.options, &more[2]),
                MMF_E_TOO_MANY);
    check_said("3 receivers");
    CHECK_OK(mmf_channel_stat("Cat", &stats));
    CHECK_INT(stats.max_senders, 1);
    CHECK_INT(stats.max_receivers, 3);
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 3);
    mmf_queue_close(more[0]);
    CHECK_OK(mmf_queue_open_existing("Cat", &wanted.options, &more[0]));
    mmf_queue_close(more[0]);
    mmf_queue_close(more[1]);
    mmf_queue_close(queue);
}

/*
 * Channels: numbers.
 */

TEST(a_channel_has_an_identity)
{
    static const uint8_t zero[64];
    mmf_channel_stats first;
    mmf_channel_stats other;
    mmf_queue *queue;

    memset(&first, 0xFF, sizeof(first));
    CHECK_OK(mmf_queue_create_new("Cat", 16, 4, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_OK(mmf_queue_stat(queue, &first));
    CHECK(memcmp(first.identity, zero, sizeof(first.identity)) != 0);
    CHECK_BYTES(first.reserved, zero, sizeof(first.reserved));
    CHECK_OK(mmf_channel_stat("Cat", &other));
    CHECK_BYTES(other.identity, first.identity, sizeof(first.identity));
    mmf_queue_close(queue);
    CHECK_OK(mmf_queue_create_new("Cat", 16, 4, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_OK(mmf_queue_stat(queue, &other));
    CHECK(memcmp(other.identity, first.identity, sizeof(first.identity)) != 0);
    mmf_queue_close(queue);
}

/* What a sender is given is what the receiver sees. */
static void
check_queue_sequences(uint32_t flags)
{
    const mmf_channel_options options = {.size = sizeof(options), .flags = flags};
    mmf_message message;
    mmf_queue *queue;
    uint64_t sequence;
    uint64_t before = 0;
    void *bytes;

    CHECK_CONTEXT("flags %u", flags);
    CHECK_OK(mmf_queue_create_new("Cat", 16, 4, MMF_OVERFLOW_BLOCK, &options, &queue));
    for (int i = 0; i < 20; i++) {
        sequence = 0;
        if (i % 2 == 0) {
            CHECK_OK(mmf_queue_send(queue, "hi", 2, 0, &sequence));
        } else {
            CHECK_OK(mmf_queue_reserve(queue, 2, 0, &bytes));
            CHECK_OK(mmf_queue_commit(queue, 2, &sequence));
        }
        memset(&message, 0xFF, sizeof(message));
        CHECK_STATUS(mmf_queue_take(queue, 0, &message), MMF_OK);
        CHECK_INT(message.sequence, sequence);
        CHECK_INT(message.reserved[0] | message.reserved[3], 0);
        CHECK(sequence > before);
        before = sequence;
        CHECK_OK(mmf_queue_release(queue, &message));
    }
    CHECK_OK(mmf_queue_send(queue, "hi", 2, 0, NULL));
    CHECK_OK(mmf_queue_reserve(queue, 2, 0, &bytes));
    CHECK_OK(mmf_queue_commit(queue, 2, NULL));
    mmf_queue_close(queue);
}

TEST(a_queue_numbers_its_messages)
{
    check_queue_sequences(0);
    check_queue_sequences(MMF_CHANNEL_SPSC);
}

TEST(a_topic_and_a_value_number_too)
{
    mmf_message message;
    mmf_latest *latest;
    mmf_topic *topic;
    uint64_t sequence;
    uint64_t version;
    size_t length;
    void *bytes;
    char buffer[16];

    CHECK_OK(mmf_topic_create_new("Cat", 16, 4, MMF_OVERFLOW_BLOCK, NULL, &topic));
    CHECK_OK(mmf_latest_create_new("Dog", 16, NULL, &latest));
    for (int i = 0; i < 10; i++) {
        CHECK_OK(mmf_topic_send(topic, "hi", 2, 0, &sequence));
        CHECK_STATUS(mmf_topic_receive(topic, buffer, 16, 0, &length, &message),
                     MMF_OK);
        CHECK_INT(message.sequence, sequence);
        CHECK_OK(mmf_topic_reserve(topic, 2, 0, &bytes));
        CHECK_OK(mmf_topic_commit(topic, 2, &sequence));
        CHECK_STATUS(mmf_topic_take(topic, 0, &message), MMF_OK);
        CHECK_INT(message.sequence, sequence);
        CHECK_OK(mmf_topic_release(topic));
        CHECK_OK(mmf_latest_send(latest, "hi", 2, &sequence));
        CHECK_OK(mmf_latest_receive(latest, buffer, 16, &length, &version));
        CHECK_INT(version, sequence);
        CHECK_OK(mmf_latest_reserve(latest, 2, &bytes));
        CHECK_OK(mmf_latest_commit(latest, 2, &sequence));
        CHECK_STATUS(mmf_latest_take(latest, &message), MMF_OK);
        CHECK_INT(message.sequence, sequence);
        CHECK_OK(mmf_latest_release(latest));
    }
    mmf_latest_close(latest);
    mmf_topic_close(topic);
}

ROLE("make", make_on_request);
