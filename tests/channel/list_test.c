/*
 * list_test.c - the counters of channels in a list of all objects.
 */
#include "support.h"

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

static void
a_list_has_the_counters(void **state)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, 0, 8, 4, MMF_OVERFLOW_DROP_OLDEST);
    const mmf_channel_stats *listed;
    mmf_channel_stats stats;
    mmf_topic *topic;
    mmf_latest *latest;
    mmf_list *list;

    (void)state;
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

static void
other_kinds_have_none(void **state)
{
    mmf_mutex *mutex;
    mmf_list *list;
    mmf_map *map;

    (void)state;
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
static void
a_dead_one_has_none_and_stays(void **state)
{
    struct process *peer;

    (void)state;
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

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_has_the_counters),
        cmocka_unit_test(other_kinds_have_none),
        cmocka_unit_test(a_dead_one_has_none_and_stays),
    };
    const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};

    return harness_main(argc, argv, "channel.list", tests, COUNT_OF(tests), roles);
}
