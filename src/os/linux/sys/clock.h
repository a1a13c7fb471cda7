/* clock.h - the time, in nanoseconds. */
#ifndef MMF_OS_LINUX_SYS_CLOCK_H
#define MMF_OS_LINUX_SYS_CLOCK_H

#include <stdint.h>

/* The monotonic clock, on which all deadlines are. */
int64_t mmf_clock_monotonic(void);

/* The wall clock, since 1970, UTC. */
int64_t mmf_clock_wall(void);

#endif
