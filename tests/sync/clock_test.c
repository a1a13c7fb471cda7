/*
 * clock_test.c - steps of the wall clock do not move timeouts.
 *
 * The tests do not set the clock of the machine they run on. Instead the library's
 * own questions for the wall clock get answers that jump by years (the linker's
 * --wrap), and a filter kills a process that has the kernel wait by the wall clock.
 */
#include "support.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The names are the linker's. NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_mmf_sys_clock(clockid_t clock, struct timespec *now);
int __wrap_mmf_sys_clock(clockid_t clock, struct timespec *now);

static atomic_int asked_wall_clock, asked_monotonic;

int
__wrap_mmf_sys_clock(clockid_t clock, struct timespec *now)
{
    /* One year forward, two back, and so on; never twice the same. */
    static atomic_int jumps;
    int rc = __real_mmf_sys_clock(clock, now);

    if (clock == CLOCK_MONOTONIC) {
        atomic_fetch_add(&asked_monotonic, 1);
    } else {
        int jump = atomic_fetch_add(&jumps, 1);

        atomic_fetch_add(&asked_wall_clock, 1);
        now->tv_sec += (jump % 2 == 0 ? 1L : -1L) * (1 + jump) * 365 * 86400L;
    }
    return rc;
}

/* NOLINTEND(bugprone-reserved-identifier) */

/* Each way to wait ends with its timeout, however the wall clock jumps. */
static void
wait_by_every_way(void)
{
    enum { TIMEOUT_MS = 100 };

    for (int named = 0; named < 2; named++) {
        mmf_event *event = auto_event(named ? "event" : NULL, 0);
        mmf_semaphore *semaphore = new_semaphore(named ? "semaphore" : NULL, 0, 1);
        mmf_event *ready = manual_event(named ? "ready" : NULL, 1);
        mmf_waitable *objects[] = {W(event), W(semaphore), W(ready)};
        int index;

        for (int way = 0; way < 4; way++) {
            int64_t begun = now_us(), took;

            atomic_store(&asked_wall_clock, 0);
            atomic_store(&asked_monotonic, 0);
            CHECK_CONTEXT("named %d, way %d", named, way);
            switch (way) {
            case 0:
                CHECK_STATUS(mmf_event_wait(event, TIMEOUT_MS), MMF_TIMED_OUT);
                break;
            case 1:
                CHECK_STATUS(mmf_wait_any(objects, 2, TIMEOUT_MS, &index),
                             MMF_TIMED_OUT);
                break;
            case 2:
                CHECK_STATUS(mmf_wait_all(objects, 3, TIMEOUT_MS), MMF_TIMED_OUT);
                break;
            default:
                CHECK_STATUS(mmf_signal_and_wait(W(ready), W(event), TIMEOUT_MS),
                             MMF_TIMED_OUT);
                break;
            }
            took = now_us() - begun;
            CHECK_INT(asked_wall_clock, 0);
            CHECK(asked_monotonic > 0);
            if (took < TIMEOUT_MS * 1000L || took > 5000000)
                CHECK_FAIL("%d ms took %lld us", TIMEOUT_MS, (long long)took);
        }
        mmf_event_close(event);
        mmf_event_close(ready);
        mmf_semaphore_close(semaphore);
    }
}

static void
timeouts_do_not_follow_the_wall_clock(void **state)
{
    (void)state;
    wait_by_every_way();
}

/* A wait that is signalled in time, and one for a dead owner, under the same clock. */
static void
waits_end_under_a_jumping_clock(void **state)
{
    mmf_mutex *mutex = new_mutex("Cat");
    struct worker *owner = worker_start(), *waiter = worker_start();
    struct process *peer = peer_start();

    (void)state;
    CHECK_INT(worker_does(owner, job_wait, W(mutex)), MMF_OK);
    worker_begin(waiter, job_wait, W(mutex));
    worker_await_sleep(waiter);
    CHECK_INT(worker_does(owner, job_release, mutex), MMF_OK);
    CHECK_INT(worker_result(waiter), MMF_OK);
    CHECK_INT(worker_does(waiter, job_release, mutex), MMF_OK);
    peer_does(peer, "open mutex 0 Cat");
    peer_does(peer, "wait 0 0");
    worker_begin(waiter, job_wait, W(mutex));
    worker_await_sleep(waiter);
    process_kill(peer);
    CHECK_INT(worker_result(waiter), MMF_ABANDONED);
    CHECK_INT(worker_does(waiter, job_release, mutex), MMF_OK);
    worker_end(owner);
    worker_end(waiter);
    mmf_mutex_close(mutex);
}

