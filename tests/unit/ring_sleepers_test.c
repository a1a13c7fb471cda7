/*
 * ring_sleepers_test.c - each counted sleeper gets a token, and no other; with threads
 * and a real semaphore no thread sleeps on when the doorbell was rung.
 */
#include "harness/check.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "shared/ring/sleepers.h"

enum { THREADS = 4, RINGS = HARNESS_TSAN ? 2000 : 20000 };

TEST(claims_take_who_is_there)
{
    mmf_atomic_u32 count = 0, doorbell = 4;

    CHECK_INT(mmf_sleepers_claim(&count, 5), 0);
    for (int i = 0; i < 3; i++)
        CHECK(mmf_sleepers_enter(&count, &doorbell, 4));
    CHECK_INT(mmf_sleepers_claim(&count, 2), 2);
    CHECK_INT(mmf_sleepers_claim(&count, 2), 1);
    CHECK_INT(mmf_sleepers_claim(&count, 2), 0);
}

TEST(who_comes_after_the_ring_is_told)
{
    mmf_atomic_u32 count = 0, doorbell = 8;

    CHECK(!mmf_sleepers_enter(&count, &doorbell, 4));
    CHECK_INT(count, 1); /* a ring may have counted it off already */
    CHECK(mmf_sleepers_leave(&count));
    CHECK_INT(count, 0);
}

TEST(who_was_counted_off_waits_for_its_token)
{
    mmf_atomic_u32 count = 0, doorbell = 4;

    CHECK(mmf_sleepers_enter(&count, &doorbell, 4));
    CHECK_INT(mmf_sleepers_claim(&count, 1), 1);
    CHECK(!mmf_sleepers_leave(&count));
    CHECK_INT(count, 0);
}

/* Marks do not count; each ring takes the other turn. */
TEST(turns_alternate)
{
    for (uint32_t doorbell = 0; doorbell < 64; doorbell++)
        CHECK_INT(mmf_sleepers_turn(doorbell), doorbell / 4 % 2);
    CHECK_INT(mmf_sleepers_turn(UINT32_MAX), 1);
}

/*
 * One rings for every number, and waits until all have seen it; the others sleep until
 * they see it. No tick: a wake-up that is lost hangs the test.
 */
struct hall {
    mmf_atomic_u32 doorbell;
    mmf_atomic_u32 number;
    sem_t seen;
    struct mmf_sleepers_shared sleepers;
    sem_t tokens[MMF_SLEEPERS_TURNS];
};

static void
wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        ;
}

static void
sleep_at(struct hall *hall, uint32_t expected)
{
    uint32_t turn = mmf_sleepers_turn(expected);

    if (mmf_sleepers_enter(&hall->sleepers.count[turn], &hall->doorbell, expected)) {
        wait_for(&hall->tokens[turn]);
        return;
    }
    if (!mmf_sleepers_leave(&hall->sleepers.count[turn]))
        wait_for(&hall->tokens[turn]);
}

static void *
watch(void *argument)
{
    struct hall *hall = argument;
    uint32_t seen = 0;

    while (seen < RINGS) {
        uint32_t doorbell = mmf_load_acquire_u32(&hall->doorbell);

        if (mmf_load_acquire_u32(&hall->number) == seen) {
            sleep_at(hall, doorbell);
        } else {
            seen++;
            sem_post(&hall->seen);
        }
    }
    return NULL;
}

static void
ring(struct hall *hall)
{
    mmf_add_release_u32(&hall->doorbell, MMF_DOORBELL_RING);
    for (uint32_t turn = 0; turn < MMF_SLEEPERS_TURNS; turn++) {
        uint32_t claimed = mmf_sleepers_claim(&hall->sleepers.count[turn], THREADS);

        while (claimed-- > 0)
            sem_post(&hall->tokens[turn]);
    }
}

TEST(no_thread_sleeps_on)
{
    static struct hall hall;
    pthread_t threads[THREADS];

    memset(&hall, 0, sizeof(hall));
    CHECK_INT(sem_init(&hall.seen, 0, 0), 0);
    for (int turn = 0; turn < MMF_SLEEPERS_TURNS; turn++)
        CHECK_INT(sem_init(&hall.tokens[turn], 0, 0), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, watch, &hall), 0);
    for (uint32_t number = 1; number <= RINGS; number++) {
        mmf_store_release_u32(&hall.number, number);
        ring(&hall);
        for (int i = 0; i < THREADS; i++)
            wait_for(&hall.seen);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    sem_destroy(&hall.seen);
    for (int turn = 0; turn < MMF_SLEEPERS_TURNS; turn++) {
        int left = -1;

        CHECK_INT(hall.sleepers.count[turn], 0);
        sem_getvalue(&hall.tokens[turn], &left);
        CHECK_INT(left, 0);
        sem_destroy(&hall.tokens[turn]);
    }
}
