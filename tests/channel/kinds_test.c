/*
 * kinds_test.c - what holds for queue, topic and latest value alike: creating and opening,
 * the number of a message, the identity of a channel.
 */
#include "support.h"

#include <string.h>

/* One kind's calls, with handles as void pointers. Messages have 8 bytes. */
struct kind {
    const char *name;
    int (*create_new)(const char *name, size_t size, void **out);
    int (*create_or_open)(const char *name, size_t size, int *created, void **out);
    int (*open)(const char *name, const mmf_channel_options *options, void **out);
    int (*send)(void *handle, uint64_t number, uint64_t *sequence);
    int (*reserve)(void *handle, void **bytes);
    int (*commit)(void *handle, uint64_t *sequence);
    int (*receive)(void *handle, uint64_t *number, uint64_t *sequence);
    int (*stat)(void *handle, mmf_channel_stats *stats);
    void (*close)(void *handle);
};

enum { CAPACITY = 8 };

#define DEFINE_QUEUE_LIKE(K)                                                           \
    static int K##_create_new(const char *name, size_t size, void **out)               \
    {                                                                                  \
        mmf_##K *handle = NULL;                                                        \
        int rc = mmf_##K##_create_new(name, size, CAPACITY, MMF_OVERFLOW_FAIL, NULL,   \
                                      &handle);                                        \
                                                                                       \
        *out = handle;                                                                 \
        return rc;                                                                     \
    }                                                                                  \
    static int K##_create_or_open(const char *name, size_t size, int *created,         \
                                  void **out)                                          \
    {                                                                                  \
        mmf_##K *handle = NULL;                                                        \
        int rc = mmf_##K##_create_or_open(name, size, CAPACITY, MMF_OVERFLOW_FAIL,     \
                                          NULL, created, &handle);                     \
                                                                                       \
        *out = handle;                                                                 \
        return rc;                                                                     \
    }                                                                                  \
    static int K##_send(void *handle, uint64_t number, uint64_t *sequence)             \
    {                                                                                  \
        return mmf_##K##_send(handle, &number, 8, 0, sequence);                        \
    }                                                                                  \
    static int K##_reserve(void *handle, void **bytes)                                 \
    {                                                                                  \
        return mmf_##K##_reserve(handle, 8, 0, bytes);                                 \
    }                                                                                  \
    static int K##_receive(void *handle, uint64_t *number, uint64_t *sequence)         \
    {                                                                                  \
        mmf_message message = {.sequence = 0};                                         \
        size_t length;                                                                 \
        int rc = mmf_##K##_receive(handle, number, 8, 0, &length, &message);           \
                                                                                       \
        *sequence = message.sequence;                                                  \
        return rc;                                                                     \
    }

#define DEFINE_COMMON(K)                                                               \
    static int K##_open(const char *name, const mmf_channel_options *options,          \
                        void **out)                                                    \
    {                                                                                  \
        mmf_##K *handle = NULL;                                                        \
        int rc = mmf_##K##_open_existing(name, options, &handle);                      \
                                                                                       \
        *out = handle;                                                                 \
        return rc;                                                                     \
    }                                                                                  \
    static int K##_commit(void *handle, uint64_t *sequence)                            \
    {                                                                                  \
        return mmf_##K##_commit(handle, 8, sequence);                                  \
    }                                                                                  \
    static int K##_stat(void *handle, mmf_channel_stats *stats)                        \
    {                                                                                  \
        return mmf_##K##_stat(handle, stats);                                          \
    }                                                                                  \
    static void K##_close(void *handle)                                                \
    {                                                                                  \
        mmf_##K##_close(handle);                                                       \
    }                                                                                  \
    static const struct kind K##_kind = {                                              \
        #K,          K##_create_new, K##_create_or_open, K##_open, K##_send,           \
        K##_reserve, K##_commit,     K##_receive,        K##_stat, K##_close};

static int
latest_create_new(const char *name, size_t size, void **out)
{
    mmf_latest *handle = NULL;
    int rc = mmf_latest_create_new(name, size, NULL, &handle);

    *out = handle;
    return rc;
}

static int
latest_create_or_open(const char *name, size_t size, int *created, void **out)
{
    mmf_latest *handle = NULL;
    int rc = mmf_latest_create_or_open(name, size, NULL, created, &handle);

    *out = handle;
    return rc;
}

