/*
 * clock.c - see clock.h. Neither clock can fail with an identifier that Linux knows.
 */
#include "os/linux/sys/clock.h"

#include <time.h>

#include "os/linux/sys/sys.h"

static int64_t
read_clock(clockid_t clock)
{
    struct timespec now = {0};

    mmf_sys_clock(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
mmf_clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t
mmf_clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}
