/*
 * clock.h - how late it is, and pauses: of test programs, of those that kill, and of the
 * scenario runner.
 */
#ifndef MMF_TESTS_HARNESS_CLOCK_H
#define MMF_TESTS_HARNESS_CLOCK_H

#include <stdint.h>

/* Monotonic. */
int64_t now_us(void);
#define now_ms() (now_us() / 1000)

/* Pause. No test passes because of one. */
void nap_us(int64_t length);

#endif
