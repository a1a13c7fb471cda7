/*
 * clock.c - the clocks of os.h and clock.h, which cannot fail, and sleep.
 */
#include "os/linux/sys/clock.h"

#include <pthread.h>

#include <time.h>

#include "base/invariant.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

static int64_t
read_clock(clockid_t clock)
{
    struct timespec now = {0};

    mmf_sys_clock(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
mmf_os_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t
mmf_os_now_roughly(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

int64_t
mmf_clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

void
mmf_os_sleep(int64_t nanoseconds)
{
    MMF_ASSERT(nanoseconds >= 0);
    mmf_sys_sleep(nanoseconds);
}

void
mmf_os_cancellation_point(void)
{
    pthread_testcancel();
}