static int
latest_send(void *handle, uint64_t number, uint64_t *version)
{
    return mmf_latest_send(handle, &number, 8, version);
}

static int
latest_reserve(void *handle, void **bytes)
{
    return mmf_latest_reserve(handle, 8, bytes);
}

static int
latest_receive(void *handle, uint64_t *number, uint64_t *version)
{
    size_t length;

    return mmf_latest_receive(handle, number, 8, &length, version);
}

DEFINE_QUEUE_LIKE(queue)
DEFINE_COMMON(queue)
DEFINE_QUEUE_LIKE(topic)
DEFINE_COMMON(topic)
DEFINE_COMMON(latest)

static const struct kind *const kinds[] = {&queue_kind, &topic_kind, &latest_kind};

static void
for_all(void (*run)(const struct kind *kind))
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        CHECK_CONTEXT("%s", kinds[i]->name);
        run(kinds[i]);
    }
}

static mmf_channel_stats
counters_of(const struct kind *kind, void *handle)
{
    mmf_channel_stats stats;

    CHECK_OK(kind->stat(handle, &stats));
    return stats;
}

static void
create_new(const struct kind *kind)
{
    void *first, *second;

    CHECK_OK(kind->create_new("C", 8, &first));
    CHECK_FAILS(kind->create_new("C", 8, &second), MMF_E_EXISTS);
    CHECK_FAILS(kind->create_new("C", 9, &second), MMF_E_EXISTS);
    CHECK(second == NULL);
    CHECK_INT(counters_of(kind, first).senders, 1);
    kind->close(first);
    CHECK_OK(kind->create_new("C", 9, &second));
    CHECK_INT(counters_of(kind, second).message_size, 9);
    kind->close(second);
}

static void
a_new_one_needs_a_free_name(void **state)
{
    (void)state;
    for_all(create_new);
}

static void
create_or_open(const struct kind *kind)
{
    void *first, *second;
    int created = -7;
    mmf_error error;

    CHECK_OK(kind->create_or_open("C", 8, &created, &first));
    CHECK_INT(created, 1);
    CHECK_OK(kind->create_or_open("C", 8, &created, &second));
    CHECK_INT(created, 0);
    kind->close(second);
    CHECK_OK(kind->create_or_open("C", 8, NULL, &second));
    kind->close(second);
    created = -7;
    CHECK_FAILS(kind->create_or_open("C", 77, &created, &second), MMF_E_MISMATCH);
    mmf_last_error(&error);
    CHECK(strstr(error.message, "77") != NULL && strstr(error.message, " 8;") != NULL);
    CHECK(second == NULL);
    CHECK_INT(created, -7);
    CHECK_INT(counters_of(kind, first).senders, 1);
    kind->close(first);
}

static void
an_existing_one_has_the_same_sizes(void **state)
{
    (void)state;
    for_all(create_or_open);
}

static void
wrong_kind(const struct kind *kind)
{
    void *handle;
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("C", 10, NULL, &map));
    CHECK_FAILS(kind->create_new("C", 8, &handle), MMF_E_WRONG_KIND);
    CHECK_FAILS(kind->create_or_open("C", 8, NULL, &handle), MMF_E_WRONG_KIND);
    CHECK_FAILS(kind->open("C", NULL, &handle), MMF_E_WRONG_KIND);
    CHECK(handle == NULL);
    mmf_map_close(map);
}

static void
the_name_may_belong_to_a_map(void **state)
{
    (void)state;
    for_all(wrong_kind);
}

static void
wait_for_no_name(const struct kind *kind)
{
    mmf_channel_options options = {.size = sizeof(options), .wait_ms = 60};
    int64_t begin = now_us();
    void *handle;

    CHECK_FAILS(kind->open("C", &options, &handle), MMF_E_NOT_FOUND);
    CHECK(now_us() - begin >= 60000);
    options.wait_ms = 0;
    CHECK_FAILS(kind->open("C", &options, &handle), MMF_E_NOT_FOUND);
    options.wait_ms = -2;
    CHECK_FAILS_PARAM(kind->open("C", &options, &handle), MMF_E_RANGE, "wait_ms");
    CHECK(handle == NULL);
}

static void
opening_waits_as_long_as_asked(void **state)
{
    (void)state;
    for_all(wait_for_no_name);
}

