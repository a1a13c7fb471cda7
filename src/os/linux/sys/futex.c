/*
 * futex.c - one word by futex(2), several by futex_waitv(2).
 *
 * Without futex_waitv (before Linux 5.16, or refused, as by a seccomp filter), a wait for
 * several words naps, and the caller checks again: late by five milliseconds at most.
 */
#include "os/linux/sys/futex.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/atomic.h"
#include "base/invariant.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

enum { MOST_WORDS = 128, NAP_NS = 5000000 };

static mmf_atomic_u32 waitv_is_missing;

/* False: this system cannot do it. */
static bool
wait_for_several(uint32_t *const *words, const uint32_t *expected, int count,
                 int64_t until)
{
    if (mmf_load_relaxed_u32(&waitv_is_missing))
        return false;
    if (mmf_sys_futex_waitv(words, expected, count, until) >= 0 || errno == EAGAIN ||
        errno == ETIMEDOUT || errno == EINTR)
        return true; /* woken, a value has changed, a timeout, or a signal */
    /* By whatever it is refused, the caller must not come back at once, each time. */
    mmf_store_relaxed_u32(&waitv_is_missing, 1);
    return false;
}

static void
nap(int64_t until)
{
    int64_t left = until - mmf_os_now();

    if (left > 0)
        mmf_sys_sleep(left < NAP_NS ? left : NAP_NS);
}

void
mmf_futex_sleep(uint32_t *const *words, const uint32_t *expected, int count,
                int64_t until)
{
    int cancel_type;

    MMF_ASSERT(count > 0 && count <= MOST_WORDS);
    /* A thread that is cancelled ends in the middle: there is nothing to undo here. */
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &cancel_type);
    if (count == 1)
        mmf_sys_futex_wait(words[0], expected[0], until);
    else if (!wait_for_several(words, expected, count, until))
        nap(until);
    pthread_setcanceltype(cancel_type, NULL);
}

int
mmf_futex_wake(uint32_t *word, int count)
{
    MMF_ASSERT(count > 0);
    return mmf_sys_futex_wake(word, count);
}
