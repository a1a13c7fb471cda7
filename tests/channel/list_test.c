/*
 * list_test.c - channels in a list of all objects; how long their names may be, how much
 * memory they take, and that each has an identity of its own.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { SEND = MMF_ROLE_SEND, RECEIVE = MMF_ROLE_RECEIVE };

/* The object of that name; NULL: it is not there. */
static const mmf_object_info *
find(const mmf_list *list, const char *name)
{
    for (int32_t i = 0; i < mmf_list_count(list); i++)
        if (strcmp(mmf_list_get(list, i)->name, name) == 0)
            return mmf_list_get(list, i);
    return NULL;
}

static const mmf_channel_stats *
counters_of(const mmf_list *list, const char *name, mmf_kind kind)
{
    const mmf_object_info *info = find(list, name);

    CHECK(info != NULL);
    CHECK_INT(info->kind, kind);
    CHECK_INT(info->status, MMF_OBJECT_IN_USE);
    return info->channel;
}

TEST(a_list_has_the_counters)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, 0, 8, 4, MMF_OVERFLOW_DROP_OLDEST);
    const mmf_channel_stats *listed;
    mmf_channel_stats stats;
    mmf_topic *topic;
    mmf_latest *latest;
    mmf_list *list;

    CHECK_OK(
        mmf_topic_create_or_open("T", 16, 2, MMF_OVERFLOW_BLOCK, NULL, NULL, &topic));
    CHECK_OK(mmf_latest_create_or_open("L", 32, NULL, NULL, &latest));
    for (uint64_t i = 0; i < 6; i++)
        send_number(queue, i);
    expect_number(queue, 2);
    CHECK_STATUS(mmf_topic_send(topic, "1", 1, 0, NULL), MMF_OK);
    CHECK_OK(mmf_latest_send(latest, "1", 1, NULL));
    CHECK_OK(mmf_list_create(0, &list));
    listed = counters_of(list, "Q", MMF_KIND_QUEUE);
    CHECK(listed != NULL);
    CHECK_INT(listed->sent, 6);
    CHECK_INT(listed->received, 1);
    CHECK_INT(listed->dropped, 2);
    CHECK_INT(listed->depth, 3);
    CHECK_INT(listed->senders, 1);
    CHECK_INT(listed->receivers, 1);
    stats = stats_of(queue); /* who looks does not count, and says the same */
    CHECK_BYTES(listed, &stats, sizeof(stats));
    listed = counters_of(list, "T", MMF_KIND_TOPIC);
    CHECK(listed != NULL);
    CHECK_INT(listed->message_size, 16);
    CHECK_INT(listed->sent, 1);
    CHECK_INT(listed->depth, 1);
    listed = counters_of(list, "L", MMF_KIND_LATEST);
    CHECK(listed != NULL);
    CHECK_INT(listed->message_size, 32);
    CHECK_INT(listed->sent, 1);
    mmf_queue_close(queue);
    mmf_topic_close(topic);
    mmf_latest_close(latest);
    /* The list is a copy. */
    CHECK_INT(counters_of(list, "Q", MMF_KIND_QUEUE)->sent, 6);
    mmf_list_close(list);
}

TEST(other_kinds_have_none)
{
    mmf_mutex *mutex;
    mmf_list *list;
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("Map", 100, NULL, &map));
    CHECK_OK(mmf_mutex_create_or_open("Mutex", 0, NULL, NULL, &mutex));
    CHECK_OK(mmf_list_create(0, &list));
    CHECK(counters_of(list, "Map", MMF_KIND_MAP) == NULL);
    CHECK(counters_of(list, "Mutex", MMF_KIND_MUTEX) == NULL);
    mmf_list_close(list);
    mmf_mutex_close(mutex);
    mmf_map_close(map);
}

/* To look at a dead one's counters it would have to be opened, which removes it. */
TEST(a_dead_one_has_none_and_stays)
{
    struct process *peer;

    if (kernel_has_names())
        harness_skip("on Windows nothing is dead: the kernel removes it");
    peer = peer_start();
    peer_answers(peer, "MMF_OK new", "create 3 0 0 8 8 %d", MMF_OVERFLOW_BLOCK);
    process_kill(peer);
    for (int i = 0; i < 2; i++) {
        const mmf_object_info *info;
        mmf_list *list;

        CHECK_OK(mmf_list_create(MMF_LIST_KEEP_ORPHANED, &list));
        info = find(list, "Q");
        CHECK(info != NULL);
        CHECK_INT(info->status, MMF_OBJECT_ORPHANED);
        CHECK(info->channel == NULL);
        mmf_list_close(list);
    }
    CHECK_OK(mmf_gc(0, NULL));
}

TEST(a_name_has_its_limits)
{
    size_t too_long = longest_name() + 1;
    char *name = malloc(too_long + 1);
    mmf_queue *queue = UNTOUCHED;

    CHECK(name != NULL);
    memset(name, 'x', too_long);
    name[too_long] = '\0';
    CHECK_FAILS(mmf_queue_create_new(name, 8, 8, MMF_OVERFLOW_BLOCK, NULL, &queue),
                MMF_E_PATH_TOO_LONG);
    CHECK_FAILS(mmf_queue_open_existing(name, NULL, &queue), MMF_E_PATH_TOO_LONG);
    CHECK(queue == UNTOUCHED);
    name[too_long - 1] = '\0';
    CHECK_OK(mmf_queue_create_new(name, 8, 8, MMF_OVERFLOW_BLOCK, NULL, &queue));
    mmf_queue_close(queue);
    mmf_channel_options_init(NULL);
    free(name);
}

