/*
 * mutex_test.c - Mutex: of rule 7.2 what tests/scenarios/mutex.scn cannot say. How owners
 * die by signals is in signals_test.c.
 */
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
take(mmf_mutex *mutex)
{
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
}

static void
take_abandoned(mmf_mutex *mutex)
{
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_ABANDONED);
}

static void
release(mmf_mutex *mutex)
{
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
}

static void
refuse_release(mmf_mutex *mutex)
{
    CHECK_FAILS_PARAM(mmf_mutex_release(mutex), MMF_E_NOT_OWNER, "");
}

/* No thread owns it: this thread can take it, once, and release it. */
static void
check_free(mmf_mutex *mutex)
{
    take(mutex);
    release(mutex);
    refuse_release(mutex);
}

static void
rule_7_2_4_a_thread_of_another_process_ends(void **state)
{
    mmf_mutex *mutex = new_mutex("Cat");
    struct process *peer = peer_start();

    (void)state;
    peer_does(peer, "open mutex 0 Cat");
    for (int i = 0; i < 4; i++) {
        peer_does(peer, "thread %s 0", i % 2 == 0 ? "return" : "exit");
        /* The process lives, and its other thread is no owner. */
        peer_fails(peer, MMF_E_NOT_OWNER, "own", "release 0");
        if (i < 2) {
            take_abandoned(mutex);
            release(mutex);
        } else {
            peer_answers(peer, "MMF_ABANDONED", "wait 0 %d", LONG_MS);
            peer_does(peer, "release 0");
        }
        check_free(mutex);
    }
    peer_end(peer);
    mmf_mutex_close(mutex);
}

/*
 * The end of a thread runs the destructors of its keys, some of which use mutexes.
 */
struct last_will {
    mmf_mutex *mutex;
    pthread_key_t key;
    int rounds; /* how often the destructor is called */
    int idle;   /* how many of these rounds it does nothing */
    int what;   /* 0: take and release; 1: release; 2: take */
    int done;
};

static void
execute_will(void *argument)
{
    struct last_will *will = argument;
    int rc;

    will->done++;
    if (--will->rounds > 0)
        CHECK_INT(pthread_setspecific(will->key, will), 0);
    if (will->done <= will->idle)
        return;
    if (will->what == 1) {
        release(will->mutex);
        return;
    }
    /* What the thread left in an earlier round may have been given up since. */
    rc = mmf_mutex_wait(will->mutex, 0);
    if (rc != MMF_ABANDONED)
        CHECK_STATUS(rc, MMF_OK);
    if (will->what == 0)
        release(will->mutex);
}

static int
job_make_will(void *argument)
{
    struct last_will *will = argument;

    CHECK_INT(pthread_setspecific(will->key, will), 0);
    if (will->what == 1)
        for (int i = 0; i < will->rounds; i++)
            take(will->mutex);
    return MMF_OK;
}

/* Keys are made before the library makes its own, and after. */
static pthread_key_t early_key, late_key;

static void
end_by_will(int late, int named, int what, int rounds, int idle)
{
    mmf_mutex *mutex = new_mutex(named ? "Cat" : NULL);
    struct last_will will = {.mutex = mutex,
                             .key = late ? late_key : early_key,
                             .what = what,
                             .idle = idle,
                             .rounds = rounds};
    struct worker *worker = worker_start();

    CHECK_CONTEXT("%s key, named %d, what %d, %d rounds", late ? "late" : "early",
                  named, what, rounds);
    CHECK_INT(worker_does(worker, job_make_will, &will), MMF_OK);
    worker_end(worker);
    CHECK_INT(will.done, rounds);
    if (what == 2)
        take_abandoned(mutex);
    else
        take(mutex);
    release(mutex);
    check_free(mutex);
    mmf_mutex_close(mutex);
}

static void
rule_7_2_4_another_key_s_destructor_uses_it(void **state)
{
    /* In the last round the thread sanitizer ends a thread. */
    int rounds = HARNESS_TSAN ? 2 : 3;
    mmf_mutex *mutex = owned_mutex(NULL); /* the library has its key now */

    (void)state;
    mmf_mutex_close(mutex);
    CHECK_INT(pthread_key_create(&late_key, execute_will), 0);
    for (int row = 0; row < 4; row++) {
        int late = row & 1, named = row >> 1;

        /* A thread that used mutexes before keeps them for its first destructors. */
        end_by_will(late, named, 1, 1, 0);
        /* A destructor that takes one can release it, or leave it. */
        for (int count = 1; count <= rounds; count++) {
            end_by_will(late, named, 0, count, 0);
            end_by_will(late, named, 2, count, 0);
        }
        /* Also if the thread has not used one before. */
        if (!HARNESS_TSAN)
            end_by_will(late, named, 2, 2, 1);
    }
    CHECK_INT(pthread_key_delete(late_key), 0);
}

static int
job_own_and_close_many(void *name)
{
    int rounds = harness_long() ? 100000 : 10000;

    for (int i = 0; i < rounds; i++) {
        mmf_mutex *mutex = owned_mutex(name);

        mmf_mutex_close(mutex);
    }
    return MMF_OK;
}

