/*
 * poll_test.c - mmf_waitable_fd: poll and epoll report when an object may be available.
 *
 * The descriptor is a hint: poll, wait with timeout 0, poll again. So a poll may be
 * readable for nothing; but no readiness may be lost, and what is available is
 * readable.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

static int
fd_of(mmf_waitable *object)
{
    int fd = -7;

    CHECK_OK(mmf_waitable_fd(object, &fd));
    CHECK(fd >= 0);
    return fd;
}

static int
is_readable(int fd, int timeout_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    int rc;

    do
        rc = poll(&poller, 1, timeout_ms);
    while (rc < 0 && errno == EINTR);
    CHECK(rc >= 0);
    if (rc == 1)
        CHECK_INT(poller.revents, POLLIN);
    return rc;
}

/*
 * As documented: poll, look, poll again, until it is had. Answers what the look that
 * took it did; `*looks` counts all.
 */
static int
take_by_poll(mmf_waitable *object, int *looks)
{
    int fd = fd_of(object);

    for (;;) {
        int rc;

        if (!is_readable(fd, LONG_MS))
            CHECK_FAIL("a hint was lost");
        ++*looks;
        rc = mmf_wait_one(object, 0);
        if (rc != MMF_TIMED_OUT)
            return rc;
    }
}

/*
 * States.
 */

static void
follow_states(const char *name)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = new_object(kind, name);
        int fd = fd_of(object_waitable(&object));
        struct worker *other = worker_start();

        CHECK_CONTEXT("%s, %s", mmf_kind_name(kind), name == NULL ? "unnamed" : name);
        CHECK_INT(fd_of(object_waitable(&object)), fd); /* always the same */
        CHECK(is_readable(fd, 0));
        CHECK(is_readable(fd, 0)); /* polling takes nothing */
        CHECK_INT(worker_does(other, job_poll, object_waitable(&object)), MMF_OK);
        /* Taken: the look finds nothing, and so do the polls after it. */
        CHECK_STATUS(object_wait(&object, 0), MMF_TIMED_OUT);
        CHECK(!is_readable(fd, 0));
        CHECK(!is_readable(fd, SHORT_MS));
        if (kind == MMF_KIND_MUTEX)
            CHECK_INT(worker_does(other, job_release, object.mutex), MMF_OK);
        else
            CHECK_STATUS(object_signal(&object), MMF_OK);
        CHECK(is_readable(fd, 0));
        CHECK_STATUS(object_wait(&object, 0), MMF_OK);
        if (kind != MMF_KIND_MUTEX) {
            CHECK_STATUS(object_wait(&object, 0), MMF_TIMED_OUT);
            CHECK(!is_readable(fd, 0));
        }
        worker_end(other);
        object_close(&object);
    }
}

static void
readable_while_it_is_available(void **state)
{
    (void)state;
    for_each_name(follow_states);
}

/* Level: as long as there is something left the next poll says so. */
static void
follow_levels(const char *name)
{
    mmf_semaphore *semaphore = new_semaphore(with_suffix(name, " semaphore"), 3, 10);
    mmf_event *event = manual_event(with_suffix(name, " manual"), 0);
    mmf_mutex *mutex = new_mutex(with_suffix(name, " mutex"));
    int of_semaphore = fd_of(W(semaphore)), of_event = fd_of(W(event)),
        of_mutex = fd_of(W(mutex));

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++) {
            CHECK(is_readable(of_semaphore, 0));
            CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_OK);
        }
        CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_TIMED_OUT);
        CHECK(!is_readable(of_semaphore, 0));
        CHECK_OK(mmf_semaphore_release(semaphore, 3, NULL));
    }
    CHECK(!is_readable(of_event, 0));
    CHECK_OK(mmf_event_set(event));
    for (int i = 0; i < 5; i++) {
        CHECK(is_readable(of_event, 0));
        CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    }
    CHECK_OK(mmf_event_reset(event));
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    CHECK(!is_readable(of_event, 0));
    /* Its owner can have a mutex again and again. */
    for (int i = 0; i < 5; i++) {
        CHECK(is_readable(of_mutex, 0));
        CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    }
    for (int i = 0; i < 5; i++)
        CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    CHECK(is_readable(of_mutex, 0));
    mmf_semaphore_close(semaphore);
    mmf_event_close(event);
    mmf_mutex_close(mutex);
}