TEST(the_list_has_it)
{
    const mmf_object_info *info;
    mmf_list *before, *list;
    mmf_queue *queue;

    CHECK_OK(mmf_list_create(0, &before));
    queue = new_queue(SEND, 0, 100, 100, MMF_OVERFLOW_BLOCK);
    CHECK_OK(mmf_list_create(0, &list));
    CHECK_INT(mmf_list_count(list), mmf_list_count(before) + 1);
    CHECK(counters_of(list, "Q", MMF_KIND_QUEUE) != NULL);
    info = find(list, "Q");
    CHECK_TEXT(mmf_kind_name(info->kind), "queue");
    CHECK_INT(info->holders, 1);
    CHECK(info->creator_pid > 0);
    CHECK(info->created > 0);
    CHECK(info->sync == NULL);
    /* 1,664 bytes and two tables of 64 entries, to the page; 128 slots of 256 bytes. */
    CHECK_INT(info->capacity, 20480 + 128 * 256);
    mmf_list_close(list);
    mmf_list_close(before);
    mmf_queue_close(queue);
}

TEST(the_file_has_the_creators_mode)
{
    mmf_queue *queue;
    mmf_list *list;

    need_modes();
    CHECK_OK(mmf_queue_create_new("Q", 8, 8, MMF_OVERFLOW_BLOCK,
                                  CHANNEL_OPTIONS(.role = SEND, .mode = 0640), &queue));
    CHECK_OK(mmf_list_create(0, &list));
    CHECK_INT(find(list, "Q")->mode, 0640);
    mmf_list_close(list);
    mmf_queue_close(queue);
}

/* Two handles of a channel and its name have one identity; one made anew has another. */
#define CHECK_IDENTITY(K, ...)                                                         \
    do {                                                                               \
        mmf_channel_stats first, second, by_name;                                      \
        mmf_##K *one, *other;                                                          \
                                                                                       \
        CHECK_OK(mmf_##K##_create_new("C", __VA_ARGS__, NULL, &one));                  \
        CHECK_OK(mmf_##K##_open_existing("C", NULL, &other));                          \
        CHECK_OK(mmf_##K##_stat(one, &first));                                         \
        CHECK_OK(mmf_##K##_stat(other, &second));                                      \
        CHECK_OK(mmf_channel_stat("C", &by_name));                                     \
        CHECK(memcmp(first.identity, none, 16) != 0);                                  \
        CHECK_BYTES(second.identity, first.identity, 16);                              \
        CHECK_BYTES(by_name.identity, first.identity, 16);                             \
        for (size_t i = 0; i < COUNT_OF(first.reserved); i++)                          \
            CHECK_INT(first.reserved[i], 0);                                           \
        mmf_##K##_close(one);                                                          \
        mmf_##K##_close(other);                                                        \
        CHECK_OK(mmf_##K##_create_new("C", __VA_ARGS__, NULL, &one));                  \
        CHECK_OK(mmf_##K##_stat(one, &second));                                        \
        CHECK(memcmp(second.identity, first.identity, 16) != 0);                       \
        mmf_##K##_close(one);                                                          \
    } while (0)

TEST(a_name_made_anew_has_another_identity)
{
    static const uint8_t none[16];

    CHECK_IDENTITY(queue, 8, 8, MMF_OVERFLOW_FAIL);
    CHECK_IDENTITY(topic, 8, 8, MMF_OVERFLOW_FAIL);
    CHECK_IDENTITY(latest, 8);
}

TEST(the_size_is_known_before)
{
    const mmf_channel_options *pins = CHANNEL_OPTIONS(.max_pins = 2);
    int64_t bytes = 0, more = 0;
    const size_t frame = 1920 * 1080 * 3;

    CHECK_OK(mmf_channel_size(MMF_KIND_QUEUE, 1000, 100, NULL, &bytes));
    CHECK(bytes > 128 * 1000 && bytes < 128 * 1000 + 200000);
    CHECK_OK(mmf_channel_size(MMF_KIND_LATEST, frame, 0, NULL, &bytes));
    CHECK(bytes > 8 * (int64_t)frame && bytes < 9 * (int64_t)frame);
    CHECK_OK(mmf_channel_size(MMF_KIND_LATEST, frame, 0, pins, &more));
    CHECK(more > 4 * (int64_t)frame && more < 5 * (int64_t)frame);
    CHECK_OK(mmf_channel_size(MMF_KIND_TOPIC, frame, 1, pins, &bytes));
    CHECK_INT(bytes, more);
    CHECK_FAILS_PARAM(mmf_channel_size(MMF_KIND_MAP, 8, 8, NULL, &bytes), MMF_E_INVALID,
                      "kind");
    CHECK_FAILS_PARAM(mmf_channel_size(MMF_KIND_QUEUE, 0, 8, NULL, &bytes), MMF_E_RANGE,
                      "message_size");
    CHECK_FAILS_PARAM(mmf_channel_size(MMF_KIND_QUEUE, 8, 0, NULL, &bytes), MMF_E_RANGE,
                      "capacity");
    CHECK_FAILS_PARAM(mmf_channel_size(MMF_KIND_QUEUE, 8, 8, NULL, NULL), MMF_E_NULL,
                      "bytes");
    CHECK_INT(bytes, more);
}
