/*
 * backoff.c - pauses from 20 microseconds to 5 milliseconds, doubling.
 */
#include "os/linux/sys/backoff.h"

#include "base/invariant.h"
#include "os/linux/sys/clock.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

enum { FIRST_PAUSE_NS = 20000, LONGEST_PAUSE_NS = 5000000 };

bool
mmf_backoff_wait(struct mmf_backoff *backoff)
{
    int64_t now = mmf_clock_monotonic();

    if (backoff->deadline == 0) {
        backoff->deadline = now + (int64_t)MMF_OS_PATIENCE_MS * 1000000;
        backoff->step = FIRST_PAUSE_NS;
    }
    MMF_ASSERT(backoff->step >= FIRST_PAUSE_NS);
    if (now >= backoff->deadline)
        return false;
    mmf_sys_sleep(backoff->step); /* a signal only makes the pause shorter */
    if (backoff->step < LONGEST_PAUSE_NS)
        backoff->step *= 2;
    return true;
}
