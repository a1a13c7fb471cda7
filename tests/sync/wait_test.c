/*
 * wait_test.c - WaitAny, WaitAll and SignalAndWait over any mix of objects: rules 7.1.4
 * to 7.1.8. What they refuse is in arguments_test.c, abandonment in mutex_test.c.
 */
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* One of each kind, and a manual event, that cannot be had. */
enum { MIX = 4 };

struct mix {
    struct worker *owner; /* of the mutex */
    mmf_mutex *mutex;
    mmf_event *automatic, *manual;
    mmf_semaphore *semaphore;
    mmf_waitable *objects[MIX];
};

static void
make_mix(struct mix *mix, const char *name)
{
    mix->owner = worker_start();
    mix->mutex = new_mutex(with_suffix(name, " mutex"));
    mix->automatic = auto_event(with_suffix(name, " auto"), 0);
    mix->manual = manual_event(with_suffix(name, " manual"), 0);
    mix->semaphore = new_semaphore(with_suffix(name, " semaphore"), 0, 5);
    mix->objects[0] = W(mix->semaphore);
    mix->objects[1] = W(mix->mutex);
    mix->objects[2] = W(mix->manual);
    mix->objects[3] = W(mix->automatic);
    CHECK_INT(worker_does(mix->owner, job_wait, W(mix->mutex)), MMF_OK);
}

/* Let object i be had. */
static void
signal_mix(struct mix *mix, int i)
{
    switch (i) {
    case 0:
        CHECK_OK(mmf_semaphore_release(mix->semaphore, 1, NULL));
        break;
    case 1:
        CHECK_INT(worker_does(mix->owner, job_release, mix->mutex), MMF_OK);
        break;
    case 2:
        CHECK_OK(mmf_event_set(mix->manual));
        break;
    default:
        CHECK_OK(mmf_event_set(mix->automatic));
        break;
    }
}

/* It is available or not; as it was afterwards. */
static void
check_mix(struct mix *mix, int i, int is_available)
{
    CHECK_CONTEXT("object %d", i);
    if (i == 1) {
        struct worker *other = worker_start();
        int rc = worker_does(other, job_poll, mix->objects[1]);

        CHECK_INT(rc, is_available ? MMF_OK : MMF_TIMED_OUT);
        if (rc == MMF_OK)
            CHECK_INT(worker_does(other, job_release, mix->mutex), MMF_OK);
        worker_end(other);
        return;
    }
    CHECK_STATUS(mmf_wait_one(mix->objects[i], 0),
                 is_available ? MMF_OK : MMF_TIMED_OUT);
    if (is_available)
        signal_mix(mix, i);
}

/* After object i has been taken by this thread: as it was in the beginning. */
static void
undo_mix(struct mix *mix, int i)
{
    if (i == 1) {
        CHECK_OK(mmf_mutex_release(mix->mutex));
        CHECK_INT(worker_does(mix->owner, job_wait, mix->objects[1]), MMF_OK);
    } else if (i == 2) {
        CHECK_OK(mmf_event_reset(mix->manual));
    }
}

static void
close_mix(struct mix *mix)
{
    worker_end(mix->owner);
    mmf_mutex_close(mix->mutex);
    mmf_event_close(mix->automatic);
    mmf_event_close(mix->manual);
    mmf_semaphore_close(mix->semaphore);
}