static void
readable_again_while_there_is_more(void **state)
{
    (void)state;
    for_each_name(follow_levels);
}

/* Waits of other ways use the hints up as well, and leave none out. */
static void
all_ways_to_wait_keep_the_readiness(void **state)
{
    mmf_semaphore *semaphore = new_semaphore("Cat", 0, 10);
    mmf_event *event = manual_event(NULL, 1);
    mmf_waitable *objects[] = {W(semaphore), W(event)};
    int fd = fd_of(W(semaphore)), of_event = fd_of(W(event)), index;

    (void)state;
    for (int way = 0; way < 4; way++) {
        CHECK_CONTEXT("way %d", way);
        CHECK(!is_readable(fd, 0));
        CHECK_OK(mmf_semaphore_release(semaphore, 2, NULL));
        for (int i = 0; i < 2; i++) {
            CHECK(is_readable(fd, 0));
            CHECK(is_readable(of_event, 0));
            if (way == 0)
                CHECK_STATUS(mmf_wait_any(objects, 2, 0, &index), MMF_OK);
            else if (way == 1)
                CHECK_STATUS(mmf_wait_all(objects, 2, 0), MMF_OK);
            else if (way == 2)
                CHECK_STATUS(mmf_semaphore_wait(semaphore, LONG_MS), MMF_OK);
            else
                CHECK_STATUS(mmf_signal_and_wait(W(event), W(semaphore), 0), MMF_OK);
        }
        CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_TIMED_OUT);
    }
    mmf_semaphore_close(semaphore);
    mmf_event_close(event);
}

/*
 * The descriptor itself.
 */
static void
check_descriptor(const char *name)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct usage before;
        struct object object = new_object(kind, name), other = {0};
        int fd, second;

        usage_take(&before);
        fd = fd_of(object_waitable(&object));
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
        if (name != NULL) { /* each handle has its own */
            CHECK_OK(object_open(&other, kind, name, NULL));
            second = fd_of(object_waitable(&other));
            CHECK(second != fd);
            CHECK(is_readable(second, 0));
            object_close(&other);
            CHECK(fcntl(second, F_GETFD) < 0 && errno == EBADF);
            CHECK(is_readable(fd, 0));
        }
        object_close(&object);
        CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
        object = new_object(kind, name);
        usage_check_same(&before);
        object_close(&object);
    }
}

static void
closed_with_the_handle(void **state)
{
    (void)state;
    for_each_name(check_descriptor);
}

/* The limit leaves no descriptor: said as it is, and nothing is lost by it. */
static void
no_descriptor_left(const char *name)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = new_object(kind, name);
        struct rlimit limit, none;
        int fd = -7;

        CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        none = limit;
        none.rlim_cur = 0;
        CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
        CHECK_FAILS(mmf_waitable_fd(object_waitable(&object), &fd), MMF_E_IO);
        CHECK_INT(fd, -7);
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        CHECK_STATUS(object_wait(&object, 0), MMF_OK);
        CHECK_STATUS(object_signal(&object), MMF_OK);
        CHECK(is_readable(fd_of(object_waitable(&object)), 0));
        object_close(&object);
    }
}

static void
without_a_descriptor_it_fails(void **state)
{
    (void)state;
    for_each_name(no_descriptor_left);
}

/* Threads that ask for it at the same time get the same one. */
struct askers {
    struct object object;
    atomic_int start;
    atomic_int fds[4];
    atomic_int next;
};

