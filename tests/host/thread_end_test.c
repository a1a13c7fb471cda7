/*
 * thread_end_test.c - threads end in every way there is while their process lives on:
 * what they own is abandoned, and what they wait for goes to others.
 */
#include "../harness/forks.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 100 };

static const char NAME[] = "Lock";

/*
 * Ways to end.
 */

static void
by_return(void)
{
}

static void
by_pthread_exit(void)
{
    pthread_exit(NULL);
}

static void
by_exit(void)
{
    syscall(SYS_exit, 0);
}

static void
by_filter(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = filter};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    syscall(SYS_getppid);
}

static void (*const ways[])(void) = {by_return, by_pthread_exit, by_exit, by_filter};

/* A thread that owns the mutex, and ends. */
struct owner {
    mmf_mutex *mutex;
    void (*end)(void);
    int ready; /* a pipe's end, or -1 */
    pid_t number;
};

static void *
own_and_end(void *argument)
{
    struct owner *owner = argument;

    owner->number = (pid_t)syscall(SYS_gettid);
    if (mmf_mutex_wait(owner->mutex, 0) != MMF_OK)
        abort();
    if (owner->ready >= 0) {
        if (write(owner->ready, "o", 1) != 1)
            abort();
        usleep((unsigned)rand() % 3000);
    }
    owner->end();
    return NULL;
}

static void
skip_with_sanitizers(void)
{
    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs threads that return");
}

/* The kernel lets a join come back before the thread's number is gone. */
static void
await_end(pid_t number)
{
    while (syscall(SYS_tgkill, getpid(), number, 0) == 0)
        sched_yield();
}

/*
 * In one process: as soon as the join has come back.
 */

