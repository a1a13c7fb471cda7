/*
 * mutex_test.c - Mutex: rule 7.2. How owners die by signals is in death_test.c.
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

static mmf_mutex *
open_mutex(const char *name)
{
    mmf_mutex *mutex = NULL;

    CHECK_OK(mmf_mutex_open_existing(name, NULL, &mutex));
    return mutex;
}

/* No thread owns it: this thread can take it, once, and release it. */
static void
check_free(mmf_mutex *mutex)
{
    take(mutex);
    release(mutex);
    refuse_release(mutex);
}

/*
 * Ownership and recursion.
 */

static void
owned_by_a_thread(const char *name)
{
    mmf_mutex *mutex = new_mutex(name);
    struct worker *one = worker_start(), *other = worker_start();

    take(mutex);
    CHECK_INT(worker_does(one, job_poll, W(mutex)), MMF_TIMED_OUT);
    release(mutex);
    CHECK_INT(worker_does(one, job_poll, W(mutex)), MMF_OK);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_mutex_wait(mutex, SHORT_MS), MMF_TIMED_OUT);
    CHECK_INT(worker_does(one, job_release, mutex), MMF_OK);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_OK);
    CHECK_INT(worker_does(other, job_release, mutex), MMF_OK);
    check_free(mutex);
    worker_end(one);
    worker_end(other);
    mmf_mutex_close(mutex);
}

static void
rule_7_2_1_a_thread_owns_it(void **state)
{
    (void)state;
    for_each_name(owned_by_a_thread);
}

static void
as_many_releases_as_waits(const char *name)
{
    mmf_mutex *mutex = new_mutex(name);
    struct worker *other = worker_start();

    for (int depth = 1; depth <= 10; depth++) {
        for (int i = 0; i < depth; i++)
            CHECK_STATUS(mmf_mutex_wait(mutex, i % 2 == 0 ? 0 : MMF_INFINITE), MMF_OK);
        for (int i = 0; i < depth; i++) {
            CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
            release(mutex);
        }
        refuse_release(mutex);
        CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_OK);
        CHECK_INT(worker_does(other, job_release, mutex), MMF_OK);
    }
    worker_end(other);
    mmf_mutex_close(mutex);
}

static void
rule_7_2_1_recursion(void **state)
{
    (void)state;
    for_each_name(as_many_releases_as_waits);
}

/* Every way to wait takes it again, through every handle, and all count. */
static void
rule_7_2_1_recursion_by_every_way(void **state)
{
    mmf_mutex *one = owned_mutex("Cat"), *two = open_mutex("Cat");
    mmf_event *event = manual_event(NULL, 1);
    mmf_waitable *any[] = {W(two), W(event)}, *all[] = {W(event), W(one)};
    struct worker *other = worker_start();
    int index = -7;

    (void)state;
    take(two);
    CHECK_STATUS(mmf_wait_one(W(one), 0), MMF_OK);
    CHECK_STATUS(mmf_wait_any(any, 2, 0, &index), MMF_OK);
    CHECK_INT(index, 0);
    CHECK_STATUS(mmf_wait_all(all, 2, 0), MMF_OK);
    CHECK_STATUS(mmf_wait_all(all + 1, 1, 0), MMF_OK);
    CHECK_STATUS(mmf_signal_and_wait(W(event), W(two), 0), MMF_OK);
    for (int i = 0; i < 7; i++) {
        CHECK_INT(worker_does(other, job_poll, W(one)), MMF_TIMED_OUT);
        release(i % 2 == 0 ? one : two);
    }
    CHECK_INT(worker_does(other, job_poll, W(two)), MMF_OK);
    refuse_release(one);
    refuse_release(two);
    CHECK_INT(worker_does(other, job_release, one), MMF_OK);
    worker_end(other);
    mmf_event_close(event);
    mmf_mutex_close(one);
    mmf_mutex_close(two);
}

static void
initially_owned(const char *name)
{
    mmf_mutex *mutex = owned_mutex(name);
    struct worker *other = worker_start();

    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
    take(mutex);
    release(mutex);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
    release(mutex); /* the constructor's ownership counts as one */
    refuse_release(mutex);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_OK);
    CHECK_INT(worker_does(other, job_release, mutex), MMF_OK);
    worker_end(other);
    mmf_mutex_close(mutex);
}

static void
rule_7_2_2_initially_owned(void **state)
{
    (void)state;
    for_each_name(initially_owned);
}

