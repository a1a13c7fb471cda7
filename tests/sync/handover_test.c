/*
 * handover_test.c - a signal belongs to those who wait: it is given to the longest
 * sleeper at the moment of the call, and neither a later reset nor a thread that comes
 * later can take it.
 */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_SLEEPERS = 40 };

static const char NAME[] = "Hand";
static const char NAME2[] = "Other hand";

static int
rounds(int few)
{
    return harness_long() ? 100 : few;
}

/*
 * Sleepers: processes that open the name, or threads.
 */

struct sleeper {
    pid_t pid; /* 0: a thread */
    struct worker *worker;
    struct object object; /* the thread's */
    int32_t timeout_ms;
};

static int
wait_in(void *argument)
{
    struct sleeper *sleeper = argument;

    return object_wait(&sleeper->object, sleeper->timeout_ms);
}

static void
sleep_in_child(mmf_kind kind, int32_t timeout_ms)
{
    struct object mine = {0};
    int rc = object_open(&mine, kind, NAME, NULL);

    if (rc == MMF_OK)
        rc = object_wait(&mine, timeout_ms);
    _exit(rc == MMF_OK ? 0 : rc == MMF_ABANDONED ? 3 : 1);
}

/* Begin to wait, and sleep. */
static void
begin_sleep(struct sleeper *sleeper, const struct object *object, bool in_child_process,
            int32_t timeout_ms)
{
    *sleeper = (struct sleeper){.object = *object, .timeout_ms = timeout_ms};
    if (in_child_process) {
        sleeper->pid = fork();
        CHECK(sleeper->pid >= 0);
        if (sleeper->pid == 0)
            sleep_in_child(object->kind, timeout_ms);
        await_sleep(sleeper->pid, sleeper->pid);
        return;
    }
    sleeper->worker = worker_start();
    worker_begin(sleeper->worker, wait_in, sleeper);
    worker_await_sleep(sleeper->worker);
}

