/*
 * backoff.h - waiting for another process, but not forever.
 *
 * Another process blocks us between two system calls of its own, so it is done in
 * microseconds, unless a signal or a debugger has stopped it.
 */
#ifndef MMF_OS_LINUX_SYS_BACKOFF_H
#define MMF_OS_LINUX_SYS_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct mmf_backoff {
    int64_t deadline; /* monotonic nanoseconds; 0: not started */
    int64_t step;
};

/* Pause a little, longer each time. False when MMF_OS_PATIENCE_MS have passed. */
bool mmf_backoff_wait(struct mmf_backoff *backoff);

#endif
