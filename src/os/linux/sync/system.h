/*
 * system.h - what the waits of shared/sync/wait.h need of the system.
 */
#ifndef MMF_OS_LINUX_SYNC_SYSTEM_H
#define MMF_OS_LINUX_SYNC_SYSTEM_H

#include "os/os.h"
#include "shared/sync/wait.h"

extern const struct mmf_sync_ops mmf_sync_linux;

/* The same for a wait that also waits for channels. */
struct mmf_sync_ops mmf_sync_linux_beside(struct mmf_os_beside *beside);

/* Sleep on the channels alone. */
void mmf_sync_sleep_beside(const struct mmf_os_beside *beside, int64_t until);

#endif
