/*
 * own_sys.c - system calls that answer as the build says, in the place of the library's
 * own (the linker's --wrap). The real ones do the work.
 *
 *   NO_WAITV         there is no futex_waitv
 *   SLEEPS_FOREVER  a sleep on a futex ends when it is woken, not by itself
 */
#include <errno.h>
#include <stdint.h>
#include <time.h>

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

/* NOLINTEND(bugprone-reserved-identifier) */
