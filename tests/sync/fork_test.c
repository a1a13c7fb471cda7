/*
 * fork_test.c - fork without exec: the child's handles are dead, the parent's are not
 * concerned, and what the parent held dies with the parent although the child lives.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Ways in which a child ends: none of them is an end of the parent's thread.
 */

static void
leave_by__exit(void *argument)
{
    (void)argument;
    _exit(0);
}

static void
leave_by_exit(void *argument)
{
    (void)argument;
    exit(0); /* which runs the destructors of objects, if not of keys */
}

static void
leave_by_pthread_exit(void *argument)
{
    (void)argument;
    pthread_exit(NULL); /* which runs the destructors of keys */
}

static void
leave_after_close(void *argument)
{
    mmf_mutex_close(argument);
    pthread_exit(NULL);
}

static void
leave_after_use(void *argument)
{
    mmf_mutex *mine = NULL;

    CHECK_FAILS(mmf_mutex_release(argument), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_mutex_wait(argument, 0), MMF_E_DISPOSED);
    /* A thread of the child may own something of its own, and leave it. */
    mine = owned_mutex(NULL);
    mmf_mutex_close(argument);
    (void)mine; /* lost with the process */
    pthread_exit(NULL);
}

static void
owned_by_the_forking_thread(const char *name)
{
    static void (*const ways[])(void *) = {leave_by__exit, leave_by_exit,
                                           leave_by_pthread_exit, leave_after_close,
                                           leave_after_use};
    mmf_mutex *mutex = owned_mutex(name);
    struct worker *other = worker_start();

    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        CHECK_CONTEXT("way %zu, name %s", i, name == NULL ? "none" : name);
        if ((HARNESS_ASAN || HARNESS_TSAN) && ways[i] != leave_by__exit)
            continue; /* whose ends of a process look for leaks and threads */
        in_child(ways[i], mutex);
        CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
        CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
        CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
        CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_TIMED_OUT);
    }
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    CHECK_FAILS(mmf_mutex_release(mutex), MMF_E_NOT_OWNER);
    CHECK_INT(worker_does(other, job_poll, W(mutex)), MMF_OK);
    CHECK_INT(worker_does(other, job_release, mutex), MMF_OK);
    worker_end(other);
    mmf_mutex_close(mutex);
}

static void
a_child_s_end_abandons_nothing(void **state)
{
    (void)state;
    for_each_name(owned_by_the_forking_thread);
}

/* Another thread owns it; the child has no such thread. */
static void
owned_by_another_thread(const char *name)
{
    mmf_mutex *mutex = new_mutex(name);
    struct worker *owner = worker_start();

    CHECK_INT(worker_does(owner, job_poll, W(mutex)), MMF_OK);
    in_child(leave_by__exit, NULL);
    if (!HARNESS_ASAN && !HARNESS_TSAN)
        in_child(leave_after_close, mutex);
    CHECK_STATUS(mmf_mutex_wait(mutex, SHORT_MS), MMF_TIMED_OUT);
    CHECK_INT(worker_does(owner, job_release, mutex), MMF_OK);
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    /* And a waiter of the parent goes on waiting. */
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    worker_begin(owner, job_wait_forever, W(mutex));
    worker_await_sleep(owner);
    in_child(leave_by__exit, NULL);
    CHECK(worker_is_busy(owner));
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    CHECK_INT(worker_result(owner), MMF_OK);
    CHECK_INT(worker_does(owner, job_release, mutex), MMF_OK);
    worker_end(owner);
    mmf_mutex_close(mutex);
}

static void
other_threads_of_the_parent_go_on(void **state)
{
    (void)state;
    for_each_name(owned_by_another_thread);
}

/*
 * The child opens the name itself.
 */

/* A byte each way. */
struct line {
    int to_child[2], to_parent[2];
    mmf_mutex *inherited;
};