static int
job_ask(void *argument)
{
    struct askers *askers = argument;
    int rc;

    atomic_fetch_sub(&askers->start, 1);
    while (atomic_load(&askers->start) > 0)
        continue;
    atomic_store(&askers->fds[atomic_fetch_add(&askers->next, 1)],
                 fd_of(object_waitable(&askers->object)));
    rc = object_wait(&askers->object, 0);
    if (rc == MMF_OK)
        CHECK_STATUS(object_signal(&askers->object), MMF_OK);
    return MMF_OK;
}

static void
threads_ask_at_once(const char *name)
{
    enum { THREADS = 4 };
    struct worker *workers[THREADS];
    struct usage before;
    int rounds = harness_long() ? 3000 : 50;

    for (int i = 0; i < THREADS; i++)
        workers[i] = worker_start();
    usage_take(&before);
    for (int round = 0; round < rounds; round++) {
        struct askers askers = {.object = new_object(FIRST_KIND + round % 3, name),
                                .start = THREADS};

        for (int i = 0; i < THREADS; i++)
            worker_begin(workers[i], job_ask, &askers);
        for (int i = 0; i < THREADS; i++)
            CHECK_INT(worker_result(workers[i]), MMF_OK);
        for (int i = 1; i < THREADS; i++)
            CHECK_INT(askers.fds[i], askers.fds[0]);
        object_close(&askers.object);
    }
    usage_check_same(&before);
    for (int i = 0; i < THREADS; i++)
        worker_end(workers[i]);
}

static void
threads_get_the_same_descriptor(void **state)
{
    (void)state;
    threads_ask_at_once(NULL);
    threads_ask_at_once("Cat");
}

/*
 * Other processes.
 */

/* As documented: look, then poll. A mutex's descriptor may be readable for a moment more. */
static void
peer_finds_nothing(struct process *peer)
{
    int64_t deadline = now_us() + LONG_MS * INT64_C(1000);
    char line[64];

    do {
        peer_answers(peer, "MMF_TIMED_OUT", "wait 0 0");
        peer_begins(peer, "poll 0 0");
        CHECK(process_read_line(peer, line, sizeof(line)) != NULL);
    } while (strcmp(line, "MMF_OK no") != 0 && now_us() < deadline);
    CHECK(strcmp(line, "MMF_OK no") == 0);
}

static void
signalled_by_another_process(void **state)
{
    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = new_object(kind, "Global\\Cat");
        struct process *peer = peer_start();
        int fd = fd_of(object_waitable(&object));

        CHECK_CONTEXT("%s", mmf_kind_name(kind));
        peer_does(peer, "open %s 0 Global\\Cat", mmf_kind_name(kind));
        for (int round = 0; round < 20; round++) {
            int looks = 0;

            peer_does(peer, "wait 0 0");
            CHECK_STATUS(object_wait(&object, 0), MMF_TIMED_OUT);
            CHECK(!is_readable(fd, 0));
            if (kind == MMF_KIND_MUTEX)
                peer_does(peer, "release 0");
            else if (kind == MMF_KIND_EVENT)
                peer_does(peer, "set 0");
            else
                peer_answers(peer, "MMF_OK 0", "post 0 1");
            CHECK_INT(take_by_poll(object_waitable(&object), &looks), MMF_OK);
            CHECK_INT(looks, 1);
            CHECK_STATUS(object_signal(&object), MMF_OK);
        }
        /* And this process notifies it. */
        peer_does(peer, "fd 0");
        peer_does(peer, "wait 0 0");
        if (kind == MMF_KIND_MUTEX)
            peer_does(peer, "release 0");
        CHECK_STATUS(object_wait(&object, 0),
                     kind == MMF_KIND_MUTEX ? MMF_OK : MMF_TIMED_OUT);
        peer_finds_nothing(peer);
        peer_begins(peer, "poll 0 %d", LONG_MS);
        CHECK_STATUS(object_signal(&object), MMF_OK);
        process_expect(peer, "MMF_OK yes");
        peer_does(peer, "wait 0 0");
        peer_end(peer);
        object_close(&object);
    }
}

/*
 * The owner is killed while we poll; when the hint comes its lock may be there still,
 * so one look may be one too early, but then another hint follows.
 */
