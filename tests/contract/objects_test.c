/*
 * objects_test.c - what scenarios cannot say: what threads do at once, with one accessor
 * without locks (rule 4.7) and with the whole of a map, which is mapped once (rule B.1); and
 * that a channel's identity is its own (rule K.7).
 */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

struct worker {
    pthread_t thread;
    mmf_accessor *view;
    int64_t position;
};

static void *
count_up(void *payload)
{
    struct worker *worker = payload;
    int32_t i, value;

    for (i = 1; i <= 10000; i++) {
        CHECK_OK(mmf_accessor_write_int32(worker->view, worker->position, i));
        CHECK_OK(mmf_accessor_read_int32(worker->view, worker->position, &value));
        CHECK_INT(value, i);
    }
    return NULL;
}

TEST(rule_4_7_threads)
{
    struct worker workers[4];
    mmf_accessor *view;
    size_t i;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    view = view_of(map, MMF_ACCESS_READ_WRITE);
    for (i = 0; i < COUNT_OF(workers); i++) {
        workers[i].view = view;
        workers[i].position = (int64_t)i * 4;
        CHECK(pthread_create(&workers[i].thread, NULL, count_up, &workers[i]) == 0);
    }
    for (i = 0; i < COUNT_OF(workers); i++)
        pthread_join(workers[i].thread, NULL);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/*
 * Several threads ask for a whole map at once: they get one mapping.
 */

enum { ASKERS = 2, ROUNDS = 1000 };

struct asker {
    _Atomic int *arrived;
    mmf_map *map;
    void *bytes;
};

/* Spinning: a barrier that sleeps lets one thread go long before the other. */
static void *
ask_for_bytes(void *payload)
{
    struct asker *asker = payload;
    size_t size;

    atomic_fetch_add(asker->arrived, 1);
    while (atomic_load(asker->arrived) < ASKERS)
        sched_yield();
    CHECK_OK(mmf_map_bytes(asker->map, MMF_ACCESS_READ_WRITE, &asker->bytes, &size));
    return NULL;
}

static void
map_once(mmf_map *map)
{
    struct asker askers[ASKERS];
    pthread_t threads[ASKERS];
    _Atomic int arrived = 0;

    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.arrived = &arrived, .map = map};
        CHECK(pthread_create(&threads[i], NULL, ask_for_bytes, &askers[i]) == 0);
    }
    for (int i = 0; i < ASKERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 1; i < ASKERS; i++)
        CHECK(askers[i].bytes == askers[0].bytes);
}

TEST(threads_map_a_map_once)
{
    for (int round = 0; round < ROUNDS; round++) {
        mmf_map *map = create_new(NULL, 4096, NULL);

        map_once(map);
        mmf_map_close(map);
    }
}

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