/* True: it got its signal. */
static bool
end_sleep(struct sleeper *sleeper)
{
    int status;

    if (sleeper->pid == 0) {
        int rc = worker_result(sleeper->worker);

        worker_end(sleeper->worker);
        return rc == MMF_OK;
    }
    CHECK(waitpid(sleeper->pid, &status, 0) == sleeper->pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
has_ended(const struct sleeper *sleeper)
{
    siginfo_t info = {0};

    if (sleeper->pid == 0)
        return !worker_is_busy(sleeper->worker);
    CHECK(waitid(P_PID, (id_t)sleeper->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0);
    return info.si_pid != 0;
}

static void
kill_sleeper(struct sleeper *sleeper)
{
    CHECK(kill(sleeper->pid, SIGKILL) == 0);
    CHECK(waitpid(sleeper->pid, NULL, 0) == sleeper->pid);
    harness_expect_dead();
}

static struct object
event_object(mmf_event *event)
{
    return (struct object){.kind = MMF_KIND_EVENT, .event = event};
}

static struct object
semaphore_object(mmf_semaphore *semaphore)
{
    return (struct object){.kind = MMF_KIND_SEMAPHORE, .semaphore = semaphore};
}

static struct object
mutex_object(mmf_mutex *mutex)
{
    return (struct object){.kind = MMF_KIND_MUTEX, .mutex = mutex};
}

/*
 * Events.
 */

static void
set_and_reset(bool in_processes, int sleepers)
{
    mmf_event *event = manual_event(NAME, 0);
    struct object object = event_object(event);
    struct sleeper all[MOST_SLEEPERS];
    int through = 0;

    for (int i = 0; i < sleepers; i++)
        begin_sleep(&all[i], &object, in_processes, LONG_MS / 4);
    CHECK_OK(mmf_event_set(event));
    CHECK_OK(mmf_event_reset(event));
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    for (int i = 0; i < sleepers; i++)
        through += end_sleep(&all[i]);
    CHECK_INT(through, sleepers);
    mmf_event_close(event);
}

static void
set_and_reset_reach_all_who_sleep(void **state)
{
    (void)state;
    for (int round = 0; round < rounds(20); round++) {
        set_and_reset(true, 1);
        set_and_reset(false, 1);
    }
    set_and_reset(true, 4);
    set_and_reset(false, 8);
}

static void
set_many(bool in_processes, int sleepers)
{
    mmf_event *event = auto_event(NAME, 0);
    struct object object = event_object(event);
    struct sleeper all[MOST_SLEEPERS];
    int through = 0;

    for (int i = 0; i < sleepers; i++)
        begin_sleep(&all[i], &object, in_processes, LONG_MS / 4);
    for (int i = 0; i < sleepers; i++)
        CHECK_OK(mmf_event_set(event));
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT); /* theirs, not ours */
    CHECK_OK(mmf_event_reset(event));
    for (int i = 0; i < sleepers; i++)
        through += end_sleep(&all[i]);
    CHECK_INT(through, sleepers);
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    mmf_event_close(event);
}

static void
four_sets_reach_four(void **state)
{
    (void)state;
    for (int round = 0; round < rounds(20); round++) {
        set_many(true, 4);
        set_many(false, 4);
    }
}

/* More sleepers than there are slots in the page. */
static void
many_sets_reach_many(void **state)
{
    (void)state;
    set_many(false, MOST_SLEEPERS);
    set_many(true, MOST_SLEEPERS);
    set_and_reset(false, MOST_SLEEPERS);
    set_and_reset(true, MOST_SLEEPERS);
}

/* Wait until one of them got its signal; its index. */
static int
next_through(struct sleeper *sleepers, const bool *is_over, int count)
{
    int64_t deadline = now_us() + (int64_t)harness_deadline_ms() * 1000;

    while (now_us() < deadline) {
        for (int i = 0; i < count; i++) {
            if (!is_over[i] && has_ended(&sleepers[i]))
                return i;
        }
        usleep(100);
    }
    CHECK_FAIL("no sleeper gets the signal");
}

static void
check_order(const struct object *object, bool in_processes)
{
    enum { COUNT = 5 };
    struct sleeper sleepers[COUNT];
    bool is_over[COUNT] = {false};

    for (int i = 0; i < COUNT; i++)
        begin_sleep(&sleepers[i], object, in_processes, LONG_MS);
    for (int i = 0; i < COUNT; i++) {
        CHECK_OK(object_signal(object));
        CHECK_INT(next_through(sleepers, is_over, COUNT), i);
        is_over[i] = true;
        CHECK(end_sleep(&sleepers[i]));
    }
}

static void
the_longest_sleeper_comes_first(void **state)
{
    (void)state;
    for (int round = 0; round < rounds(5); round++) {
        struct object object = event_object(auto_event(NAME, 0));

        check_order(&object, round % 2 == 0);
        object_close(&object);
        object = semaphore_object(new_semaphore(NAME, 0, 10));
        check_order(&object, round % 2 == 0);
        object_close(&object);
    }
}

/*
 * Semaphores.
 */

static void
a_release_of_many_goes_to_sleepers_first(void **state)
{
    (void)state;
    for (int round = 0; round < rounds(10); round++) {
        mmf_semaphore *semaphore = new_semaphore(NAME, 0, 5);
        struct object object = semaphore_object(semaphore);
        struct sleeper all[3];
        int32_t previous = -1;

        for (int i = 0; i < 3; i++)
            begin_sleep(&all[i], &object, round % 2 == 0, LONG_MS / 4);
        CHECK_FAILS_PARAM(mmf_semaphore_release(semaphore, 6, &previous), MMF_E_MAXIMUM,
                          "");
        CHECK_OK(mmf_semaphore_release(semaphore, 5, &previous));
        CHECK_INT(previous, 0);
        CHECK_OK(mmf_semaphore_release(semaphore, 3, &previous)); /* the count is 2 */
        CHECK_INT(previous, 2);
        for (int i = 0; i < 3; i++)
            CHECK(end_sleep(&all[i]));
        for (int i = 0; i < 5; i++)
            CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_OK);
        CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_TIMED_OUT);
        mmf_semaphore_close(semaphore);
    }
}