static void
create_owned_again(const char *name)
{
    mmf_mutex *one = new_mutex(name), *other = NULL;
    int created = -7;

    if (name == NULL) { /* each is another one */
        mmf_mutex_close(one);
        return;
    }
    /* Free: it opens, and does not take it. */
    CHECK_OK(mmf_mutex_create_or_open(name, 1, NULL, &created, &other));
    CHECK_INT(created, 0);
    refuse_release(other);
    check_free(one);
    mmf_mutex_close(other);
    /* Ours: it does not count. */
    take(one);
    CHECK_OK(mmf_mutex_create_or_open(name, 1, NULL, &created, &other));
    CHECK_INT(created, 0);
    release(other);
    refuse_release(one);
    mmf_mutex_close(other);
    mmf_mutex_close(one);
}

static void
rule_7_2_2_initially_owned_only_if_created(void **state)
{
    (void)state;
    for_each_name(create_owned_again);
}

/* Another thread owns it: creating it neither waits nor takes. */
static void
rule_7_2_2_no_wait_for_another_owner(void **state)
{
    struct process *peer = peer_start();
    mmf_mutex *mutex = NULL;
    int created = -7;

    (void)state;
    peer_answers(peer, "MMF_OK new", "mutex 0 1 Cat");
    CHECK_OK(mmf_mutex_create_or_open("Cat", 1, NULL, &created, &mutex));
    CHECK_INT(created, 0);
    refuse_release(mutex);
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_TIMED_OUT);
    peer_does(peer, "release 0");
    check_free(mutex);
    peer_end(peer);
    mmf_mutex_close(mutex);
}

static int
job_refuse_release(void *mutex)
{
    refuse_release(mutex);
    return MMF_OK;
}

static void
release_by_strangers(const char *name)
{
    mmf_mutex *mutex = new_mutex(name);
    struct worker *other = worker_start();

    refuse_release(mutex); /* no thread owns it */
    take(mutex);
    worker_does(other, job_refuse_release, mutex);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
    if (name != NULL) {
        struct process *peer = peer_start();

        peer_does(peer, "open mutex 0 %s", name);
        peer_fails(peer, MMF_E_NOT_OWNER, "own", "release 0");
        peer_answers(peer, "MMF_TIMED_OUT", "wait 0 0");
        release(mutex);
        peer_fails(peer, MMF_E_NOT_OWNER, "own", "release 0");
        peer_does(peer, "wait 0 0");
        refuse_release(mutex);
        peer_does(peer, "release 0");
        peer_end(peer);
    } else {
        release(mutex);
    }
    refuse_release(mutex); /* too often */
    worker_does(other, job_refuse_release, mutex);
    check_free(mutex);
    worker_end(other);
    mmf_mutex_close(mutex);
}

static void
rule_7_2_3_release_by_a_stranger(void **state)
{
    (void)state;
    for_each_name(release_by_strangers);
}

static void
release_after_fork(void *argument)
{
    CHECK_FAILS(mmf_mutex_release(argument), MMF_E_DISPOSED);
    mmf_mutex_close(argument);
}

static void
rule_7_2_3_release_of_a_disposed_one(void **state)
{
    mmf_mutex *mutex;

    (void)state;
    need_fork();
    mutex = owned_mutex("Cat");
    in_child(release_after_fork, mutex);
    release(mutex);
    mmf_mutex_close(mutex);
}

/* Waiters sleep until it is released, then have it one after another. */
static void
waiters_take_turns(const char *name)
{
    enum { WAITERS = 4 };
    mmf_mutex *mutex = owned_mutex(name);
    struct worker *workers[WAITERS];

    for (int i = 0; i < WAITERS; i++) {
        workers[i] = worker_start();
        worker_begin(workers[i], job_wait_forever, W(mutex));
        worker_await_sleep(workers[i]);
    }
    release(mutex);
    for (int left = WAITERS; left > 0; left--) {
        int64_t deadline = now_us() + LONG_MS * 1000;
        int owner = -1;

        while (owner < 0) {
            for (int i = 0; i < WAITERS; i++)
                if (workers[i] != NULL && !worker_is_busy(workers[i]))
                    owner = i;
            CHECK(now_us() < deadline);
        }
        CHECK_INT(worker_result(workers[owner]), MMF_OK);
        for (int i = 0; i < WAITERS; i++)
            CHECK(i == owner || workers[i] == NULL || worker_is_busy(workers[i]));
        CHECK_INT(worker_does(workers[owner], job_release, mutex), MMF_OK);
        worker_end(workers[owner]);
        workers[owner] = NULL;
    }
    check_free(mutex);
    mmf_mutex_close(mutex);
}

