/*
 * poll_test.c - mmf_waitable_fd: poll and epoll report when an object may be available,
 * also if many threads and processes are at it. tests/scenarios/poll.scn has the rest.
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
    struct crew crew = {0};
    struct usage before;
    int rounds = harness_long() ? 3000 : 50;

    usage_take(&before);
    for (int round = 0; round < rounds; round++) {
        struct askers askers = {.object = new_object(FIRST_KIND + round % 3, name),
                                .start = THREADS};

        crew_begin(&crew, THREADS, job_ask, &askers, 0);
        crew_await(&crew);
        for (int i = 1; i < THREADS; i++)
            CHECK_INT(askers.fds[i], askers.fds[0]);
        object_close(&askers.object);
    }
    usage_check_same(&before);
    crew_end(&crew);
}

TEST(threads_get_the_same_descriptor)
{
    threads_ask_at_once(NULL);
    threads_ask_at_once("Cat");
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

TEST(pollers_beside_waits_for_all)
{
    mmf_semaphore *there = new_semaphore("there", 1, 1);
    mmf_semaphore *flickers = new_semaphore("flickers", 0, 1);
    struct several pair = {.objects = {W(there), W(flickers)}};
    struct worker *worker = worker_start();
    int looks = 0;

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
        peer_begins(peer, "times %d signal_and_wait back there %d", rounds, LONG_MS);
    else
        worker_begin(worker, echo, echo_argument);
    for (int i = 0; i < rounds; i++) {
        if (peer == NULL) /* else its first signal comes first */
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
        if (peer != NULL)
            CHECK_OK(mmf_event_set(there));
    }
    if (peer != NULL)
        peer_answered(peer, "MMF_OK");
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

TEST(no_readiness_is_lost_between_threads)
{
    struct worker *worker = worker_start();

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

TEST(no_readiness_is_lost_between_processes)
{
    mmf_event *there = auto_event("there", 0), *back = auto_event("back", 0);
    struct process *peer = peer_start();

    peer_does(peer, "there = open event there");
    peer_does(peer, "back = open event back");
    hand_over_events("processes", peer, NULL, NULL, NULL, there, back,
                     harness_long() ? 250000 : 5000);
    peer_end(peer);
    mmf_event_close(there);
    mmf_event_close(back);
}

/* Counts that come at any speed: all are found by hints alone. */
TEST(no_count_is_lost)
{
    enum { SEMAPHORES = 3 };
    static const char *const names[] = {"one", "two", "three"};
    int count = harness_long() ? 300000 : 3000;
    mmf_semaphore *semaphores[SEMAPHORES];
    mmf_waitable *objects[SEMAPHORES];
    struct process *givers[SEMAPHORES];
    struct epoller epoller;
    int taken = 0, vain = 0;

    for (int i = 0; i < SEMAPHORES; i++) {
        semaphores[i] = new_semaphore(names[i], 0, INT32_MAX);
        objects[i] = W(semaphores[i]);
        givers[i] = peer_start();
        peer_does(givers[i], "s = open semaphore %s", names[i]);
    }
    epoller = epoll_for(objects, SEMAPHORES);
    for (int i = 0; i < SEMAPHORES; i++)
        peer_begins(givers[i], "times %d release s 1", count);
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
        peer_answered(givers[i], "MMF_OK");
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

TEST(pollers_beside_sleepers)
{
    mmf_semaphore *semaphore = new_semaphore("Cat", 0, INT32_MAX);
    struct several wait = {.objects = {W(semaphore)}};
    struct worker *worker = worker_start();
    struct process *giver = peer_start();
    int count = harness_long() ? 300000 : 3000;
    int fd = fd_of(W(semaphore)), taken = 0;

    peer_does(giver, "s = open semaphore Cat");
    worker_begin(worker, job_take_many, &wait);
    peer_begins(giver, "times %d release s 1", count);
    while (worker_is_busy(worker))
        if (is_readable(fd, 10) && mmf_semaphore_wait(semaphore, 0) == MMF_OK)
            taken++;
    CHECK_INT(worker_result(worker), MMF_OK);
    peer_answered(giver, "MMF_OK"); /* it may have paused for longer than the worker */
    while (mmf_semaphore_wait(semaphore, 0) == MMF_OK)
        taken++;
    CHECK_INT(taken + wait.index, count);
    worker_end(worker);
    peer_end(giver);
    mmf_semaphore_close(semaphore);
}
