/*
 * futex.c - one word by futex(2), several by futex_waitv(2).
 *
 * Where there is no futex_waitv (before Linux 5.16, or refused by a seccomp filter), a
 * wait for several naps, and the caller looks again: late by five milliseconds at most.
 */
#include "os/linux/futex.h"

#include <errno.h>

#include "base/atomic.h"
#include "os/linux/sys.h"

enum { MOST_WORDS = 64, NAP_NS = 5000000 };

static mmf_atomic_u32 waitv_is_missing;

static int64_t
time_left(int64_t until)
{
    struct timespec now = {0};

    mmf_sys_clock(CLOCK_MONOTONIC, &now);
    return until - ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
}

static void
sleep_on_several(uint32_t *const *words, const uint32_t *expected, int count,
                 int64_t until)
{
    int64_t left;

    if (!mmf_load_relaxed_u32(&waitv_is_missing)) {
        if (mmf_sys_futex_waitv(words, expected, count, until) >= 0)
            return;
        if (errno != ENOSYS && errno != EPERM)
            return; /* a value has changed, the time is over, or a signal came */
        mmf_store_relaxed_u32(&waitv_is_missing, 1);
    }
    left = time_left(until);
    if (left > 0)
        mmf_sys_sleep(left < NAP_NS ? left : NAP_NS);
}

void
mmf_futex_sleep(uint32_t *const *words, const uint32_t *expected, int count,
                int64_t until)
{
    if (count == 1)
        mmf_sys_futex_wait(words[0], expected[0], until);
    else if (count <= MOST_WORDS)
        sleep_on_several(words, expected, count, until);
}

int
mmf_futex_wake(uint32_t *word, int count)
{
    return mmf_sys_futex_wake(word, count);
}