static void
rule_7_2_1_waiters_take_turns(void **state)
{
    (void)state;
    for_each_name(waiters_take_turns);
}

/*
 * Abandonment.
 */

static int
job_take_thrice(void *mutex)
{
    for (int i = 0; i < 3; i++)
        take(mutex);
    return MMF_OK;
}

/* After an abandonment: owned once, then as any other. */
static void
check_normal_after(mmf_mutex *mutex)
{
    struct worker *other = worker_start();

    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
    take(mutex);
    release(mutex);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
    release(mutex);
    refuse_release(mutex);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_OK);
    CHECK_INT(worker_does(other, job_release, mutex), MMF_OK);
    worker_end(other);
    check_free(mutex);
}

static void
thread_ends(const char *name)
{
    mmf_mutex *mutex = new_mutex(name);

    for (int way = 0; way < 4; way++) {
        struct worker *owner = worker_start();

        CHECK_CONTEXT("way %d, %s", way, name == NULL ? "unnamed" : name);
        CHECK_INT(worker_does(owner, way & 2 ? job_take_thrice : job_poll,
                              way & 2 ? (void *)mutex : (void *)W(mutex)),
                  MMF_OK);
        if (way & 1)
            worker_exit(owner);
        else
            worker_end(owner);
        take_abandoned(mutex);
        check_normal_after(mutex);
    }
    mmf_mutex_close(mutex);
}

static void
rule_7_2_4_a_thread_ends(void **state)
{
    (void)state;
    for_each_name(thread_ends);
}

/* A sleeper is notified at once: the end of a thread wakes. */
static void
thread_ends_before_sleepers(const char *name)
{
    enum { WAITERS = 3 };
    mmf_mutex *mutex = new_mutex(name);
    struct worker *owner = worker_start(), *waiters[WAITERS];
    int abandoned = 0, owned = 0;

    CHECK_INT(worker_does(owner, job_poll, W(mutex)), MMF_OK);
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = worker_start();
        worker_begin(waiters[i], job_wait_forever, W(mutex));
        worker_await_sleep(waiters[i]);
    }
    worker_end(owner);
    while (owned < WAITERS) {
        for (int i = 0; i < WAITERS; i++) {
            if (waiters[i] == NULL || worker_is_busy(waiters[i]))
                continue;
            abandoned += worker_result(waiters[i]) == MMF_ABANDONED;
            owned++;
            CHECK_INT(worker_does(waiters[i], job_release, mutex), MMF_OK);
            worker_end(waiters[i]);
            waiters[i] = NULL;
        }
    }
    CHECK_INT(abandoned, 1);
    check_free(mutex);
    mmf_mutex_close(mutex);
}

static void
rule_7_2_4_abandoned_is_told_once(void **state)
{
    (void)state;
    for_each_name(thread_ends_before_sleepers);
}

/* The new owner may abandon it as well, and does not have to release before. */
static void
abandoned_again(const char *name)
{
    mmf_mutex *mutex = new_mutex(name);

    for (int i = 0; i < 5; i++) {
        struct worker *owner = worker_start();
        int rc = worker_does(owner, job_wait, W(mutex));

        CHECK_INT(rc, i == 0 ? MMF_OK : MMF_ABANDONED);
        worker_end(owner);
    }
    take_abandoned(mutex);
    release(mutex);
    check_free(mutex);
    mmf_mutex_close(mutex);
}

static void
rule_7_2_4_abandoned_again_and_again(void **state)
{
    (void)state;
    for_each_name(abandoned_again);
}

/* One thread abandons each mutex of the list. */
struct abandoner {
    mmf_mutex *const *mutexes;
    int count;
};

static int
job_take_each(void *argument)
{
    const struct abandoner *abandoner = argument;

    for (int i = 0; i < abandoner->count; i++)
        take(abandoner->mutexes[i]);
    return MMF_OK;
}

static void
abandon(mmf_mutex *const *mutexes, int count)
{
    struct abandoner abandoner = {mutexes, count};
    struct worker *owner = worker_start();

    CHECK_INT(worker_does(owner, job_take_each, &abandoner), MMF_OK);
    worker_end(owner);
}

