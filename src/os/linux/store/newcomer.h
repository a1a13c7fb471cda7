/*
 * newcomer.h - what opening and creating have in common: another process may be in the
 * way for a moment.
 */
#ifndef MMF_OS_LINUX_STORE_NEWCOMER_H
#define MMF_OS_LINUX_STORE_NEWCOMER_H

#include <stdbool.h>

#include "base/backoff.h"

/*
 * Pause before another try, longer each time. `backoff` is zero at first. False, without
 * a pause: another process has been in the way for MMF_OS_BACKOFF_MS.
 */
bool mmf_newcomer_pause(struct mmf_backoff *backoff);

/* A process has kept us from it for as long as we wait. MMF_E_BUSY, with mmf_fail. */
int mmf_newcomer_fail_busy(const char *path);

#endif