/*
 * Waits for several, and deaths.
 */

/* Two signals meet one sleeper: it takes one, and the other goes on. */
static void
a_signal_not_taken_goes_on(void **state)
{
    (void)state;
    for (int round = 0; round < rounds(200); round++) {
        mmf_event *first = auto_event(NAME, 0);
        mmf_event *second = auto_event(NULL, 0);
        struct several several = {
            .objects = {W(first), W(second)}, .count = 2, .timeout_ms = LONG_MS};
        struct object object = event_object(first);
        struct worker *any = worker_start();
        struct sleeper other;
        int left;

        worker_begin(any, job_wait_any, &several);
        worker_await_sleep(any);
        if (round % 2 == 0)
            begin_sleep(&other, &object, false, LONG_MS);
        CHECK_OK(mmf_event_set(second));
        CHECK_OK(mmf_event_set(first));
        CHECK_STATUS(worker_result(any), MMF_OK);
        left = several.index;
        worker_end(any);
        if (round % 2 == 0) {
            /* One of the two has the first event, and the second is taken or set. */
            if (left == 0)
                CHECK_OK(mmf_event_set(first));
            CHECK(end_sleep(&other));
            left = left == 1 ? -1 : 1;
        } else {
            left = 1 - left;
        }
        CHECK_STATUS(mmf_event_wait(first, 0), left == 0 ? MMF_OK : MMF_TIMED_OUT);
        CHECK_STATUS(mmf_event_wait(second, 0), left == 1 ? MMF_OK : MMF_TIMED_OUT);
        mmf_event_close(first);
        mmf_event_close(second);
    }
}

/* Let the process sleep on, whatever it is given, until it is killed. */
static void
stop_sleeper(const struct sleeper *sleeper)
{
    int status;

    CHECK(kill(sleeper->pid, SIGSTOP) == 0);
    CHECK(waitpid(sleeper->pid, &status, WUNTRACED) == sleeper->pid);
    CHECK(WIFSTOPPED(status));
}

static void
check_killed_with_signal(const struct object *object)
{
    struct sleeper victim, other;
    int64_t begun;

    begin_sleep(&victim, object, true, LONG_MS);
    stop_sleeper(&victim);
    begin_sleep(&other, object, true, LONG_MS);
    CHECK_OK(object_signal(object)); /* the victim's */
    CHECK_STATUS(object_wait(object, 0), MMF_TIMED_OUT);
    CHECK(!has_ended(&other));
    kill_sleeper(&victim);
    begun = now_us();
    CHECK(end_sleep(&other));
    if (now_us() - begun > 1000000)
        CHECK_FAIL("passed on after %lld ms", (long long)(now_us() - begun) / 1000);
    CHECK_STATUS(object_wait(object, 0), MMF_TIMED_OUT);

    /* Without another sleeper the object is signalled. */
    begin_sleep(&victim, object, true, LONG_MS);
    stop_sleeper(&victim);
    CHECK_OK(object_signal(object));
    kill_sleeper(&victim);
    CHECK_STATUS(object_wait(object, 0), MMF_OK);
    CHECK_STATUS(object_wait(object, 0), MMF_TIMED_OUT);

    /* One that is dead already when the signal comes. */
    begin_sleep(&victim, object, true, LONG_MS);
    begin_sleep(&other, object, true, LONG_MS);
    kill_sleeper(&victim);
    CHECK_OK(object_signal(object));
    CHECK(end_sleep(&other));
    CHECK_STATUS(object_wait(object, 0), MMF_TIMED_OUT);
}

static void
the_dead_pass_on_their_signal(void **state)
{
    (void)state;
    for (int round = 0; round < rounds(3); round++) {
        struct object object = event_object(auto_event(NAME, 0));

        check_killed_with_signal(&object);
        object_close(&object);
        object = semaphore_object(new_semaphore(NAME, 0, 4));
        check_killed_with_signal(&object);
        object_close(&object);
    }
}

