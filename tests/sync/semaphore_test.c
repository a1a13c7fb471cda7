/*
 * semaphore_test.c - Semaphore: rule 7.4.
 */
#include "support.h"

#include <limits.h>
#include <string.h>

static void
take(mmf_semaphore *semaphore)
{
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_OK);
}

static void
is_empty(mmf_semaphore *semaphore)
{
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_TIMED_OUT);
}

/* Release, and the count before must be `expected`. */
static void
give(mmf_semaphore *semaphore, int32_t count, int32_t expected)
{
    int32_t previous = -7;

    CHECK_STATUS(mmf_semaphore_release(semaphore, count, &previous), MMF_OK);
    CHECK_INT(previous, expected);
}

static void
refuse_give(mmf_semaphore *semaphore, int32_t count)
{
    int32_t previous = -7;

    CHECK_FAILS_PARAM(mmf_semaphore_release(semaphore, count, &previous), MMF_E_MAXIMUM,
                      "");
    CHECK_INT(previous, -7);
    CHECK_FAILS(mmf_semaphore_release(semaphore, count, NULL), MMF_E_MAXIMUM);
}

static void
counts(const char *name)
{
    static const int32_t rows[][2] = {{0, 1}, {1, 1}, {0, 3}, {2, 3}, {3, 3}, {5, 10}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int32_t initial = rows[i][0], maximum = rows[i][1];
        mmf_semaphore *semaphore = new_semaphore(name, initial, maximum);

        for (int32_t n = 0; n < initial; n++)
            take(semaphore);
        is_empty(semaphore);
        CHECK_STATUS(mmf_semaphore_wait(semaphore, SHORT_MS), MMF_TIMED_OUT);
        for (int32_t n = 0; n < maximum; n++)
            give(semaphore, 1, n);
        refuse_give(semaphore, 1);
        for (int32_t n = 0; n < maximum; n++)
            take(semaphore);
        is_empty(semaphore);
        give(semaphore, maximum, 0);
        mmf_semaphore_close(semaphore);
    }
}

static void
rule_7_4_counts(void **state)
{
    (void)state;
    for_each_name(counts);
}

/* Nothing is released, not even the part for which there is room. */
static void
over_release(const char *name)
{
    mmf_semaphore *semaphore = new_semaphore(name, 1, 3);

    for (int i = 0; i < 3; i++) {
        refuse_give(semaphore, 3);
        refuse_give(semaphore, INT32_MAX);
    }
    give(semaphore, 2, 1);
    refuse_give(semaphore, 1);
    for (int i = 0; i < 3; i++)
        take(semaphore);
    is_empty(semaphore);
    refuse_give(semaphore, 4);
    is_empty(semaphore);
    mmf_semaphore_close(semaphore);
}

static void
rule_7_4_over_release_changes_nothing(void **state)
{
    (void)state;
    for_each_name(over_release);
}

static void
largest(const char *name)
{
    mmf_semaphore *semaphore = new_semaphore(name, INT32_MAX, INT32_MAX);

    refuse_give(semaphore, 1);
    refuse_give(semaphore, INT32_MAX);
    take(semaphore);
    give(semaphore, 1, INT32_MAX - 1);
    mmf_semaphore_close(semaphore);
    semaphore = new_semaphore(name, 0, INT32_MAX);
    give(semaphore, INT32_MAX, 0);
    refuse_give(semaphore, 1);
    take(semaphore);
    take(semaphore);
    refuse_give(semaphore, 3);
    give(semaphore, 2, INT32_MAX - 2);
    mmf_semaphore_close(semaphore);
}

static void
rule_7_4_the_largest_maximum(void **state)
{
    (void)state;
    for_each_name(largest);
}

/* Opening ignores the counts; those of the creator hold. */
static void
rule_7_4_opening_ignores_the_counts(void **state)
{
    static const int32_t others[][2] = {{0, 1}, {1, 1}, {100, 100}, {0, INT32_MAX}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        mmf_semaphore *one = new_semaphore("Cat", 2, 3), *other = NULL;
        int created = -7;

        CHECK_OK(mmf_semaphore_create_or_open("Cat", others[i][0], others[i][1], NULL,
                                              &created, &other));
        CHECK_INT(created, 0);
        give(other, 1, 2);
        refuse_give(other, 1);
        for (int n = 0; n < 3; n++)
            take(n % 2 == 0 ? one : other);
        is_empty(one);
        is_empty(other);
        mmf_semaphore_close(one);
        mmf_semaphore_close(other);
    }
    /* But they are looked at. */
    {
        mmf_semaphore *one = new_semaphore("Cat", 2, 3), *other = UNTOUCHED;

        CHECK_FAILS_PARAM(mmf_semaphore_create_or_open("Cat", 2, 1, NULL, NULL, &other),
                          MMF_E_INVALID, "");
        CHECK(other == UNTOUCHED);
        mmf_semaphore_close(one);
    }
}