static void
make_line(struct line *line)
{
    CHECK(pipe2(line->to_child, O_CLOEXEC) == 0);
    CHECK(pipe2(line->to_parent, O_CLOEXEC) == 0);
}

static void
close_line(struct line *line)
{
    close(line->to_child[0]);
    close(line->to_child[1]);
    close(line->to_parent[0]);
    close(line->to_parent[1]);
}

static void
tell(const int ends[2])
{
    CHECK(write(ends[1], "x", 1) == 1);
}

static void
hear(const int ends[2])
{
    char byte;

    CHECK(read(ends[0], &byte, 1) == 1);
}

static pid_t
start_child(void (*run)(struct line *line), struct line *line)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(60);
        run(line);
        _exit(0);
    }
    return pid;
}

static void
end_child(pid_t pid)
{
    int status;

    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
open_and_own(struct line *line)
{
    mmf_mutex *mutex = NULL;

    CHECK_OK(mmf_mutex_open_existing("Cat", NULL, &mutex));
    /* The parent owns it, and so does not the child. */
    CHECK_FAILS(mmf_mutex_release(mutex), MMF_E_NOT_OWNER);
    CHECK_STATUS(mmf_mutex_wait(mutex, SHORT_MS), MMF_TIMED_OUT);
    tell(line->to_parent);
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_OK);
    CHECK_FAILS(mmf_mutex_release(line->inherited), MMF_E_DISPOSED);
    tell(line->to_parent);
    hear(line->to_child);
    /* And dies as its owner, without closing anything. */
}

static void
a_child_may_open_the_name_itself(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct line line = {.inherited = owned_mutex("Cat")};
        pid_t child;

        make_line(&line);
        child = start_child(open_and_own, &line);
        hear(line.to_parent);
        CHECK_STATUS(mmf_mutex_release(line.inherited), MMF_OK);
        hear(line.to_parent);
        CHECK_STATUS(mmf_mutex_wait(line.inherited, SHORT_MS), MMF_TIMED_OUT);
        CHECK_FAILS(mmf_mutex_release(line.inherited), MMF_E_NOT_OWNER);
        tell(line.to_child);
        end_child(child);
        CHECK_STATUS(mmf_mutex_wait(line.inherited, LONG_MS), MMF_ABANDONED);
        CHECK_OK(mmf_mutex_release(line.inherited));
        mmf_mutex_close(line.inherited);
        close_line(&line);
        CHECK_INT(count_files(), 0);
    }
}

static void
use_them_all(struct line *line)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = {0}, unnamed = new_object(kind, NULL);
        int created = -7;

        CHECK_OK(object_create(&object, kind, mmf_kind_name(kind), NULL, &created));
        CHECK_INT(created, 0);
        CHECK_STATUS(object_wait(&object, LONG_MS), MMF_OK);
        tell(line->to_parent);
        hear(line->to_child);
        CHECK_STATUS(object_signal(&object), MMF_OK);
        CHECK_STATUS(object_wait(&unnamed, 0), MMF_OK);
        object_close(&object);
        object_close(&unnamed);
        CHECK_OK(object_create(&object, kind, "only the child's", NULL, &created));
        CHECK_INT(created, 1);
        object_close(&object);
    }
}

static void
a_child_may_use_every_kind(void **state)
{
    struct object objects[3];
    struct line line;
    pid_t child;

    (void)state;
    make_line(&line);
    for (int i = 0; i < 3; i++)
        objects[i] = new_object(FIRST_KIND + i, mmf_kind_name(FIRST_KIND + i));
    child = start_child(use_them_all, &line);
    for (int i = 0; i < 3; i++) {
        hear(line.to_parent);
        CHECK_STATUS(object_wait(&objects[i], 0), MMF_TIMED_OUT);
        tell(line.to_child);
        CHECK_STATUS(object_wait(&objects[i], LONG_MS), MMF_OK);
    }
    end_child(child);
    for (int i = 0; i < 3; i++)
        object_close(&objects[i]);
    close_line(&line);
    CHECK_INT(count_files(), 0);
}