/*
 * The kernel's own clocks. The filter ends the process with SIGSYS when it waits by the
 * wall clock: futex with FUTEX_CLOCK_REALTIME, futex_waitv with another clock than the
 * monotonic one, clock_nanosleep until a moment of the wall clock.
 */

#define ARGUMENT(n) ((uint32_t)offsetof(struct seccomp_data, args[n]))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define IF_EQUAL(value, yes, no)                                                       \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), (yes), (no))
#define IF_SET(bits, yes, no)                                                          \
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(bits), (yes), (no))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (what))

static int
forbid_the_wall_clock(void)
{
    enum { FUTEX_WAITV = 449 };
    static struct sock_filter filter[] = {
        /* 0 */ LOAD((uint32_t)offsetof(struct seccomp_data, nr)),
        /* 1 */ IF_EQUAL(SYS_futex, 3, 0),
        /* 2 */ IF_EQUAL(FUTEX_WAITV, 4, 0),
        /* 3 */ IF_EQUAL(SYS_clock_nanosleep, 5, 0),
        /* 4 */ ANSWER(SECCOMP_RET_ALLOW),
        /* 5 */ LOAD(ARGUMENT(1)),
        /* 6 */ IF_SET(FUTEX_CLOCK_REALTIME, 6, 7),
        /* 7 */ LOAD(ARGUMENT(4)),
        /* 8 */ IF_EQUAL(CLOCK_MONOTONIC, 5, 4),
        /* 9 */ LOAD(ARGUMENT(0)),
        /* 10 */ IF_EQUAL(CLOCK_REALTIME, 0, 3),
        /* 11 */ LOAD(ARGUMENT(1)),
        /* 12 */ IF_SET(TIMER_ABSTIME, 0, 1),
        /* 13 */ ANSWER(SECCOMP_RET_KILL_PROCESS),
        /* 14 */ ANSWER(SECCOMP_RET_ALLOW),
    };
    static struct sock_fprog program = {.len = COUNT_OF(filter), .filter = filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* wall: break the filter's rule, to see that it works; else wait. */
static int
filtered_role(int argc, char **argv)
{
    if (forbid_the_wall_clock() < 0) {
        role_say("cannot: %s", strerror(errno));
        return 0;
    }
    role_say("filtered");
    if (argc > 1 && strcmp(argv[1], "wall") == 0) {
        struct timespec past = {.tv_sec = 1};
        uint32_t word = 0;

        syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past,
                NULL, FUTEX_BITSET_MATCH_ANY);
        return 0;
    }
    wait_by_every_way();
    return 0;
}

static void
the_kernel_waits_by_the_monotonic_clock(void **state)
{
    static const char *const ways[] = {"wall", "wait"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *args[] = {ways[i], NULL};
        struct process *process = process_start("filtered", args);
        char line[128];

        CHECK(process_read_line(process, line, sizeof(line)) != NULL);
        if (strcmp(line, "filtered") != 0) {
            process_finish(process);
            harness_skip("no filter for system calls: %s", line);
        }
        CHECK_INT(process_finish(process), i == 0 ? 128 + 31 /* SIGSYS */ : 0);
    }
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {
        {"peer", peer_role}, {"filtered", filtered_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeouts_do_not_follow_the_wall_clock),
        cmocka_unit_test(waits_end_under_a_jumping_clock),
        cmocka_unit_test(the_kernel_waits_by_the_monotonic_clock),
    };

    return harness_main(argc, argv, "sync_clock", tests, COUNT_OF(tests), roles);
}