/* For each set of signalled objects: the lowest index, and nothing else changes. */
static void
lowest_index(const char *name)
{
    struct mix mix;

    make_mix(&mix, name);
    for (int set = 0; set < 1 << MIX; set++) {
        int index = -7;

        for (int i = 0; i < MIX; i++)
            if (set & 1 << i)
                signal_mix(&mix, i);
        if (set == 0) {
            CHECK_STATUS(mmf_wait_any(mix.objects, MIX, 0, &index), MMF_TIMED_OUT);
            CHECK_STATUS(mmf_wait_any(mix.objects, MIX, SHORT_MS, &index),
                         MMF_TIMED_OUT);
            CHECK_INT(index, -7);
            continue;
        }
        CHECK_STATUS(mmf_wait_any(mix.objects, MIX, set % 2 == 0 ? 0 : LONG_MS, &index),
                     MMF_OK);
        CHECK_INT(index, __builtin_ctz((unsigned)set));
        for (int i = 0; i < MIX; i++) {
            int is_available = (set & 1 << i) != 0;

            if (i == index)
                is_available = i == 2; /* a manual event stays */
            check_mix(&mix, i, is_available);
        }
        undo_mix(&mix, index);
        for (int i = 0; i < MIX; i++) {
            if (i != index && set & 1 << i) {
                CHECK_STATUS(mmf_wait_one(mix.objects[i], 0), MMF_OK);
                undo_mix(&mix, i);
            }
        }
    }
    close_mix(&mix);
}

static void
rule_7_1_6_wait_any_takes_the_lowest_index(void **state)
{
    (void)state;
    for_each_name(lowest_index);
}

/* An event that is set while a thread waits for it at every index. */
struct everywhere {
    mmf_event *event;
    mmf_semaphore *seen;
    int highest;
};

/*
 * Without futex_waitv each round takes a nap of five milliseconds; and the thread sanitizer
 * watches each of the thousands of looks at 64 slots.
 */
#if defined(NO_WAITV) || HARNESS_TSAN
enum { OFTEN = 100 };
#else
enum { OFTEN = 3000 };
#endif

static int
job_wait_everywhere(void *argument)
{
    struct everywhere *wait = argument;
    mmf_waitable *objects[MMF_WAIT_MAXIMUM];
    int rc = MMF_OK;

    for (int i = 0; i < MMF_WAIT_MAXIMUM; i++)
        objects[i] = W(wait->event);
    for (int i = 0; rc == MMF_OK && i < OFTEN; i++) {
        int index = -1;

        rc = mmf_wait_any(objects, MMF_WAIT_MAXIMUM, MMF_INFINITE, &index);
        if (index > wait->highest)
            wait->highest = index;
        mmf_semaphore_release(wait->seen, 1, NULL);
    }
    return rc;
}

static void
lowest_of_the_same(const char *name)
{
    struct everywhere wait = {.event = auto_event(with_suffix(name, " event"), 0),
                              .seen = new_semaphore(with_suffix(name, " seen"), 0, 1)};
    struct worker *waiter = worker_start();

    worker_begin(waiter, job_wait_everywhere, &wait);
    for (int i = 0; i < OFTEN; i++) {
        int64_t deadline = now_us() + LONG_MS * 1000;

        /* A little later each time, so that some come in the middle of its looks. */
        for (atomic_int k = 0; k < i % 500 * 4; k++)
            continue;
        CHECK_OK(mmf_event_set(wait.event));
        while (mmf_semaphore_wait(wait.seen, 0) == MMF_TIMED_OUT)
            CHECK(now_us() < deadline);
    }
    CHECK_INT(worker_result(waiter), MMF_OK);
    CHECK_INT(wait.highest, 0);
    worker_end(waiter);
    mmf_event_close(wait.event);
    mmf_semaphore_close(wait.seen);
}

static void
rule_7_1_6_wait_any_of_the_same_takes_the_lowest_index(void **state)
{
    (void)state;
    for_each_name(lowest_of_the_same);
}

static void
any_sleeps(const char *name)
{
    struct worker *waiter = worker_start();
    struct mix mix;

    make_mix(&mix, name);
    for (int i = 0; i < MIX; i++) {
        struct several wait = {.count = MIX, .timeout_ms = MMF_INFINITE};

        memcpy(wait.objects, mix.objects, sizeof(mix.objects));
        worker_begin(waiter, job_wait_any, &wait);
        worker_await_sleep(waiter);
        signal_mix(&mix, i);
        CHECK_INT(worker_result(waiter), MMF_OK);
        CHECK_INT(wait.index, i);
        if (i == 1)
            CHECK_INT(worker_does(waiter, job_release, mix.mutex), MMF_OK);
        else
            undo_mix(&mix, i);
        if (i == 1)
            CHECK_INT(worker_does(mix.owner, job_wait, W(mix.mutex)), MMF_OK);
    }
    close_mix(&mix);
    worker_end(waiter);
}