/* A mutex that was handed to a dead sleeper was never owned by it. */
static void
the_dead_pass_on_a_mutex(void **state)
{
    (void)state;
    for (int round = 0; round < rounds(3); round++) {
        mmf_mutex *mutex = owned_mutex(NAME);
        struct object object = mutex_object(mutex);
        struct sleeper victim, other;
        int status;

        begin_sleep(&victim, &object, true, LONG_MS);
        stop_sleeper(&victim);
        begin_sleep(&other, &object, true, LONG_MS);
        usleep(3000);
        CHECK_OK(mmf_mutex_release(mutex));
        CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_TIMED_OUT);
        kill_sleeper(&victim);
        CHECK(waitpid(other.pid, &status, 0) == other.pid);
        CHECK(WIFEXITED(status));
        CHECK_INT(WEXITSTATUS(status), 0);
        /* It ended with the mutex. */
        CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_ABANDONED);
        CHECK_OK(mmf_mutex_release(mutex));
        mmf_mutex_close(mutex);
    }
}

/*
 * Turns at a mutex.
 */

static void
spin_us(int64_t us)
{
    int64_t end = now_us() + us;

    while (now_us() < end) {
    }
}

/* How many sections have ended; shared with the children. */
static atomic_uint *sections;

static void
share_sections(void)
{
    sections = mmap(NULL, sizeof(*sections), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(sections != MAP_FAILED);
}

/* A child that owns it again and again, until killed; it has owned it once. */
static pid_t
start_hog(int64_t us)
{
    int ends[2];
    char byte;
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid != 0) {
        close(ends[1]);
        CHECK(read(ends[0], &byte, 1) == 1);
        close(ends[0]);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a check may fail meanwhile */
    for (mmf_mutex *mutex = new_mutex(NAME);;) {
        if (mmf_mutex_wait(mutex, MMF_INFINITE) < 0)
            _exit(1);
        if (ends[1] >= 0 && (write(ends[1], "", 1) != 1 || close(ends[1]) != 0))
            _exit(1);
        ends[1] = -1;
        spin_us(us);
        atomic_fetch_add(sections, 1);
        mmf_mutex_release(mutex);
    }
}

static void
end_hog(pid_t hog)
{
    CHECK(kill(hog, SIGKILL) == 0);
    CHECK(waitpid(hog, NULL, 0) == hog);
    harness_expect_dead();
}

/* How long this thread could have run so far, but another one did. */
static int64_t
delayed_us(void)
{
    FILE *file = fopen("/proc/self/schedstat", "re");
    long long delayed = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%*d %lld", &delayed) != 1)
        delayed = 0;
    fclose(file);
    return delayed / 1000;
}

/*
 * The most sections of others, of `us` each, that ended in one wait. While the thread
 * waits for a processor, it does not sleep at the mutex, and any number can.
 */
static int64_t
most_sections(mmf_mutex *mutex, int64_t us, int64_t own_us)
{
    int64_t end = now_us() + (rounds(1) == 1 ? 2000000 : 10000000);
    int64_t most = 0;

    while (now_us() < end) {
        int64_t delayed = delayed_us();
        unsigned before = atomic_load(sections);
        int64_t passed;

        CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_OK);
        passed = atomic_load(sections) - before;
        passed -= (delayed_us() - delayed) / us;
        spin_us(own_us);
        CHECK_OK(mmf_mutex_release(mutex));
        usleep(1000);
        if (passed > most)
            most = passed;
    }
    return most;
}

static void
a_hog_is_interrupted(void **state)
{
    mmf_mutex *mutex = new_mutex(NAME);
    pid_t hog;
    int64_t most;

    (void)state;
    share_sections();
    hog = start_hog(50000);
    most = most_sections(mutex, 50000, 0);
    print_message("%lld sections of 50 ms in one wait\n", (long long)most);
    CHECK(most <= 5); /* the one at work, one more in the first millisecond */
    end_hog(hog);
    mmf_mutex_close(mutex);
}

