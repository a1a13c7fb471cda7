/* clock.h - the wall clock; os.h has the monotonic one. */
#ifndef MMF_OS_WINDOWS_SYS_CLOCK_H
#define MMF_OS_WINDOWS_SYS_CLOCK_H

#include <stdint.h>

/* Nanoseconds since 1970, UTC. */
int64_t mmf_clock_wall(void);

#endif
