/* futex.h - sleeping on words that processes share, and waking. */
#ifndef MMF_OS_LINUX_FUTEX_H
#define MMF_OS_LINUX_FUTEX_H

#include <stdint.h>

/*
 * Sleep until one of `count` words does not have its expected value, is woken, or the
 * monotonic clock is at `until` (nanoseconds). May come back early.
 */
void mmf_futex_sleep(uint32_t *const *words, const uint32_t *expected, int count,
                     int64_t until);

/* Wake up to `count` sleepers. How many there were. */
int mmf_futex_wake(uint32_t *word, int count);

#endif