static void
join_and_take(const char *name, void (*end)(void))
{
    struct owner owner = {.end = end, .ready = -1};
    pthread_t thread;
    bool is_orderly;

    CHECK_OK(mmf_mutex_create_or_open(name, 0, NULL, NULL, &owner.mutex));
    CHECK(pthread_create(&thread, NULL, own_and_end, &owner) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    /* See await_end. */
    is_orderly = end == by_return || end == by_pthread_exit;
    CHECK_STATUS(mmf_mutex_wait(owner.mutex, is_orderly ? 0 : harness_deadline_ms()),
                 MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(owner.mutex));
    CHECK_STATUS(mmf_mutex_wait(owner.mutex, 0), MMF_OK);
    CHECK_OK(mmf_mutex_release(owner.mutex));
    mmf_mutex_close(owner.mutex);
}

TEST(it_is_abandoned_when_the_join_is_over)
{
    skip_with_sanitizers();
    for (int i = 0; i < ROUNDS; i++) {
        join_and_take(NAME, ways[i % 4]);
        join_and_take(NULL, ways[i % 4]);
    }
}

/* A new thread gets the place in memory of the dead one, and is another owner. */
TEST(the_next_thread_is_another)
{
    mmf_mutex *mutex;

    skip_with_sanitizers();
    CHECK_OK(mmf_mutex_create_new(NAME, 0, NULL, &mutex));
    for (int i = 0; i < ROUNDS; i++) {
        struct owner owner = {.mutex = mutex, .end = ways[2 + i % 2], .ready = -1};
        pthread_t thread;

        CHECK(pthread_create(&thread, NULL, own_and_end, &owner) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_STATUS(mmf_mutex_wait(mutex, harness_deadline_ms()), MMF_ABANDONED);
        CHECK_OK(mmf_mutex_release(mutex));
    }
    mmf_mutex_close(mutex);
}

/* What has stayed for a thread goes with the next call after the thread's end. */
static void
call_once(void)
{
    mmf_event *event;

    CHECK_OK(mmf_event_create_new("Event", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    mmf_event_close(event);
}

/* The last handle of what a dead thread owns. */
TEST(its_name_is_free)
{
    skip_with_sanitizers();
    for (int i = 0; i < ROUNDS; i++) {
        struct owner owner = {.end = ways[i % 4], .ready = -1};
        pthread_t thread;

        CHECK_OK(mmf_mutex_create_new(NAME, 0, NULL, &owner.mutex));
        CHECK(pthread_create(&thread, NULL, own_and_end, &owner) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        mmf_mutex_close(owner.mutex);
        await_end(owner.number);
    }
    call_once();
}

/* A thread that owns a named and an unnamed mutex, and ends when it is allowed to. */
struct late_owner {
    mmf_mutex *named;
    mmf_mutex *unnamed;
    void (*end)(void);
    sem_t owns;
    sem_t may_end;
    pid_t number;
};

static void *
own_until_allowed(void *argument)
{
    struct late_owner *owner = argument;

    owner->number = (pid_t)syscall(SYS_gettid);
    if (mmf_mutex_wait(owner->named, 0) != MMF_OK ||
        mmf_mutex_wait(owner->unnamed, 0) != MMF_OK)
        abort();
    sem_post(&owner->owns);
    while (sem_wait(&owner->may_end) != 0)
        continue;
    owner->end();
    return NULL;
}

/* A child of a fork has no such thread. */
static void
check_child(const struct usage *before)
{
    pid_t pid = fork();
    int status;

    CHECK(pid >= 0);
    if (pid == 0) {
        call_once();
        usage_check_same(before);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
}

/* The last handle is closed while the owner lives. */
TEST(what_stays_for_it_goes_after_it)
{
    struct usage before, during;

    skip_with_sanitizers();
    usage_take(&before);
    for (int i = 0; i < ROUNDS; i++) {
        struct late_owner owner = {.end = ways[i % 4]};
        pthread_t thread;
        int fd;

        CHECK_OK(mmf_mutex_create_new(NAME, 0, NULL, &owner.named));
        CHECK_OK(mmf_mutex_create_or_open(NULL, 0, NULL, NULL, &owner.unnamed));
        CHECK_OK(mmf_waitable_fd(mmf_mutex_waitable(owner.unnamed), &fd));
        CHECK(sem_init(&owner.owns, 0, 0) == 0 && sem_init(&owner.may_end, 0, 0) == 0);
        CHECK(pthread_create(&thread, NULL, own_until_allowed, &owner) == 0);
        while (sem_wait(&owner.owns) != 0)
            continue;
        mmf_mutex_close(owner.named);
        mmf_mutex_close(owner.unnamed);
        call_once();
        usage_take(&during);
        CHECK_INT(during.descriptors, before.descriptors + 2);
        CHECK_INT(during.mappings, before.mappings + 1);
        check_child(&before);
        CHECK(sem_post(&owner.may_end) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        await_end(owner.number);
        call_once();
        usage_check_same(&before);
    }
}

/*
 * In another process that lives on.
 */

static pid_t
start_process(void (*end)(void))
{
    int ends[2];
    char byte;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct owner owner = {.end = end, .ready = ends[1]};
        pthread_t thread;

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a check may fail meanwhile */
        srand((unsigned)getpid());
        if (mmf_mutex_open_existing(NAME, NULL, &owner.mutex) != MMF_OK ||
            pthread_create(&thread, NULL, own_and_end, &owner) != 0)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    CHECK(read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    return pid;
}

TEST(other_processes_get_it)
{
    mmf_mutex *mutex;

    skip_with_sanitizers();
    CHECK_OK(mmf_mutex_create_new(NAME, 0, NULL, &mutex));
    for (int i = 0; i < ROUNDS; i++) {
        pid_t pid = start_process(ways[i % 4]);

        CHECK_STATUS(mmf_mutex_wait(mutex, harness_deadline_ms()), MMF_ABANDONED);
        CHECK(kill(pid, 0) == 0); /* it lives */
        CHECK_OK(mmf_mutex_release(mutex));
        CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
        CHECK_OK(mmf_mutex_release(mutex));
        fork_kill(pid);
    }
    mmf_mutex_close(mutex);
}

/*
 * A thread that ends asleep, in a signal handler: what it is given goes to the next one.
 */

static int waiter_id;

static void
end_in_handler(int number)
{
    (void)number;
    syscall(SYS_exit, 0);
}

static void *
wait_for_event(void *event)
{
    __atomic_store_n(&waiter_id, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
    mmf_event_wait(event, MMF_INFINITE);
    return NULL;
}

static void *
wait_for_mutex(void *mutex)
{
    __atomic_store_n(&waiter_id, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
    mmf_mutex_wait(mutex, MMF_INFINITE);
    return NULL;
}

/*
 * Begin, fall asleep, and end. A thread that ends elsewhere may take a lock of the C library,
 * or the process's own, with it.
 */
static void
end_asleep(void *(*wait)(void *), void *object)
{
    struct sigaction action = {.sa_handler = end_in_handler};
    struct sigaction before;
    pthread_t thread;

    CHECK(sigaction(SIGUSR1, &action, &before) == 0);
    __atomic_store_n(&waiter_id, 0, __ATOMIC_RELEASE);
    CHECK(pthread_create(&thread, NULL, wait, object) == 0);
    while (__atomic_load_n(&waiter_id, __ATOMIC_ACQUIRE) == 0)
        sched_yield();
    await_sleep(getpid(), __atomic_load_n(&waiter_id, __ATOMIC_ACQUIRE));
    CHECK(pthread_kill(thread, SIGUSR1) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(sigaction(SIGUSR1, &before, NULL) == 0);
}

TEST(what_it_is_given_goes_to_others)
{
    mmf_event *event;
    mmf_mutex *mutex;

    skip_with_sanitizers();
    CHECK_OK(mmf_event_create_new("Event", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    CHECK_OK(mmf_mutex_create_new(NAME, 1, NULL, &mutex));
    for (int i = 0; i < ROUNDS; i++) {
        pid_t pid;
        int status;

        end_asleep(wait_for_event, event);
        CHECK_OK(mmf_event_set(event));
        CHECK_STATUS(mmf_event_wait(event, harness_deadline_ms()), MMF_OK);
        CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);

        end_asleep(wait_for_mutex, mutex);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            mmf_mutex *mine;

            if (mmf_mutex_open_existing(NAME, NULL, &mine) < 0)
                _exit(2);
            _exit(mmf_mutex_wait(mine, harness_deadline_ms()) != MMF_OK ||
                  mmf_mutex_release(mine) != MMF_OK);
        }
        CHECK_OK(mmf_mutex_release(mutex));
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK_INT(status, 0);
        CHECK_STATUS(mmf_mutex_wait(mutex, harness_deadline_ms()), MMF_OK);
    }
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_event_close(event);
    mmf_mutex_close(mutex);
}
