/*
 * backoff.h - waiting for another process, but not forever: a name that comes and
 * goes between two calls of ours.
 */
#ifndef MMF_OS_WINDOWS_SYS_BACKOFF_H
#define MMF_OS_WINDOWS_SYS_BACKOFF_H

#include <stdint.h>

struct mmf_patience {
    uint64_t deadline; /* milliseconds since the system's start; 0: not started */
    uint32_t step;     /* milliseconds */
};

/* Pause a little, longer each time. Answers 0 when MMF_OS_BACKOFF_MS are over. */
int mmf_patience_wait(struct mmf_patience *patience);

#endif