/* A grandchild is a child's child: all over again. */
static void
fork_again(void *argument)
{
    struct object object = {0};

    CHECK_FAILS(mmf_event_set(argument), MMF_E_DISPOSED);
    CHECK_OK(object_open(&object, MMF_KIND_EVENT, "Cat", NULL));
    CHECK_STATUS(object_signal(&object), MMF_OK);
    if (getenv("MMF_TEST_GRANDCHILD") == NULL) {
        setenv("MMF_TEST_GRANDCHILD", "1", 1);
        in_child(fork_again, object.event);
        CHECK_STATUS(object_wait(&object, 0), MMF_OK);
    }
    object_close(&object);
    mmf_event_close(argument);
}

static void
a_grandchild_too(void **state)
{
    mmf_event *event = auto_event("Cat", 0);

    (void)state;
    in_child(fork_again, event);
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    mmf_event_close(event);
    CHECK_INT(count_files(), 0);
}

/*
 * The parent is killed, its child lives.
 */

/* It is started by a peer, not by us: end it all the same. */
static void
end_grandchild(long long pid)
{
    int64_t deadline = now_us() + LONG_MS * 1000;

    CHECK(kill((pid_t)pid, 0) == 0); /* it lived until now */
    CHECK(kill((pid_t)pid, SIGKILL) == 0);
    while (kill((pid_t)pid, 0) == 0 && errno != ESRCH && now_us() < deadline) {
        char path[64], text[256] = "";
        int fd;

        /* Its parent may not wait for it: a zombie is dead. */
        snprintf(path, sizeof(path), "/proc/%lld/stat", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            break;
        if (read(fd, text, sizeof(text) - 1) > 0 && strstr(text, ") Z ") != NULL) {
            close(fd);
            break;
        }
        close(fd);
        usleep(1000);
    }
}

static void
killed_parents_of_living_children(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct process *peer = peer_start();
        struct worker *waiter = worker_start();
        mmf_mutex *mutex = NULL;
        long long child;
        int created = -7;

        peer_answers(peer, "MMF_OK new", "mutex 0 1 Cat");
        peer_answers(peer, "MMF_OK new", "event 1 0 0 event");
        peer_answers(peer, "MMF_OK new", "semaphore 2 0 1 semaphore");
        peer_answers(peer, "MMF_OK new", "mutex 3 0 polled");
        peer_does(peer, "fd 3");
        child = peer_number(peer, "lend");
        CHECK_OK(mmf_mutex_open_existing("Cat", NULL, &mutex));
        worker_begin(waiter, job_wait_forever, W(mutex));
        worker_await_sleep(waiter);
        process_kill(peer);
        CHECK_INT(worker_result(waiter), MMF_ABANDONED);
        CHECK_INT(worker_does(waiter, job_release, mutex), MMF_OK);
        worker_end(waiter);
        mmf_mutex_close(mutex);
        /* The names are free: no process has them open, though the child has copies. */
        mutex = NULL;
        CHECK_OK(mmf_mutex_create_or_open("Cat", 0, NULL, &created, &mutex));
        CHECK_INT(created, 1);
        mmf_mutex_close(mutex);
        mutex = NULL;
        CHECK_OK(mmf_mutex_create_or_open("event", 0, NULL, &created, &mutex));
        CHECK_INT(created, 1);
        mmf_mutex_close(mutex);
        mutex = NULL;
        CHECK_FAILS(mmf_mutex_open_existing("polled", NULL, &mutex), MMF_E_NOT_FOUND);
        CHECK_OK(mmf_gc(0, NULL));
        CHECK_INT(count_files(), 0);
        end_grandchild(child);
    }
}

/* A child that is started while others use mutexes sees nothing half done. */
struct churn {
    mmf_mutex *named, *unnamed;
    atomic_int stop;
};

