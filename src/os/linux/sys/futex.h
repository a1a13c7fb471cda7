/* futex.h - sleeping on words that processes share, and waking. */
#ifndef MMF_OS_LINUX_SYS_FUTEX_H
#define MMF_OS_LINUX_SYS_FUTEX_H

#include <stdint.h>

/*
 * Sleep until one of the words does not have its expected value or is woken, or until
 * the monotonic clock is at `until` (nanoseconds). May return early. A cancellation point,
 * also in mid-sleep: the caller holds nothing that it does not undo in a handler.
 */
void mmf_futex_sleep(uint32_t *const *words, const uint32_t *expected, int count,
                     int64_t until);

/* Wake up to `count` sleepers. Returns how many there were. */
int mmf_futex_wake(uint32_t *word, int count);

#endif
