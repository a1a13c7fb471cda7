/*
 * handover_test.c - turns at a mutex that busy processes want, and signals from signal
 * handlers. Which waiter a signal belongs to is in tests/scenarios/handover.scn.
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

static const char NAME[] = "Hand";
static const char NAME2[] = "Other hand";

static int
rounds(int few)
{
    return harness_long() ? 100 : few;
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
static mmf_mutex *hogs_mutex;

static void
own_once(void *unused)
{
    (void)unused;
    hogs_mutex = new_mutex(NAME);
    CHECK_OK(mmf_mutex_wait(hogs_mutex, MMF_INFINITE));
}

static void
hog(void *us)
{
    for (;;) {
        spin_us(*(const int64_t *)us);
        atomic_fetch_add(sections, 1);
        mmf_mutex_release(hogs_mutex);
        CHECK_OK(mmf_mutex_wait(hogs_mutex, MMF_INFINITE));
    }
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

TEST(a_hog_is_interrupted)
{
    mmf_mutex *mutex = new_mutex(NAME);
    pid_t hog_id;
    int64_t most;

    share_sections();
    hog_id = fork_until_killed(own_once, hog, &(int64_t){50000});
    most = most_sections(mutex, 50000, 0);
    print_message("%lld sections of 50 ms in one wait\n", (long long)most);
    CHECK(most <= 5); /* the one at work, one more in the first millisecond */
    fork_kill(hog_id);
    mmf_mutex_close(mutex);
}

TEST(each_of_four_has_its_turn)
{
    mmf_mutex *mutex = new_mutex(NAME);
    pid_t others[3];
    int64_t most;

    share_sections();
    for (int i = 0; i < 3; i++)
        others[i] = fork_until_killed(own_once, hog, &(int64_t){1000});
    most = most_sections(mutex, 1000, 1000);
    print_message("%lld sections of 1 ms of three in one wait\n", (long long)most);
    CHECK(most <= 20);
    for (int i = 0; i < 3; i++)
        fork_kill(others[i]);
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

TEST(signal_handlers_may_signal)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    int wanted = harness_long() ? 100000 : 2000;
    struct worker *taker = worker_start(), *sender = worker_start();
    pthread_t self = pthread_self();

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