static void
owner_killed(void **state)
{
    mmf_mutex *mutex = new_mutex("Cat");
    int rounds = harness_long() ? 1000 : 40;
    int64_t longest = 0;
    int looks = 0;

    (void)state;
    for (int round = 0; round < rounds; round++) {
        struct process *owner = peer_start();
        int64_t dead;

        peer_does(owner, "open mutex 0 Cat");
        peer_does(owner, "wait 0 %d", LONG_MS);
        while (is_readable(fd_of(W(mutex)), 0))
            CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_TIMED_OUT);
        if (round % 2 == 0) {
            process_kill(owner);
        } else {
            peer_begins(owner, "quit");
            peer_end(owner);
        }
        dead = now_us();
        CHECK_INT(take_by_poll(W(mutex), &looks), MMF_ABANDONED);
        if (now_us() - dead > longest)
            longest = now_us() - dead;
        CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    }
    print_message("%d looks for %d deaths; notified after %.1f ms at most\n", looks,
                  rounds, (double)longest / 1000);
    mmf_mutex_close(mutex);
}

/* The descriptor is asked for when the owner is dead already. */
static void
owner_was_killed_before(void **state)
{
    mmf_mutex *mutex = new_mutex("Cat");
    struct process *owner = peer_start();
    int looks = 0;

    (void)state;
    peer_does(owner, "open mutex 0 Cat");
    peer_does(owner, "wait 0 %d", LONG_MS);
    process_kill(owner);
    CHECK_INT(take_by_poll(W(mutex), &looks), MMF_ABANDONED);
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    mmf_mutex_close(mutex);
}

static void
owner_s_thread_ends(const char *name)
{
    mmf_mutex *mutex = new_mutex(name);
    int fd = fd_of(W(mutex));

    for (int round = 0; round < 5; round++) {
        struct worker *owner = worker_start();
        int looks = 0;

        CHECK_INT(worker_does(owner, job_poll, W(mutex)), MMF_OK);
        CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_TIMED_OUT);
        CHECK(!is_readable(fd, 0));
        worker_end(owner);
        CHECK_INT(take_by_poll(W(mutex), &looks), MMF_ABANDONED);
        CHECK_INT(looks, 1);
        CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    }
    mmf_mutex_close(mutex);
}

static void
owner_thread_ends(void **state)
{
    (void)state;
    for_each_name(owner_s_thread_ends);
}

/* A wait for all that gives up what it had reserved lets pollers look again. */
static int
job_try_pairs(void *argument)
{
    struct several *pair = argument;

    for (int i = 0; i < 2000; i++) {
        int rc = mmf_wait_all(pair->objects, 2, 0);

        if (rc == MMF_OK) {
            CHECK_STATUS(mmf_wait_one(pair->objects[0], 0), MMF_TIMED_OUT);
            pair->index++;
            return MMF_OK;
        }
        CHECK_STATUS(rc, MMF_TIMED_OUT);
    }
    return MMF_OK;
}

static void
pollers_beside_waits_for_all(void **state)
{
    mmf_semaphore *there = new_semaphore("there", 1, 1);
    mmf_semaphore *flickers = new_semaphore("flickers", 0, 1);
    struct several pair = {.objects = {W(there), W(flickers)}};
    struct worker *worker = worker_start();
    int looks = 0;

    (void)state;
    fd_of(W(there));
    worker_begin(worker, job_try_pairs, &pair);
    for (int i = 0; worker_is_busy(worker); i++) {
        CHECK_INT(take_by_poll(W(there), &looks), MMF_OK);
        if (i % 2 == 0) { /* cannot be had by the pair: we have the other one */
            CHECK_OK(mmf_semaphore_release(flickers, 1, NULL));
            CHECK_STATUS(mmf_semaphore_wait(flickers, LONG_MS), MMF_OK);
        }
        CHECK_OK(mmf_semaphore_release(there, 1, NULL));
    }
    CHECK_INT(worker_result(worker), MMF_OK);
    CHECK_INT(pair.index, 0);
    worker_end(worker);
    mmf_semaphore_close(there);
    mmf_semaphore_close(flickers);
}

