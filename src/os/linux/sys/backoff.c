/*
 * backoff.c - pauses from 20 microseconds to 5 milliseconds, doubling.
 */
#include "os/linux/sys/backoff.h"

#include "os/linux/sys/sys.h"
#include "os/os.h"

enum { FIRST_PAUSE_NS = 20000, LONGEST_PAUSE_NS = 5000000 };

static int64_t
monotonic_now(void)
{
    struct timespec now = {0};

    mmf_sys_clock(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int
mmf_patience_wait(struct mmf_patience *patience)
{
    int64_t now = monotonic_now();

    if (patience->deadline == 0) {
        patience->deadline = now + (int64_t)MMF_OS_PATIENCE_MS * 1000000;
        patience->step = FIRST_PAUSE_NS;
    }
    if (now >= patience->deadline)
        return 0;
    mmf_sys_sleep(patience->step); /* a signal only makes the pause shorter */
    if (patience->step < LONGEST_PAUSE_NS)
        patience->step *= 2;
    return 1;
}