/* Each release lets as many through as it says. */
static void
waiters(const char *name)
{
    enum { WAITERS = 6 };
    mmf_semaphore *semaphore = new_semaphore(name, 0, WAITERS);
    struct worker *workers[WAITERS];
    int through = 0;

    for (int i = 0; i < WAITERS; i++) {
        workers[i] = worker_start();
        worker_begin(workers[i], job_wait_forever, W(semaphore));
        worker_await_sleep(workers[i]);
    }
    for (int count = 1; count <= 3; count++) {
        int64_t deadline = now_us() + LONG_MS * 1000;
        int released;

        through += count;
        CHECK_OK(mmf_semaphore_release(semaphore, count, NULL));
        do {
            released = 0;
            for (int i = 0; i < WAITERS; i++)
                released += !worker_is_busy(workers[i]);
            CHECK(now_us() < deadline);
        } while (released < through);
        CHECK_INT(released, through);
        is_empty(semaphore);
    }
    for (int i = 0; i < WAITERS; i++) {
        CHECK_INT(worker_result(workers[i]), MMF_OK);
        worker_end(workers[i]);
    }
    give(semaphore, WAITERS, 0);
    mmf_semaphore_close(semaphore);
}

static void
rule_7_4_a_release_lets_as_many_through(void **state)
{
    (void)state;
    for_each_name(waiters);
}

/* A count has no owner: any process may release. */
static void
rule_7_4_no_ownership(void **state)
{
    mmf_semaphore *semaphore = new_semaphore("Cat", 1, 2);
    struct process *peer = peer_start();
    struct worker *worker = worker_start();

    (void)state;
    take(semaphore);
    peer_does(peer, "open semaphore 0 Cat");
    peer_answers(peer, "MMF_OK 0", "post 0 2");
    CHECK_INT(worker_does(worker, job_poll, W(semaphore)), MMF_OK);
    peer_answers(peer, "MMF_OK 1", "post 0 1");
    peer_fails(peer, MMF_E_MAXIMUM, "maximum", "post 0 1");
    take(semaphore);
    peer_does(peer, "wait 0 0");
    peer_answers(peer, "MMF_TIMED_OUT", "wait 0 %d", SHORT_MS);
    is_empty(semaphore);
    worker_end(worker);
    peer_end(peer);
    mmf_semaphore_close(semaphore);
}

/* Processes that died or ended do not return what they took. */
static void
rule_7_4_a_taken_count_does_not_come_back(void **state)
{
    mmf_semaphore *semaphore = new_semaphore("Cat", 3, 3);
    struct process *peer = peer_start();
    struct worker *worker = worker_start();

    (void)state;
    peer_does(peer, "open semaphore 0 Cat");
    peer_does(peer, "wait 0 0");
    process_kill(peer);
    CHECK_INT(worker_does(worker, job_poll, W(semaphore)), MMF_OK);
    worker_end(worker);
    take(semaphore);
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 200), MMF_TIMED_OUT);
    give(semaphore, 3, 0);
    mmf_semaphore_close(semaphore);
}

/* The last handle's end is the count's end. */
static void
rule_7_1_2_a_new_object_has_new_counts(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        mmf_semaphore *semaphore = new_semaphore("Cat", 1, 2 + i);

        take(semaphore);
        is_empty(semaphore);
        give(semaphore, 2 + i, 0);
        refuse_give(semaphore, 1);
        mmf_semaphore_close(semaphore);
    }
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_7_4_counts),
        cmocka_unit_test(rule_7_4_over_release_changes_nothing),
        cmocka_unit_test(rule_7_4_the_largest_maximum),
        cmocka_unit_test(rule_7_4_opening_ignores_the_counts),
        cmocka_unit_test(rule_7_4_a_release_lets_as_many_through),
        cmocka_unit_test(rule_7_4_no_ownership),
        cmocka_unit_test(rule_7_4_a_taken_count_does_not_come_back),
        cmocka_unit_test(rule_7_1_2_a_new_object_has_new_counts),
    };

    return harness_main(argc, argv, "sync_semaphore", tests, COUNT_OF(tests), roles);
}