/*
 * Hand-overs. Each round trip needs two hints; one that is lost ends the test.
 */

struct epoller {
    int epoll;
};

static struct epoller
epoll_for(mmf_waitable *const *objects, int count)
{
    struct epoller epoller = {.epoll = epoll_create1(EPOLL_CLOEXEC)};

    CHECK(epoller.epoll >= 0);
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

        CHECK(epoll_ctl(epoller.epoll, EPOLL_CTL_ADD, fd_of(objects[i]), &event) == 0);
    }
    return epoller;
}

/* Which object has a hint. */
static int
next_ready(const struct epoller *epoller)
{
    struct epoll_event event;
    int rc;

    do
        rc = epoll_wait(epoller->epoll, &event, 1, LONG_MS);
    while (rc < 0 && errno == EINTR);
    if (rc != 1)
        CHECK_FAIL("a hint was lost");
    return (int)event.data.u32;
}

static void
hand_over_events(const char *name, struct process *peer, struct worker *worker,
                 job echo, void *echo_argument, mmf_event *there, mmf_event *back,
                 int rounds)
{
    mmf_waitable *objects[] = {W(back)};
    struct epoller epoller = epoll_for(objects, 1);
    int vain = 0;

    if (peer != NULL)
        peer_begins(peer, "echo 0 1 %d", rounds);
    else
        worker_begin(worker, echo, echo_argument);
    for (int i = 0; i < rounds; i++) {
        CHECK_OK(mmf_event_set(there));
        for (;;) {
            int rc;

            CHECK_INT(next_ready(&epoller), 0);
            rc = mmf_event_wait(back, 0);
            if (rc == MMF_OK)
                break;
            CHECK_STATUS(rc, MMF_TIMED_OUT);
            vain++;
        }
    }
    if (peer != NULL)
        process_expect(peer, "MMF_OK");
    else
        CHECK_INT(worker_result(worker), MMF_OK);
    print_message("%s: %d hand-overs, %d looks in vain\n", name, 2 * rounds, vain);
    close(epoller.epoll);
}

struct echo {
    mmf_event *there, *back;
    int rounds;
};

static int
job_echo(void *argument)
{
    struct echo *echo = argument;
    mmf_waitable *objects[] = {W(echo->there)};
    struct epoller epoller = epoll_for(objects, 1);

    for (int i = 0; i < echo->rounds; i++) {
        int rc;

        do {
            CHECK_INT(next_ready(&epoller), 0);
            rc = mmf_event_wait(echo->there, 0);
        } while (rc == MMF_TIMED_OUT);
        CHECK_STATUS(rc, MMF_OK);
        CHECK_OK(mmf_event_set(echo->back));
    }
    close(epoller.epoll);
    return MMF_OK;
}

static void
no_readiness_is_lost_between_threads(void **state)
{
    struct worker *worker = worker_start();

    (void)state;
    for (int named = 0; named < 2; named++) {
        struct echo echo = {.there = auto_event(named ? "there" : NULL, 0),
                            .back = auto_event(named ? "back" : NULL, 0),
                            .rounds = harness_long() ? 250000 : 5000};

        hand_over_events(named ? "threads, named" : "threads, unnamed", NULL, worker,
                         job_echo, &echo, echo.there, echo.back, echo.rounds);
        mmf_event_close(echo.there);
        mmf_event_close(echo.back);
    }
    worker_end(worker);
}

static void
no_readiness_is_lost_between_processes(void **state)
{
    mmf_event *there = auto_event("there", 0), *back = auto_event("back", 0);
    struct process *peer = peer_start();

    (void)state;
    peer_does(peer, "open event 0 there");
    peer_does(peer, "open event 1 back");
    hand_over_events("processes", peer, NULL, NULL, NULL, there, back,
                     harness_long() ? 250000 : 5000);
    peer_end(peer);
    mmf_event_close(there);
    mmf_event_close(back);
}

