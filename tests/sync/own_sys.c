/*
 * own_sys.c - system calls that answer as the build says, in the place of the library's
 * own (the linker's --wrap). The real ones do the work.
 *
 *   NO_WAITV         there is no futex_waitv
 *   SLEEPS_FOREVER  a sleep on a futex ends when it is woken, not by itself
 *   CLOCK_JUMPS     the wall clock jumps by years, and a filter ends a process that has the
 *                   kernel wait by it. The machine's own clock is as it was.
 */
#include <errno.h>
#include <stdint.h>
#include <time.h>

#ifdef CLOCK_JUMPS
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

/* The names are the linker's. NOLINTBEGIN(bugprone-reserved-identifier) */

int __real_mmf_sys_futex_wait(uint32_t *word, uint32_t expected, int64_t until);
int __wrap_mmf_sys_futex_wait(uint32_t *word, uint32_t expected, int64_t until);
int __real_mmf_sys_futex_waitv(uint32_t *const *words, const uint32_t *expected,
                               int count, int64_t until);
int __wrap_mmf_sys_futex_waitv(uint32_t *const *words, const uint32_t *expected,
                               int count, int64_t until);

/*
 * The library's sleepers look again by themselves, for the sake of the dead. Here they
 * do not, unless it is very soon: that is a caller's timeout, or a reservation's. An
 * hour is forever.
 */
static int64_t
end_of_sleep(int64_t until)
{
#ifdef SLEEPS_FOREVER
    enum { SOON = 20 };
    struct timespec t;
    int64_t now;

    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    if (until - now > SOON * INT64_C(1000000))
        return now + 3600 * INT64_C(1000000000);
#endif
    return until;
}

int
__wrap_mmf_sys_futex_wait(uint32_t *word, uint32_t expected, int64_t until)
{
    return __real_mmf_sys_futex_wait(word, expected, end_of_sleep(until));
}

int
__wrap_mmf_sys_futex_waitv(uint32_t *const *words, const uint32_t *expected, int count,
                           int64_t until)
{
#ifdef NO_WAITV
    (void)words;
    (void)expected;
    (void)count;
    (void)until;
    errno = ENOSYS;
    return -1;
#else
    return __real_mmf_sys_futex_waitv(words, expected, count, end_of_sleep(until));
#endif
}

#ifdef CLOCK_JUMPS

int __real_mmf_sys_clock(clockid_t clock, struct timespec *now);
int __wrap_mmf_sys_clock(clockid_t clock, struct timespec *now);

int
__wrap_mmf_sys_clock(clockid_t clock, struct timespec *now)
{
    /* One year forward, two back, and so on, up to a hundred. */
    static atomic_int jumps;
    int rc = __real_mmf_sys_clock(clock, now);

    if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE) {
        int jump = atomic_fetch_add(&jumps, 1);

        now->tv_sec += (jump % 2 == 0 ? 1L : -1L) * (1 + jump % 100) * 365 * 86400L;
    }
    return rc;
}

/*
 * The filter ends the process with SIGSYS when it waits by the wall clock: futex with
 * FUTEX_CLOCK_REALTIME, futex_waitv with another clock than the monotonic one,
 * clock_nanosleep until a moment of the wall clock.
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
        /* 2 */ IF_EQUAL(FUTEX_WAITV, 6, 0),
        /* 3 */ IF_EQUAL(SYS_clock_nanosleep, 7, 0),
        /* 4 */ ANSWER(SECCOMP_RET_ALLOW),
        /* 5 */ LOAD(ARGUMENT(1)),
        /* 6 */ IF_SET(FUTEX_CLOCK_REALTIME, 0, 9),
        /* 7 */ LOAD(ARGUMENT(3)), /* the C library has no timeout, by this clock */
        /* 8 */ IF_EQUAL(0, 7, 6),
        /* 9 */ LOAD(ARGUMENT(4)),
        /* 10 */ IF_EQUAL(CLOCK_MONOTONIC, 5, 4),
        /* 11 */ LOAD(ARGUMENT(0)),
        /* 12 */ IF_EQUAL(CLOCK_REALTIME, 0, 3),
        /* 13 */ LOAD(ARGUMENT(1)),
        /* 14 */ IF_SET(TIMER_ABSTIME, 0, 1),
        /* 15 */ ANSWER(SECCOMP_RET_KILL_PROCESS),
        /* 16 */ ANSWER(SECCOMP_RET_ALLOW),
    };
    static struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
                                        .filter = filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Breaks the rule, to see that the filter works. */
static _Noreturn void
wait_by_the_wall_clock(void)
{
    struct timespec past = {.tv_sec = 1};
    uint32_t word = 0;

    syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL,
            FUTEX_BITSET_MATCH_ANY);
    _exit(EXIT_SUCCESS);
}

__attribute__((constructor)) static void
the_kernel_waits_by_the_monotonic_clock(void)
{
    int status = 0;
    pid_t child;

    if (forbid_the_wall_clock() < 0) {
        perror("no filter for system calls");
        return;
    }
    child = fork();
    if (child == 0)
        wait_by_the_wall_clock();
    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
        WTERMSIG(status) != SIGSYS)
        abort();
}

#endif

/* NOLINTEND(bugprone-reserved-identifier) */