static void
wait_any_of_abandoned(const char *name)
{
    mmf_mutex *mutexes[3] = {new_mutex(with_suffix(name, " 0")),
                             new_mutex(with_suffix(name, " 1")),
                             new_mutex(with_suffix(name, " 2"))};
    mmf_event *event = auto_event(NULL, 0);
    mmf_waitable *objects[4] = {W(event), W(mutexes[0]), W(mutexes[1]), W(mutexes[2])};
    struct worker *owner = worker_start();
    int index = -7;

    /* The first one is owned by a living thread, the others are abandoned. */
    abandon(mutexes + 1, 2);
    CHECK_INT(worker_does(owner, job_poll, W(mutexes[0])), MMF_OK);
    CHECK_STATUS(mmf_wait_any(objects, 4, LONG_MS, &index), MMF_ABANDONED);
    CHECK_INT(index, 2);
    /* Only that one was taken. It is ours now, and the lowest that is available. */
    CHECK_STATUS(mmf_wait_any(objects, 4, LONG_MS, &index), MMF_OK);
    CHECK_INT(index, 2);
    release(mutexes[1]);
    release(mutexes[1]);
    refuse_release(mutexes[1]);
    refuse_release(mutexes[2]);
    CHECK_STATUS(mmf_wait_any(objects + 3, 1, LONG_MS, &index), MMF_ABANDONED);
    CHECK_INT(index, 0);
    release(mutexes[2]);
    /* A lower index that is no mutex wins over an abandoned one. */
    abandon(mutexes + 2, 1);
    CHECK_STATUS(mmf_event_set(event), MMF_OK);
    CHECK_STATUS(mmf_wait_any(objects, 4, LONG_MS, &index), MMF_OK);
    CHECK_INT(index, 0);
    take_abandoned(mutexes[2]);
    release(mutexes[2]);
    CHECK_INT(worker_does(owner, job_release, mutexes[0]), MMF_OK);
    worker_end(owner);
    for (int i = 0; i < 3; i++)
        mmf_mutex_close(mutexes[i]);
    mmf_event_close(event);
}

static void
rule_7_2_4_wait_any_says_which(void **state)
{
    (void)state;
    for_each_name(wait_any_of_abandoned);
}

static void
wait_all_of_abandoned(const char *name)
{
    mmf_mutex *mutexes[3] = {new_mutex(with_suffix(name, " 0")),
                             new_mutex(with_suffix(name, " 1")),
                             new_mutex(with_suffix(name, " 2"))};
    mmf_event *event = auto_event(NULL, 1);
    mmf_waitable *objects[4] = {W(event), W(mutexes[2]), W(mutexes[0]), W(mutexes[1])};

    for (int count = 1; count <= 3; count++) {
        abandon(mutexes, count);
        CHECK_STATUS(mmf_wait_all(objects, 4, LONG_MS), MMF_ABANDONED);
        CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
        for (int i = 0; i < 3; i++) {
            release(mutexes[i]);
            refuse_release(mutexes[i]);
        }
        CHECK_STATUS(mmf_event_set(event), MMF_OK);
        CHECK_STATUS(mmf_wait_all(objects, 4, 0), MMF_OK); /* reported once */
        CHECK_STATUS(mmf_event_set(event), MMF_OK);
        for (int i = 0; i < 3; i++)
            release(mutexes[i]);
    }
    /* What could not be had leaves the abandonment for the next one. */
    abandon(mutexes, 3);
    CHECK_STATUS(mmf_event_reset(event), MMF_OK);
    CHECK_STATUS(mmf_wait_all(objects, 4, SHORT_MS), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_wait_all(objects + 1, 3, LONG_MS), MMF_ABANDONED);
    for (int i = 0; i < 3; i++) {
        release(mutexes[i]);
        check_free(mutexes[i]);
        mmf_mutex_close(mutexes[i]);
    }
    mmf_event_close(event);
}

static void
rule_7_2_4_wait_all(void **state)
{
    (void)state;
    for_each_name(wait_all_of_abandoned);
}

/* The sleeper of a wait for all learns of the abandonment too. */
static void
wait_all_sleeps_before_abandonment(const char *name)
{
    mmf_mutex *mutex = new_mutex(with_suffix(name, " mutex"));
    mmf_event *event = auto_event(with_suffix(name, " event"), 1);
    struct several wait = {
        .objects = {W(event), W(mutex)}, .count = 2, .timeout_ms = MMF_INFINITE};
    struct worker *owner = worker_start(), *waiter = worker_start();

    CHECK_INT(worker_does(owner, job_poll, W(mutex)), MMF_OK);
    worker_begin(waiter, job_wait_all, &wait);
    worker_await_sleep(waiter);
    worker_end(owner);
    CHECK_INT(worker_result(waiter), MMF_ABANDONED);
    CHECK_INT(worker_does(waiter, job_release, mutex), MMF_OK);
    worker_end(waiter);
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    check_free(mutex);
    mmf_mutex_close(mutex);
    mmf_event_close(event);
}

