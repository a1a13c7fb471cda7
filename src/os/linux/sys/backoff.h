/*
 * backoff.h - waiting for another process, but not forever.
 *
 * What stands in the way is another process between two system calls, so it is gone in
 * microseconds, unless somebody stopped that process.
 */
#ifndef MMF_OS_LINUX_SYS_BACKOFF_H
#define MMF_OS_LINUX_SYS_BACKOFF_H

#include <stdint.h>

struct mmf_patience {
    int64_t deadline; /* monotonic nanoseconds; 0: not started */
    int64_t step;
};

/* Pause a little, longer each time. Answers 0 when MMF_OS_PATIENCE_MS are over. */
int mmf_patience_wait(struct mmf_patience *patience);

#endif
