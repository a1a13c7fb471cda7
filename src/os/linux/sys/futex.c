/*
 * futex.c - one word by futex(2), several by futex_waitv(2).
 *
 * Where there is no futex_waitv (before Linux 5.16, or refused by a seccomp filter), a
 * wait for several naps, and the caller looks again: late by five milliseconds at most.
 * A wait for one with words to compare looks at them before it sleeps, and can miss
 * what changes in that moment.
 */
#include "os/linux/sys/futex.h"

#include <errno.h>

#include "base/atomic.h"
#include "os/linux/sys/sys.h"

enum { MOST_WORDS = 128, NAP_NS = 5000000 };

static mmf_atomic_u32 waitv_is_missing;

static int64_t
time_left(int64_t until)
{
    struct timespec now = {0};

    mmf_sys_clock(CLOCK_MONOTONIC, &now);
    return until - ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
}

/* 0: the system has nothing to do it with. */
static int
wait_for_several(uint32_t *const *words, const uint32_t *expected, int count,
                 int64_t until)
{
    if (mmf_load_relaxed_u32(&waitv_is_missing))
        return 0;
    if (mmf_sys_futex_waitv(words, expected, count, until) >= 0 ||
        (errno != ENOSYS && errno != EPERM))
        return 1; /* woken; or a value has changed, the time is over, a signal came */
    mmf_store_relaxed_u32(&waitv_is_missing, 1);
    return 0;
}

static int
have_values(uint32_t *const *words, const uint32_t *expected, int count)
{
    for (int i = 0; i < count; i++) {
        if (mmf_load_acquire_u32((mmf_atomic_u32 *)(void *)words[i]) != expected[i])
            return 0;
    }
    return 1;
}

static void
nap(int64_t until)
{
    int64_t left = time_left(until);

    if (left > 0)
        mmf_sys_sleep(left < NAP_NS ? left : NAP_NS);
}

void
mmf_futex_sleep(uint32_t *const *words, const uint32_t *expected, int count,
                int compared, int64_t until)
{
    if (count + compared > MOST_WORDS)
        return;
    if (count + compared > 1 &&
        wait_for_several(words, expected, count + compared, until))
        return;
    if (count > 1)
        nap(until);
    else if (have_values(words + 1, expected + 1, compared))
        mmf_sys_futex_wait(words[0], expected[0], until);
}

int
mmf_futex_wake(uint32_t *word, int count)
{
    return mmf_sys_futex_wake(word, count);
}
