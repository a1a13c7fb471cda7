/*
 * backoff.h - how long to pause before the next try: from a first pause on, each twice
 * as long as the one before, up to a longest, and never past a deadline.
 *
 * It only computes; os.h has the clock and the sleep (mmf_os_pause).
 */
#ifndef MMF_BASE_BACKOFF_H
#define MMF_BASE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/invariant.h"

/* A deadline that never comes. */
#define MMF_BACKOFF_FOREVER INT64_MAX

/* All in nanoseconds of the monotonic clock. */
struct mmf_backoff {
    int64_t deadline;
    int64_t pause; /* the next one */
    int64_t longest;
};

/* The deadline `timeout_ms` from `now` on; -1: it never comes. */
static inline int64_t
mmf_backoff_deadline(int64_t now, int32_t timeout_ms)
{
    MMF_ASSERT(timeout_ms >= -1);
    return timeout_ms < 0 ? MMF_BACKOFF_FOREVER : now + (int64_t)timeout_ms * 1000000;
}

/*
 * How long to pause now; 0: the deadline has come. The last pause ends at the deadline,
 * so that the last try comes then and not before.
 */
static inline int64_t
mmf_backoff_next(struct mmf_backoff *backoff, int64_t now)
{
    int64_t pause = backoff->pause;

    MMF_ASSERT(pause > 0 && backoff->longest >= pause);
    if (now >= backoff->deadline)
        return 0;
    backoff->pause = pause * 2 < backoff->longest ? pause * 2 : backoff->longest;
    return pause < backoff->deadline - now ? pause : backoff->deadline - now;
}

#endif