static int
job_churn(void *argument)
{
    struct churn *churn = argument;

    while (!atomic_load(&churn->stop)) {
        mmf_mutex *own = NULL;

        CHECK_STATUS(mmf_mutex_wait(churn->named, LONG_MS), MMF_OK);
        CHECK_STATUS(mmf_mutex_wait(churn->unnamed, LONG_MS), MMF_OK);
        CHECK_STATUS(mmf_mutex_release(churn->named), MMF_OK);
        CHECK_STATUS(mmf_mutex_release(churn->unnamed), MMF_OK);
        CHECK_OK(mmf_mutex_create_or_open("Dog", 1, NULL, NULL, &own));
        mmf_mutex_release(own);
        mmf_mutex_close(own);
    }
    return MMF_OK;
}

static void
use_in_child_of_many_threads(void *argument)
{
    struct churn *churn = argument;
    mmf_mutex *mutex = NULL;

    CHECK_FAILS(mmf_mutex_wait(churn->named, 0), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_mutex_wait(churn->unnamed, 0), MMF_E_DISPOSED);
    CHECK_OK(mmf_mutex_open_existing("Cat", NULL, &mutex));
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_OK);
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    mmf_mutex_close(mutex);
    mutex = owned_mutex(NULL);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
    mmf_mutex_close(churn->named);
    mmf_mutex_close(churn->unnamed);
}

static void
forks_among_busy_threads(void **state)
{
    enum { THREADS = 3 };
    struct churn churn = {.named = new_mutex("Cat"), .unnamed = new_mutex(NULL)};
    struct worker *workers[THREADS];
    int rounds = harness_long() ? 2000 : 60;

    (void)state;
    if (HARNESS_TSAN)
        harness_skip("the thread sanitizer knows no threads after a fork of threads");
    for (int i = 0; i < THREADS; i++) {
        workers[i] = worker_start();
        worker_begin(workers[i], job_churn, &churn);
    }
    for (int round = 0; round < rounds; round++)
        in_child(use_in_child_of_many_threads, &churn);
    atomic_store(&churn.stop, 1);
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(worker_result(workers[i]), MMF_OK);
        worker_end(workers[i]);
    }
    mmf_mutex_close(churn.named);
    mmf_mutex_close(churn.unnamed);
    CHECK_INT(count_files(), 0);
}

/* A thread of the parent that has used mutexes has another number than the child's. */
static int
job_fork(void *argument)
{
    in_child(leave_by__exit, argument);
    return MMF_OK;
}

static void
any_thread_may_fork(void **state)
{
    mmf_mutex *mutex = new_mutex("Cat");
    struct worker *one = worker_start(), *other = worker_start();

    (void)state;
    CHECK_INT(worker_does(one, job_wait, W(mutex)), MMF_OK);
    CHECK_INT(worker_does(other, job_fork, NULL), MMF_OK);
    CHECK_INT(worker_does(one, job_fork, NULL), MMF_OK);
    CHECK_STATUS(mmf_mutex_wait(mutex, SHORT_MS), MMF_TIMED_OUT);
    CHECK_INT(worker_does(one, job_release, mutex), MMF_OK);
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_STATUS(mmf_mutex_release(mutex), MMF_OK);
    worker_end(one);
    worker_end(other);
    mmf_mutex_close(mutex);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_s_end_abandons_nothing),
        cmocka_unit_test(other_threads_of_the_parent_go_on),
        cmocka_unit_test(a_child_may_open_the_name_itself),
        cmocka_unit_test(a_child_may_use_every_kind),
        cmocka_unit_test(a_grandchild_too),
        cmocka_unit_test(killed_parents_of_living_children),
        cmocka_unit_test(forks_among_busy_threads),
        cmocka_unit_test(any_thread_may_fork),
    };

    return harness_main(argc, argv, "sync_fork", tests, COUNT_OF(tests), roles);
}