static void
opening_waits_for_the_name(void **state)
{
    mmf_channel_options options = {
        .size = sizeof(options), .role = MMF_ROLE_RECEIVE, .wait_ms = LONG_MS};
    struct process *peer = peer_start();
    mmf_queue *queue;
    mmf_topic *topic;
    mmf_latest *latest;

    (void)state;
    peer_begins(peer, "create 1 0 0 8 8 1");
    CHECK_OK(mmf_queue_open_existing("Q", &options, &queue));
    process_expect(peer, "MMF_OK new");
    peer_begins(peer, "topic create 1 8 1");
    CHECK_OK(mmf_topic_open_existing("T", &options, &topic));
    process_expect(peer, "MMF_OK new");
    peer_begins(peer, "latest create 1");
    CHECK_OK(mmf_latest_open_existing("L", &options, &latest));
    process_expect(peer, "MMF_OK new");
    mmf_queue_close(queue);
    mmf_topic_close(topic);
    mmf_latest_close(latest);
    peer_end(peer);
}

/* The sender learns the number that the receiver gets; numbers grow. */
static void
sequences(const struct kind *kind)
{
    uint64_t sent = 0, got, number, before = 0;
    void *handle, *bytes;

    CHECK_OK(kind->create_new("C", 8, &handle));
    for (uint64_t i = 1; i <= 3 * CAPACITY; i++) {
        if (i % 2 == 0) {
            CHECK_OK(kind->send(handle, i, &sent));
        } else {
            CHECK_OK(kind->reserve(handle, &bytes));
            memcpy(bytes, &i, 8);
            CHECK_OK(kind->commit(handle, &sent));
        }
        CHECK_OK(kind->receive(handle, &number, &got));
        CHECK_INT(number, i);
        CHECK_INT(got, sent);
        CHECK(i == 1 || sent > before);
        before = sent;
    }
    CHECK_OK(kind->send(handle, 1, NULL));
    kind->close(handle);
}

static void
the_sender_learns_the_number_of_its_message(void **state)
{
    (void)state;
    for_all(sequences);
}

/* Only a successful commit writes the number. */
static void
failed_commits(const struct kind *kind)
{
    uint64_t sequence = 77;
    void *handle;

    CHECK_OK(kind->create_new("C", 8, &handle));
    CHECK_FAILS(kind->commit(handle, &sequence), MMF_E_STATE);
    CHECK_INT(sequence, 77);
    kind->close(handle);
}

static void
a_failed_commit_has_no_number(void **state)
{
    (void)state;
    for_all(failed_commits);
}

static void
identities(const struct kind *kind)
{
    static const uint8_t none[16];
    mmf_channel_stats first, second, by_name;
    void *handle, *other;

    CHECK_OK(kind->create_new("C", 8, &handle));
    CHECK_OK(kind->open("C", NULL, &other));
    first = counters_of(kind, handle);
    second = counters_of(kind, other);
    CHECK_OK(mmf_channel_stat("C", &by_name));
    CHECK(memcmp(first.identity, none, 16) != 0);
    CHECK_BYTES(second.identity, first.identity, 16);
    CHECK_BYTES(by_name.identity, first.identity, 16);
    CHECK_INT(first.max_senders, 64);
    CHECK_INT(first.max_receivers, 64);
    for (size_t i = 0; i < COUNT_OF(first.reserved); i++)
        CHECK_INT(first.reserved[i], 0);
    kind->close(handle);
    kind->close(other);
    CHECK_OK(kind->create_new("C", 8, &handle));
    second = counters_of(kind, handle);
    CHECK(memcmp(second.identity, first.identity, 16) != 0);
    kind->close(handle);
}

static void
a_name_made_anew_has_another_identity(void **state)
{
    (void)state;
    for_all(identities);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_needs_a_free_name),
        cmocka_unit_test(an_existing_one_has_the_same_sizes),
        cmocka_unit_test(the_name_may_belong_to_a_map),
        cmocka_unit_test(opening_waits_as_long_as_asked),
        cmocka_unit_test(opening_waits_for_the_name),
        cmocka_unit_test(the_sender_learns_the_number_of_its_message),
        cmocka_unit_test(a_failed_commit_has_no_number),
        cmocka_unit_test(a_name_made_anew_has_another_identity),
    };
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};

    return harness_main(argc, argv, "channel_kinds", tests, COUNT_OF(tests), roles);
}