static void
rule_7_1_4_wait_any_sleeps_on_any_mix(void **state)
{
    (void)state;
    for_each_name(any_sleeps);
}

static void
all_sleeps(const char *name)
{
    struct worker *waiter = worker_start();

    /* Whichever comes last; and none is taken before. */
    for (int last = 0; last < MIX; last++) {
        struct several wait = {.count = MIX, .timeout_ms = MMF_INFINITE};
        struct mix mix;

        make_mix(&mix, name);
        memcpy(wait.objects, mix.objects, sizeof(mix.objects));
        worker_begin(waiter, job_wait_all, &wait);
        for (int i = 1; i <= MIX; i++) {
            worker_await_sleep(waiter);
            CHECK(worker_is_busy(waiter));
            for (int k = 1; k < i; k++)
                check_mix(&mix, (last + k) % MIX, 1);
            worker_await_sleep(waiter);
            signal_mix(&mix, (last + i) % MIX);
        }
        CHECK_INT(worker_result(waiter), MMF_OK);
        for (int i = 0; i < MIX; i++)
            check_mix(&mix, i, i == 2);
        CHECK_INT(worker_does(waiter, job_release, mix.mutex), MMF_OK);
        close_mix(&mix);
    }
    worker_end(waiter);
}

static void
rule_7_1_6_wait_all_takes_all_or_nothing(void **state)
{
    (void)state;
    for_each_name(all_sleeps);
}

/* A wait that times out has changed nothing. */
static void
all_times_out(const char *name)
{
    struct mix mix;

    make_mix(&mix, name);
    for (int missing = 0; missing < MIX; missing++) {
        for (int i = 0; i < MIX; i++)
            if (i != missing)
                signal_mix(&mix, i);
        CHECK_STATUS(mmf_wait_all(mix.objects, MIX, 0), MMF_TIMED_OUT);
        CHECK_STATUS(mmf_wait_all(mix.objects, MIX, SHORT_MS), MMF_TIMED_OUT);
        for (int i = 0; i < MIX; i++)
            check_mix(&mix, i, i != missing);
        for (int i = 0; i < MIX; i++) {
            if (i != missing) {
                CHECK_STATUS(mmf_wait_one(mix.objects[i], 0), MMF_OK);
                undo_mix(&mix, i);
            }
        }
    }
    close_mix(&mix);
}

static void
rule_7_1_6_wait_all_that_times_out_changes_nothing(void **state)
{
    (void)state;
    for_each_name(all_times_out);
}

static void
rule_7_1_6_wait_all_of_one_is_wait_any_of_one(void **state)
{
    struct mix mix;

    (void)state;
    make_mix(&mix, "Cat");
    for (int i = 0; i < MIX; i++) {
        CHECK_STATUS(mmf_wait_all(mix.objects + i, 1, 0), MMF_TIMED_OUT);
        CHECK_STATUS(mmf_wait_all(mix.objects + i, 1, SHORT_MS), MMF_TIMED_OUT);
        signal_mix(&mix, i);
        CHECK_STATUS(mmf_wait_all(mix.objects + i, 1, LONG_MS), MMF_OK);
        check_mix(&mix, i, i == 2);
        undo_mix(&mix, i);
    }
    /* An abandoned mutex is reported. */
    worker_end(mix.owner);
    CHECK_STATUS(mmf_wait_all(mix.objects + 1, 1, LONG_MS), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mix.mutex));
    mix.owner = worker_start();
    close_mix(&mix);
}

/*
 * In two processes.
 */