static void
each_of_four_has_its_turn(void **state)
{
    mmf_mutex *mutex = new_mutex(NAME);
    pid_t others[3];
    int64_t most;

    (void)state;
    share_sections();
    for (int i = 0; i < 3; i++)
        others[i] = start_hog(1000);
    most = most_sections(mutex, 1000, 1000);
    print_message("%lld sections of 1 ms of three in one wait\n", (long long)most);
    CHECK(most <= 20);
    for (int i = 0; i < 3; i++)
        end_hog(others[i]);
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS) >= 0 ? MMF_OK : MMF_E_STATE, MMF_OK);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
}

/*
 * Set and release may be called in a signal handler, whatever it interrupts: here mostly
 * a call for the same objects, in this thread, while another sleeps on them.
 */

static mmf_event *handler_event;
static mmf_semaphore *handler_semaphore;
static atomic_int handled, released, taken, is_over;

static void
release_one(void)
{
    atomic_fetch_add(&released, 1);
    if (mmf_semaphore_release(handler_semaphore, 1, NULL) != MMF_OK)
        abort();
}

static void
on_signal(int number)
{
    (void)number;
    if (mmf_event_set(handler_event) != MMF_OK)
        abort();
    release_one();
    atomic_fetch_add(&handled, 1);
}

static int
take_what_comes(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over)) {
        mmf_event_wait(handler_event, 1);
        atomic_fetch_add(&taken, mmf_semaphore_wait(handler_semaphore, 1) == MMF_OK);
    }
    return MMF_OK;
}

static int
interrupt_thread(void *thread)
{
    while (!atomic_load(&is_over)) {
        for (int spins = rand() % 1000; spins > 0; spins--)
            atomic_load(&is_over);
        CHECK(pthread_kill(*(pthread_t *)thread, SIGUSR1) == 0);
        usleep(10);
    }
    return MMF_OK;
}

static void
signal_handlers_may_signal(void **state)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    int wanted = harness_long() ? 100000 : 2000;
    struct worker *taker = worker_start(), *sender = worker_start();
    pthread_t self = pthread_self();

    (void)state;
    handler_event = auto_event(NAME, 0);
    handler_semaphore = new_semaphore(NAME2, 0, INT32_MAX);
    CHECK(sigaction(SIGUSR1, &action, &before) == 0);
    worker_begin(taker, take_what_comes, NULL);
    worker_begin(sender, interrupt_thread, &self);
    while (atomic_load(&handled) < wanted) {
        release_one();
        CHECK_OK(mmf_event_set(handler_event));
        mmf_event_wait(handler_event, 1);
        if (atomic_load(&handled) % 10 != 0)
            atomic_fetch_add(&taken,
                             mmf_semaphore_wait(handler_semaphore, 0) == MMF_OK);
    }
    atomic_store(&is_over, 1);
    CHECK_INT(worker_result(sender), MMF_OK);
    CHECK_INT(worker_result(taker), MMF_OK);
    CHECK(sigaction(SIGUSR1, &before, NULL) == 0);
    while (mmf_semaphore_wait(handler_semaphore, 0) == MMF_OK)
        atomic_fetch_add(&taken, 1);
    CHECK_INT(atomic_load(&taken), atomic_load(&released));
    print_message("%d signals, %d releases\n", atomic_load(&handled),
                  atomic_load(&released));
    worker_end(sender);
    worker_end(taker);
    mmf_event_close(handler_event);
    mmf_semaphore_close(handler_semaphore);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_reset_reach_all_who_sleep),
        cmocka_unit_test(four_sets_reach_four),
        cmocka_unit_test(many_sets_reach_many),
        cmocka_unit_test(the_longest_sleeper_comes_first),
        cmocka_unit_test(a_release_of_many_goes_to_sleepers_first),
        cmocka_unit_test(a_signal_not_taken_goes_on),
        cmocka_unit_test(the_dead_pass_on_their_signal),
        cmocka_unit_test(the_dead_pass_on_a_mutex),
        cmocka_unit_test(a_hog_is_interrupted),
        cmocka_unit_test(each_of_four_has_its_turn),
        cmocka_unit_test(signal_handlers_may_signal),
    };

    return harness_main(argc, argv, "sync_handover", tests, COUNT_OF(tests), NULL);
}