static void
rule_7_2_4_wait_all_sleeps(void **state)
{
    (void)state;
    for_each_name(wait_all_sleeps_before_abandonment);
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

/*
 * Closing.
 */

static void
close_one_of_two(const char *name)
{
    mmf_mutex *one = owned_mutex(name), *other;
    struct worker *worker;

    if (name == NULL) {
        mmf_mutex_close(one);
        return;
    }
    other = open_mutex(name);
    worker = worker_start();
    mmf_mutex_close(one);
    CHECK_INT(worker_does(worker, job_poll, W(other)), MMF_TIMED_OUT);
    take(other);
    release(other);
    release(other);
    refuse_release(other);
    CHECK_INT(worker_does(worker, job_poll, W(other)), MMF_OK);
    CHECK_INT(worker_does(worker, job_release, other), MMF_OK);
    worker_end(worker);
    mmf_mutex_close(other);
}

static void
rule_7_2_6_closing_one_of_two_handles_keeps_it(void **state)
{
    (void)state;
    for_each_name(close_one_of_two);
}

static int
job_close(void *mutex)
{
    mmf_mutex_close(mutex);
    return MMF_OK;
}

/* The thread that closes is new: it has never waited, nor created anything. */
static void
close_in_a_new_thread(const char *name)
{
    mmf_mutex *mutex = new_mutex(name);
    struct worker *owner = worker_start(), *closer = worker_start();

    CHECK_INT(worker_does(owner, job_poll, W(mutex)), MMF_OK);
    worker_begin(closer, job_close, mutex);
    CHECK_INT(worker_result(closer), MMF_OK);
    worker_end(closer);
    worker_end(owner);
}

static void
rule_7_2_6_a_new_thread_closes_what_another_owns(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++)
        for_each_name(close_in_a_new_thread);
}

static void
check_gone(const char *name)
{
    mmf_mutex *mutex = UNTOUCHED;

    if (name == NULL)
        return;
    CHECK_FAILS(mmf_mutex_open_existing(name, NULL, &mutex), MMF_E_NOT_FOUND);
    CHECK_INT(count_files(), 0);
}

static void
close_the_last(const char *name)
{
    struct usage before;

    usage_take(&before);
    for (int i = 0; i < 10; i++) {
        mmf_mutex *mutex = owned_mutex(name); /* and that says it is a new one */

        take(mutex);
        mmf_mutex_close(mutex);
        check_gone(name);
        usage_check_same(&before);
        mutex = new_mutex(name); /* which no thread owns */
        refuse_release(mutex);
        check_free(mutex);
        mmf_mutex_close(mutex);
    }
}

static void
rule_7_2_6_closing_the_last_handle_ends_it(void **state)
{
    (void)state;
    for_each_name(close_the_last);
}

/* The owner is another thread, which goes on without any handle, and ends. */
static void
close_the_last_of_another_owner(const char *name)
{
    struct usage before;

    usage_take(&before);
    for (int i = 0; i < 10; i++) {
        mmf_mutex *mutex = new_mutex(name);
        struct worker *owner = worker_start();

        CHECK_INT(worker_does(owner, job_poll, W(mutex)), MMF_OK);
        mmf_mutex_close(mutex);
        check_gone(name);
        /* The name is free, also while the thread still lives. */
        mutex = new_mutex(name);
        check_free(mutex);
        mmf_mutex_close(mutex);
        worker_end(owner);
        usage_check_same(&before);
    }
}