static void
waits_of_another_process(void **state)
{
    struct process *peer = peer_start();
    struct mix mix;

    (void)state;
    make_mix(&mix, "Cat");
    peer_does(peer, "open semaphore 0 Cat semaphore");
    peer_does(peer, "open mutex 1 Cat mutex");
    peer_does(peer, "open event 2 Cat manual");
    peer_does(peer, "open event 3 Cat auto");
    peer_answers(peer, "MMF_TIMED_OUT", "any 0 0 1 2 3");
    for (int i = 0; i < MIX; i++) {
        char expected[32];

        peer_begins(peer, "any -1 0 1 2 3");
        peer_await_sleep(peer);
        signal_mix(&mix, i);
        snprintf(expected, sizeof(expected), "MMF_OK %d", i);
        process_expect(peer, expected);
        if (i == 1) {
            peer_does(peer, "release 1");
            CHECK_INT(worker_does(mix.owner, job_wait, W(mix.mutex)), MMF_OK);
        } else {
            undo_mix(&mix, i);
        }
    }
    peer_begins(peer, "all -1 3 1 0 2");
    for (int i = 0; i < MIX; i++) {
        peer_await_sleep(peer);
        if (i > 0)
            check_mix(&mix, i - 1, 1);
        peer_await_sleep(peer);
        signal_mix(&mix, i);
    }
    process_expect(peer, "MMF_OK");
    for (int i = 0; i < MIX; i++)
        check_mix(&mix, i, i == 2);
    peer_end(peer);
    CHECK_STATUS(mmf_mutex_wait(mix.mutex, LONG_MS), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mix.mutex));
    close_mix(&mix);
}

/*
 * All or nothing, watched by others.
 *
 * Takers wait for both and release the first, then the second. So a thread that has got
 * the second knows that the first is there, or will be soon, if no thread takes one of
 * them while the other is missing. A taker that holds the first and waits for the
 * second would keep the watcher waiting forever.
 */
struct pair {
    struct object first, second;
    atomic_int stop;
    atomic_int takes;
    int backwards; /* this taker names them in the other order */
    struct pair *shared;
};

static int
job_take_pairs(void *argument)
{
    struct pair *pair = argument;
    struct pair *shared = pair->shared;
    mmf_waitable *objects[2] = {object_waitable(&shared->first),
                                object_waitable(&shared->second)};

    if (pair->backwards) {
        mmf_waitable *swapped = objects[0];

        objects[0] = objects[1];
        objects[1] = swapped;
    }
    while (!atomic_load(&shared->stop)) {
        int rc = mmf_wait_all(objects, 2, 5);

        if (rc == MMF_TIMED_OUT)
            continue;
        CHECK_STATUS(rc, MMF_OK);
        atomic_fetch_add(&shared->takes, 1);
        CHECK_STATUS(object_signal(&shared->first), MMF_OK);
        CHECK_STATUS(object_signal(&shared->second), MMF_OK);
    }
    return MMF_OK;
}

static void
watch_pairs(const char *name, mmf_kind kind)
{
    enum { TAKERS = 3 };
    struct pair shared = {.first = new_object(kind, with_suffix(name, " first")),
                          .second = new_object(kind, with_suffix(name, " second"))};
    struct pair takers[TAKERS] = {
        {.shared = &shared}, {.shared = &shared, .backwards = 1}, {.shared = &shared}};
    struct worker *workers[TAKERS];
    int64_t until = now_us() + (harness_long() ? 20000000 : 150000);
    int late = 0, looks = 0;

    for (int i = 0; i < TAKERS; i++) {
        workers[i] = worker_start();
        worker_begin(workers[i], job_take_pairs, &takers[i]);
    }
    while (now_us() < until || looks < 10 || atomic_load(&shared.takes) < 10) {
        CHECK_STATUS(object_wait(&shared.second, LONG_MS), MMF_OK);
        if (object_wait(&shared.first, 0) == MMF_TIMED_OUT) {
            late++;
            CHECK_STATUS(object_wait(&shared.first, LONG_MS / 4), MMF_OK);
        }
        looks++;
        CHECK_STATUS(object_signal(&shared.first), MMF_OK);
        CHECK_STATUS(object_signal(&shared.second), MMF_OK);
        CHECK(now_us() < until + LONG_MS * 1000);
    }
    atomic_store(&shared.stop, 1);
    for (int i = 0; i < TAKERS; i++) {
        CHECK_INT(worker_result(workers[i]), MMF_OK);
        worker_end(workers[i]);
    }
    print_message("%s %s: %d looks, %d of them a moment late, %d pairs taken\n",
                  name == NULL ? "unnamed" : name, mmf_kind_name(kind), looks, late,
                  atomic_load(&shared.takes));
    object_close(&shared.first);
    object_close(&shared.second);
}

