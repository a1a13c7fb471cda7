/*
 * threads_test.c - many threads of one process on the same names. Run it under the
 * thread sanitizer.
 */
#include "children.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 8, NAMES = 3 };

static int rounds;

/*
 * The first user of an object writes its number at the front; every user that finds
 * another number there writes that again. So what is not 0 is one number all over.
 */
static void
use_map(mmf_map *map, uint64_t mine)
{
    mmf_accessor *view;
    _Atomic uint64_t *words;
    uint64_t number = 0;
    void *bytes;
    size_t size, i;

    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_pointer(view, &bytes, &size));
    words = bytes;
    if (atomic_compare_exchange_strong(&words[0], &number, mine))
        number = mine;
    for (i = 0; i < size / 8; i += 61) {
        uint64_t word = atomic_load(&words[i]);

        if (word != 0 && word != number)
            CHECK_FAIL("word %d is another object's", (int)i);
        atomic_store(&words[i], number);
    }
    mmf_accessor_close(view);
}

static void *
churn(void *argument)
{
    uint64_t me = (uint64_t)(uintptr_t)argument;
    uint64_t state = me * 0x9e3779b97f4a7c15u;
    int i;

    for (i = 0; i < rounds; i++) {
        static const char *const names[] = {"one", "Global\\two", "Local\\three"};
        const char *name;
        mmf_map *map = NULL;
        int rc;

        state = state * 6364136223846793005u + 1442695040888963407u;
        name = names[(state >> 33) % NAMES];
        switch ((state >> 40) % 3) {
        case 0:
            rc = mmf_map_create_new(name, 5000, NULL, &map);
            if (rc != MMF_OK && rc != MMF_E_EXISTS)
                CHECK_OK(rc);
            break;
        case 1:
            rc = mmf_map_create_or_open(name, 5000, NULL, NULL, &map);
            CHECK_OK(rc);
            break;
        default:
            rc = mmf_map_open_existing(name, NULL, &map);
            if (rc != MMF_OK && rc != MMF_E_NOT_FOUND)
                CHECK_OK(rc);
            break;
        }
        if (rc == MMF_OK)
            use_map(map, me << 32 | (uint64_t)(i + 1));
        else
            CHECK(mmf_last_message()[0] != '\0'); /* each thread has its own */
        mmf_map_close(map);
    }
    return NULL;
}

static void
run_threads(void *(*run)(void *))
{
    pthread_t threads[THREADS];
    uintptr_t i;

    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, run, (void *)(i + 1)) == 0);
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

TEST(threads_open_and_close_the_same_names)
{
    rounds = harness_long() ? 50000 : HARNESS_TSAN || HARNESS_ASAN ? 1000 : 4000;
    run_threads(churn);
    CHECK_INT(count_files(NULL, 0), 0);
}

/* One winner per round, and all see the winner's bytes. */
static pthread_barrier_t barrier;
static _Atomic int winners;

static void *
race(void *argument)
{
    int i;

    (void)argument;
    for (i = 0; i < 200; i++) {
        mmf_map *map = NULL;
        int rc;

        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            atomic_store(&winners, 0);
        pthread_barrier_wait(&barrier);
        rc = mmf_map_create_new("race", 100, NULL, &map);
        if (rc == MMF_OK)
            atomic_fetch_add(&winners, 1);
        else if (rc != MMF_E_EXISTS)
            CHECK_OK(rc);
        pthread_barrier_wait(&barrier);
        CHECK_INT(atomic_load(&winners), 1);
        mmf_map_close(map);
    }
    return NULL;
}

TEST(racing_threads_have_one_winner)
{
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    run_threads(race);
    pthread_barrier_destroy(&barrier);
    CHECK_INT(count_files(NULL, 0), 0);
}

/* One handle, many threads: views come and go while others list and collect. */
static mmf_map *common;

static void *
make_views(void *argument)
{
    uint64_t me = (uint64_t)(uintptr_t)argument;
    int i;

    for (i = 0; i < 300; i++) {
        int64_t capacity;
        mmf_list *list;

        use_map(common, 1);
        CHECK_OK(mmf_map_capacity(common, &capacity));
        CHECK_INT(capacity, 10000);
        if (me == 1 && i % 10 == 0) {
            CHECK_OK(mmf_list_create(0, &list));
            CHECK_INT(mmf_list_count(list), 1);
            CHECK_INT(mmf_list_get(list, 0)->status, MMF_OBJECT_IN_USE);
            mmf_list_close(list);
        } else if (me == 2 && i % 10 == 0) {
            mmf_gc_result collected;

            CHECK_OK(mmf_gc(0, &collected));
            CHECK_INT(collected.in_use, 1);
        }
    }
    return NULL;
}

TEST(one_handle_serves_many_threads)
{
    CHECK_OK(mmf_map_create_new("common", 10000, NULL, &common));
    run_threads(make_views);
    mmf_map_close(common);
}