/* Counts that come at any speed: all are found by hints alone. */
static void
no_count_is_lost(void **state)
{
    enum { SEMAPHORES = 3 };
    static const char *const names[] = {"one", "two", "three"};
    int count = harness_long() ? 300000 : 3000;
    mmf_semaphore *semaphores[SEMAPHORES];
    mmf_waitable *objects[SEMAPHORES];
    struct process *givers[SEMAPHORES];
    struct epoller epoller;
    int taken = 0, vain = 0;

    (void)state;
    for (int i = 0; i < SEMAPHORES; i++) {
        semaphores[i] = new_semaphore(names[i], 0, INT32_MAX);
        objects[i] = W(semaphores[i]);
        givers[i] = peer_start();
        peer_does(givers[i], "open semaphore 0 %s", names[i]);
    }
    epoller = epoll_for(objects, SEMAPHORES);
    for (int i = 0; i < SEMAPHORES; i++)
        peer_begins(givers[i], "give 0 %d", count);
    while (taken < SEMAPHORES * count) {
        int i = next_ready(&epoller);
        int rc = mmf_semaphore_wait(semaphores[i], 0);

        if (rc == MMF_OK)
            taken++;
        else
            vain++;
    }
    print_message("%d counts taken, %d looks in vain\n", taken, vain);
    for (int i = 0; i < SEMAPHORES; i++) {
        process_expect(givers[i], "MMF_OK");
        peer_end(givers[i]);
        CHECK_STATUS(mmf_semaphore_wait(semaphores[i], 0), MMF_TIMED_OUT);
        mmf_semaphore_close(semaphores[i]);
    }
    close(epoller.epoll);
}

/* Pollers and sleepers for the same counts: each gets some, none is lost. */
static int
job_take_many(void *argument)
{
    struct several *wait = argument;

    while (mmf_wait_one(wait->objects[0], 300) == MMF_OK)
        wait->index++;
    return MMF_OK;
}

static void
pollers_beside_sleepers(void **state)
{
    mmf_semaphore *semaphore = new_semaphore("Cat", 0, INT32_MAX);
    struct several wait = {.objects = {W(semaphore)}};
    struct worker *worker = worker_start();
    struct process *giver = peer_start();
    int count = harness_long() ? 300000 : 3000;
    int fd = fd_of(W(semaphore)), taken = 0;

    (void)state;
    peer_does(giver, "open semaphore 0 Cat");
    worker_begin(worker, job_take_many, &wait);
    peer_begins(giver, "give 0 %d", count);
    while (worker_is_busy(worker))
        if (is_readable(fd, 10) && mmf_semaphore_wait(semaphore, 0) == MMF_OK)
            taken++;
    CHECK_INT(worker_result(worker), MMF_OK);
    while (mmf_semaphore_wait(semaphore, 0) == MMF_OK)
        taken++;
    CHECK_INT(taken + wait.index, count);
    worker_end(worker);
    process_expect(giver, "MMF_OK");
    peer_end(giver);
    mmf_semaphore_close(semaphore);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(readable_while_it_is_available),
        cmocka_unit_test(readable_again_while_there_is_more),
        cmocka_unit_test(all_ways_to_wait_keep_the_readiness),
        cmocka_unit_test(closed_with_the_handle),
        cmocka_unit_test(without_a_descriptor_it_fails),
        cmocka_unit_test(threads_get_the_same_descriptor),
        cmocka_unit_test(signalled_by_another_process),
        cmocka_unit_test(owner_killed),
        cmocka_unit_test(owner_was_killed_before),
        cmocka_unit_test(owner_thread_ends),
        cmocka_unit_test(pollers_beside_waits_for_all),
        cmocka_unit_test(no_readiness_is_lost_between_threads),
        cmocka_unit_test(no_readiness_is_lost_between_processes),
        cmocka_unit_test(no_count_is_lost),
        cmocka_unit_test(pollers_beside_sleepers),
    };

    return harness_main(argc, argv, "sync_poll", tests, COUNT_OF(tests), roles);
}
