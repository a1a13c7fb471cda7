/* futex.h - sleeping on words that processes share, and waking. */
#ifndef MMF_OS_LINUX_SYS_FUTEX_H
#define MMF_OS_LINUX_SYS_FUTEX_H

#include <stdint.h>

/*
 * Sleep until one of the first `count` words does not have its expected value or is
 * woken, or until the monotonic clock is at `until` (nanoseconds). The `compared` words
 * after them are compared when the sleeper can be woken already: it sleeps only if they
 * have their values. May return early.
 */
void mmf_futex_sleep(uint32_t *const *words, const uint32_t *expected, int count,
                     int compared, int64_t until);

/* Wake up to `count` sleepers. Returns how many there were. */
int mmf_futex_wake(uint32_t *word, int count);

#endif