static void
rule_7_1_6_no_thread_sees_half_of_a_wait_all(void **state)
{
    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        watch_pairs(NULL, kind);
        watch_pairs("Cat", kind);
    }
}

static int
count_busy(struct worker *const *workers, int count)
{
    int busy = 0;

    for (int i = 0; i < count; i++)
        busy += worker_is_busy(workers[i]);
    return busy;
}

/* What a wait for all lacks does not keep others from the rest of it. */
static void
others_take_meanwhile(const char *name)
{
    mmf_semaphore *missing = new_semaphore(with_suffix(name, " missing"), 0, 1);
    mmf_semaphore *there = new_semaphore(with_suffix(name, " there"), 1, 1);
    struct several wait = {
        .objects = {W(there), W(missing)}, .count = 2, .timeout_ms = MMF_INFINITE};
    struct worker *workers[3];

    for (int i = 0; i < 3; i++) {
        workers[i] = worker_start();
        worker_begin(workers[i], job_wait_all, &wait);
        worker_await_sleep(workers[i]);
    }
    for (int i = 0; i < 2000; i++) {
        CHECK_STATUS(mmf_semaphore_wait(there, 0), MMF_OK);
        CHECK_STATUS(mmf_semaphore_release(there, 1, NULL), MMF_OK);
    }
    for (int left = 3; left > 0; left--) {
        int64_t deadline = now_us() + LONG_MS * 1000;

        CHECK_INT(count_busy(workers, 3), left);
        CHECK_STATUS(mmf_semaphore_release(missing, 1, NULL), MMF_OK);
        while (count_busy(workers, 3) == left)
            CHECK(now_us() < deadline);
        CHECK_STATUS(mmf_semaphore_wait(there, 0), MMF_TIMED_OUT);
        CHECK_STATUS(mmf_semaphore_release(there, 1, NULL), MMF_OK);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_INT(worker_result(workers[i]), MMF_OK);
        worker_end(workers[i]);
    }
    CHECK_STATUS(mmf_semaphore_wait(missing, 0), MMF_TIMED_OUT);
    mmf_semaphore_close(missing);
    mmf_semaphore_close(there);
}

static void
rule_7_1_6_others_may_take_meanwhile(void **state)
{
    (void)state;
    for_each_name(others_take_meanwhile);
}

/* Many waits for all over the same objects in every order get on. */
struct ring {
    mmf_semaphore *forks[5];
    int first, second, rounds;
};

static int
job_dine(void *argument)
{
    struct ring *ring = argument;
    mmf_waitable *objects[2] = {W(ring->forks[ring->first]),
                                W(ring->forks[ring->second])};

    for (int i = 0; i < ring->rounds; i++) {
        CHECK_STATUS(mmf_wait_all(objects, 2, LONG_MS), MMF_OK);
        CHECK_STATUS(mmf_semaphore_release(ring->forks[ring->first], 1, NULL), MMF_OK);
        CHECK_STATUS(mmf_semaphore_release(ring->forks[ring->second], 1, NULL), MMF_OK);
    }
    return MMF_OK;
}

static void
dine(const char *name)
{
    static const char *const suffixes[] = {" 0", " 1", " 2", " 3", " 4"};
    struct ring rings[5];
    struct worker *workers[5];
    mmf_semaphore *forks[5];

    for (int i = 0; i < 5; i++)
        forks[i] = new_semaphore(with_suffix(name, suffixes[i]), 1, 1);
    for (int i = 0; i < 5; i++) {
        memcpy(rings[i].forks, forks, sizeof(forks));
        rings[i].first = i;
        rings[i].second = (i + 1) % 5;
        rings[i].rounds = harness_long() ? 100000 : 500;
        workers[i] = worker_start();
        worker_begin(workers[i], job_dine, &rings[i]);
    }
    for (int i = 0; i < 5; i++) {
        CHECK_INT(worker_result(workers[i]), MMF_OK);
        worker_end(workers[i]);
    }
    for (int i = 0; i < 5; i++) {
        CHECK_STATUS(mmf_semaphore_wait(forks[i], 0), MMF_OK);
        mmf_semaphore_close(forks[i]);
    }
}