/* Nothing leaks, in the thread that closes while it owns, however often. */
static void
rule_7_2_6_closing_while_owning_leaks_nothing(void **state)
{
    struct worker *worker;
    struct usage before;

    (void)state;
    job_own_and_close_many(NULL);
    mmf_mutex_close(new_mutex("Cat")); /* the directory is made */
    worker = worker_start();
    usage_take(&before);
    worker_does(worker, job_own_and_close_many, (void *)(uintptr_t) "Cat");
    usage_check_same(&before);
    worker_does(worker, job_own_and_close_many, (void *)(uintptr_t) "Global\\Cat");
    usage_check_same(&before);
    worker_end(worker);
}

/*
 * .NET's two stress tests: mutexes made, taken and closed by many threads at once.
 */

struct churn {
    const char *name;
    int rounds;
    int owned;
};

static int
job_churn(void *argument)
{
    const struct churn *churn = argument;

    for (int i = 0; i < churn->rounds; i++) {
        mmf_mutex *mutex = NULL;
        int created = 0;

        CHECK_OK(mmf_mutex_create_or_open(churn->name, churn->owned, NULL, &created,
                                          &mutex));
        if (!(created && churn->owned)) {
            int rc = mmf_mutex_wait(mutex, LONG_MS);

            if (rc != MMF_OK && rc != MMF_ABANDONED)
                CHECK_STATUS(rc, MMF_OK);
        }
        if (i % 3 != 0)
            release(mutex);
        mmf_mutex_close(mutex);
        /* Left owned: the next wait takes it again, or the name's next life begins. */
        if (i % 3 == 0) {
            mutex = NULL;
            CHECK_OK(mmf_mutex_create_or_open(churn->name, 0, NULL, NULL, &mutex));
            while (mmf_mutex_release(mutex) == MMF_OK)
                continue;
            mmf_mutex_close(mutex);
        }
    }
    return MMF_OK;
}

static void
churn_by_threads(const char *name)
{
    enum { THREADS = 8 };
    struct churn churn[2] = {{.name = name, .rounds = harness_long() ? 5000 : 150},
                             {.name = name, .rounds = churn[0].rounds, .owned = 1}};
    struct worker *workers[THREADS];
    struct usage before;

    usage_take(&before);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = worker_start();
        worker_begin(workers[i], job_churn, &churn[i % 2]);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(worker_result(workers[i]), MMF_OK);
    for (int i = 0; i < THREADS; i++)
        worker_end(workers[i]);
    usage_check_same(&before);
}

static void
rule_7_2_6_closing_has_no_races(void **state)
{
    (void)state;
    churn_by_threads(NULL);
    churn_by_threads("Cat");
}

/*
 * Recursion's end.
 */
static void
rule_7_2_7_recursion_overflows(void **state)
{
    mmf_mutex *mutex;
    mmf_event *event;
    mmf_waitable *objects[2];
    uint32_t recursion = INT32_MAX - 3;
    const char *path;
    int index = -7;

    (void)state;
    need_files();
    mutex = owned_mutex("Cat");
    path = only_file();
    event = auto_event("Dog", 1);
    objects[0] = W(event);
    objects[1] = W(mutex);
    /* As if it had been taken INT32_MAX - 2 times. */
    write_state(path, &recursion, sizeof(recursion), RECURSION_AT);
    take(mutex);
    take(mutex);
    CHECK_FAILS(mmf_mutex_wait(mutex, 0), MMF_E_RECURSION);
    CHECK_FAILS(mmf_mutex_wait(mutex, MMF_INFINITE), MMF_E_RECURSION);
    CHECK_FAILS(mmf_wait_any(objects + 1, 1, 0, &index), MMF_E_RECURSION);
    CHECK_FAILS(mmf_wait_all(objects, 2, MMF_INFINITE), MMF_E_RECURSION);
    CHECK_INT(index, -7);
    /* It is still owned, and nothing else was taken. */
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    release(mutex);
    take(mutex);
    CHECK_FAILS(mmf_mutex_wait(mutex, 0), MMF_E_RECURSION);
    recursion = 0;
    write_state(path, &recursion, sizeof(recursion), RECURSION_AT);
    release(mutex);
    refuse_release(mutex);
    check_free(mutex);
    mmf_mutex_close(mutex);
    mmf_event_close(event);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_7_2_4_a_thread_of_another_process_ends),
        cmocka_unit_test(rule_7_2_4_another_key_s_destructor_uses_it),
        cmocka_unit_test(rule_7_2_6_closing_while_owning_leaks_nothing),
        cmocka_unit_test(rule_7_2_6_closing_has_no_races),
        cmocka_unit_test(rule_7_2_7_recursion_overflows),
    };

    if (pthread_key_create(&early_key, execute_will) != 0)
        return EXIT_FAILURE;
    return harness_main(argc, argv, "sync_mutex", tests, COUNT_OF(tests), roles);
}