static void
rule_7_2_6_closing_while_another_thread_owns_it(void **state)
{
    (void)state;
    for_each_name(close_the_last_of_another_owner);
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

/* Another process keeps the object: its owner here goes on owning without a handle. */
static void
rule_7_2_6_an_owner_without_a_handle(void **state)
{
    mmf_mutex *mutex = owned_mutex("Cat");
    struct process *peer = peer_start();
    struct worker *owner;
    struct usage before;

    (void)state;
    peer_does(peer, "open mutex 0 Cat");
    mmf_mutex_close(mutex);
    peer_answers(peer, "MMF_TIMED_OUT", "wait 0 %d", 3 * SHORT_MS);
    /* It gets to it again by the name. */
    mutex = open_mutex("Cat");
    peer_answers(peer, "MMF_TIMED_OUT", "wait 0 %d", 3 * SHORT_MS);
    take(mutex);
    mmf_mutex_close(mutex);
    mutex = open_mutex("Cat");
    release(mutex);
    peer_answers(peer, "MMF_TIMED_OUT", "wait 0 0");
    release(mutex);
    refuse_release(mutex);
    peer_does(peer, "wait 0 0");
    peer_does(peer, "release 0");
    mmf_mutex_close(mutex);
    /* Or its thread ends. */
    usage_take(&before);
    mutex = open_mutex("Cat");
    owner = worker_start();
    CHECK_INT(worker_does(owner, job_poll, W(mutex)), MMF_OK);
    mmf_mutex_close(mutex);
    peer_answers(peer, "MMF_TIMED_OUT", "wait 0 %d", 3 * SHORT_MS);
    peer_begins(peer, "wait 0 %d", LONG_MS);
    peer_await_sleep(peer);
    worker_end(owner);
    process_expect(peer, "MMF_ABANDONED");
    peer_does(peer, "release 0");
    usage_check_same(&before);
    peer_end(peer);
    CHECK_INT(count_files(), 0);
}

/* And if its process ends. */
static void
rule_7_2_6_a_process_ends_that_owns_without_a_handle(void **state)
{
    struct process *peer = peer_start();
    mmf_mutex *mutex;

    (void)state;
    peer_answers(peer, "MMF_OK new", "mutex 0 1 Cat");
    mutex = open_mutex("Cat");
    peer_does(peer, "close 0");
    CHECK_STATUS(mmf_mutex_wait(mutex, 3 * SHORT_MS), MMF_TIMED_OUT);
    peer_end(peer);
    take_abandoned(mutex);
    release(mutex);
    mmf_mutex_close(mutex);
    CHECK_INT(count_files(), 0);
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
        cmocka_unit_test(rule_7_2_1_a_thread_owns_it),
        cmocka_unit_test(rule_7_2_1_recursion),
        cmocka_unit_test(rule_7_2_1_recursion_by_every_way),
        cmocka_unit_test(rule_7_2_1_waiters_take_turns),
        cmocka_unit_test(rule_7_2_2_initially_owned),
        cmocka_unit_test(rule_7_2_2_initially_owned_only_if_created),
        cmocka_unit_test(rule_7_2_2_no_wait_for_another_owner),
        cmocka_unit_test(rule_7_2_3_release_by_a_stranger),
        cmocka_unit_test(rule_7_2_3_release_of_a_disposed_one),
        cmocka_unit_test(rule_7_2_4_a_thread_ends),
        cmocka_unit_test(rule_7_2_4_abandoned_is_told_once),
        cmocka_unit_test(rule_7_2_4_abandoned_again_and_again),
        cmocka_unit_test(rule_7_2_4_wait_any_says_which),
        cmocka_unit_test(rule_7_2_4_wait_all),
        cmocka_unit_test(rule_7_2_4_wait_all_sleeps),
        cmocka_unit_test(rule_7_2_4_a_thread_of_another_process_ends),
        cmocka_unit_test(rule_7_2_4_another_key_s_destructor_uses_it),
        cmocka_unit_test(rule_7_2_6_closing_one_of_two_handles_keeps_it),
        cmocka_unit_test(rule_7_2_6_a_new_thread_closes_what_another_owns),
        cmocka_unit_test(rule_7_2_6_closing_the_last_handle_ends_it),
        cmocka_unit_test(rule_7_2_6_closing_while_another_thread_owns_it),
        cmocka_unit_test(rule_7_2_6_closing_while_owning_leaks_nothing),
        cmocka_unit_test(rule_7_2_6_an_owner_without_a_handle),
        cmocka_unit_test(rule_7_2_6_a_process_ends_that_owns_without_a_handle),
        cmocka_unit_test(rule_7_2_6_closing_has_no_races),
        cmocka_unit_test(rule_7_2_7_recursion_overflows),
    };

    if (pthread_key_create(&early_key, execute_will) != 0)
        return EXIT_FAILURE;
    return harness_main(argc, argv, "sync_mutex", tests, COUNT_OF(tests), roles);
}