static void
waits_for_all_in_any_order_get_on(void **state)
{
    (void)state;
    dine(NULL);
    dine("Cat");
}

/*
 * SignalAndWait.
 */

/* Signals each kind, and waits for each; what is not available times out. */
static void
signal_each_and_wait_for_each(const char *name)
{
    for (mmf_kind one = FIRST_KIND; one <= LAST_KIND; one++) {
        for (mmf_kind other = FIRST_KIND; other <= LAST_KIND; other++) {
            struct object signal = new_object(one, with_suffix(name, " signal"));
            struct object wait = new_object(other, with_suffix(name, " wait"));
            struct worker *worker = worker_start();

            CHECK_CONTEXT("%s, then %s, name %s", mmf_kind_name(one),
                          mmf_kind_name(other), name == NULL ? "none" : name);
            /* What is to be signalled cannot be had; what is waited for can. */
            CHECK_STATUS(object_wait(&signal, 0), MMF_OK);
            CHECK_STATUS(mmf_signal_and_wait(object_waitable(&signal),
                                             object_waitable(&wait), LONG_MS),
                         MMF_OK);
            CHECK_INT(worker_does(worker, job_poll, object_waitable(&wait)),
                      MMF_TIMED_OUT);
            CHECK_STATUS(object_wait(&signal, 0), MMF_OK);
            CHECK_STATUS(object_signal(&wait), MMF_OK);
            /* Now the other cannot be had: the signal stays all the same. */
            CHECK_INT(worker_does(worker, job_poll, object_waitable(&wait)), MMF_OK);
            CHECK_STATUS(mmf_signal_and_wait(object_waitable(&signal),
                                             object_waitable(&wait), 0),
                         MMF_TIMED_OUT);
            CHECK_STATUS(object_wait(&signal, 0), MMF_OK);
            CHECK_STATUS(mmf_signal_and_wait(object_waitable(&signal),
                                             object_waitable(&wait), SHORT_MS),
                         MMF_TIMED_OUT);
            CHECK_STATUS(object_wait(&signal, 0), MMF_OK);
            if (one == MMF_KIND_MUTEX)
                CHECK_STATUS(object_signal(&signal), MMF_OK);
            worker_end(worker);
            object_close(&signal);
            object_close(&wait);
        }
    }
}

static void
rule_7_1_8_signal_stays_when_the_wait_times_out(void **state)
{
    (void)state;
    for_each_name(signal_each_and_wait_for_each);
}

static void
failing_signals(const char *name)
{
    mmf_mutex *mutex = new_mutex(with_suffix(name, " mutex"));
    mmf_semaphore *semaphore = new_semaphore(with_suffix(name, " semaphore"), 2, 2);
    mmf_event *event = auto_event(with_suffix(name, " event"), 1);
    struct worker *owner = worker_start();

    CHECK_FAILS(mmf_signal_and_wait(W(mutex), W(event), LONG_MS), MMF_E_NOT_OWNER);
    CHECK_INT(worker_does(owner, job_poll, W(mutex)), MMF_OK);
    CHECK_FAILS(mmf_signal_and_wait(W(mutex), W(event), MMF_INFINITE), MMF_E_NOT_OWNER);
    CHECK_FAILS(mmf_signal_and_wait(W(semaphore), W(event), LONG_MS), MMF_E_MAXIMUM);
    /* No wait was done. */
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_OK);
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_OK);
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_TIMED_OUT);
    CHECK_INT(worker_does(owner, job_release, mutex), MMF_OK);
    worker_end(owner);
    mmf_mutex_close(mutex);
    mmf_semaphore_close(semaphore);
    mmf_event_close(event);
}

