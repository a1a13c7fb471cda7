/*
 * system.h - what the waits of shared/sync/wait.h need of the system.
 */
#ifndef MMF_OS_LINUX_SYNC_SYSTEM_H
#define MMF_OS_LINUX_SYNC_SYSTEM_H

#include "shared/sync/wait.h"

extern const struct mmf_sync_ops mmf_sync_linux;

#endif