static void
rule_7_1_8_no_wait_after_a_failed_signal(void **state)
{
    (void)state;
    for_each_name(failing_signals);
}

/* The same object for both: signalled, then taken. */
static void
signal_and_wait_for_the_same(void **state)
{
    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = new_object(kind, "Cat");

        CHECK_STATUS(object_wait(&object, 0), MMF_OK);
        CHECK_STATUS(
            mmf_signal_and_wait(object_waitable(&object), object_waitable(&object), 0),
            MMF_OK);
        if (kind == MMF_KIND_MUTEX) {
            CHECK_STATUS(mmf_mutex_release(object.mutex), MMF_OK);
            CHECK_FAILS(mmf_mutex_release(object.mutex), MMF_E_NOT_OWNER);
        } else {
            CHECK_STATUS(object_wait(&object, 0), MMF_TIMED_OUT);
        }
        object_close(&object);
    }
}

/* A mutex is released once, not wholly. */
static void
signal_and_wait_releases_once(void **state)
{
    mmf_mutex *mutex = owned_mutex("Cat");
    mmf_event *event = manual_event(NULL, 1);
    struct worker *other = worker_start();

    (void)state;
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_STATUS(mmf_signal_and_wait(W(mutex), W(event), 0), MMF_OK);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_signal_and_wait(W(mutex), W(event), 0), MMF_OK);
    CHECK_FAILS(mmf_mutex_release(mutex), MMF_E_NOT_OWNER);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_OK);
    worker_end(other);
    /* The wait may find an abandoned one. */
    CHECK_STATUS(mmf_signal_and_wait(W(event), W(mutex), LONG_MS), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
    mmf_event_close(event);
}

static void
signal_and_wait_with_another_process(void **state)
{
    mmf_event *there = auto_event("there", 0), *back = auto_event("back", 0);
    struct process *peer = peer_start();
    int rounds = 200;

    (void)state;
    peer_does(peer, "open event 0 there");
    peer_does(peer, "open event 1 back");
    peer_begins(peer, "echo 0 1 %d", rounds);
    for (int i = 0; i < rounds; i++)
        CHECK_STATUS(mmf_signal_and_wait(W(there), W(back), LONG_MS), MMF_OK);
    process_expect(peer, "MMF_OK");
    peer_does(peer, "set 0");
    peer_does(peer, "swap %d 1 0", LONG_MS);
    CHECK_STATUS(mmf_event_wait(back, 0), MMF_OK);
    peer_end(peer);
    mmf_event_close(there);
    mmf_event_close(back);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_7_1_6_wait_any_takes_the_lowest_index),
        cmocka_unit_test(rule_7_1_6_wait_any_of_the_same_takes_the_lowest_index),
        cmocka_unit_test(rule_7_1_4_wait_any_sleeps_on_any_mix),
        cmocka_unit_test(rule_7_1_6_wait_all_takes_all_or_nothing),
        cmocka_unit_test(rule_7_1_6_wait_all_that_times_out_changes_nothing),
        cmocka_unit_test(rule_7_1_6_wait_all_of_one_is_wait_any_of_one),
        cmocka_unit_test(waits_of_another_process),
        cmocka_unit_test(rule_7_1_6_no_thread_sees_half_of_a_wait_all),
        cmocka_unit_test(rule_7_1_6_others_may_take_meanwhile),
        cmocka_unit_test(waits_for_all_in_any_order_get_on),
        cmocka_unit_test(rule_7_1_8_signal_stays_when_the_wait_times_out),
        cmocka_unit_test(rule_7_1_8_no_wait_after_a_failed_signal),
        cmocka_unit_test(signal_and_wait_for_the_same),
        cmocka_unit_test(signal_and_wait_releases_once),
        cmocka_unit_test(signal_and_wait_with_another_process),
    };

    return harness_main(argc, argv, "sync_wait", tests, COUNT_OF(tests), roles);
}
