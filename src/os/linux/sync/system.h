/*
 * system.h - what the waits of shared/sync_wait.h need of the system.
 */
#ifndef MMF_OS_LINUX_SYNC_SYSTEM_H
#define MMF_OS_LINUX_SYNC_SYSTEM_H

#include "os/linux/sync/object.h"
#include "shared/sync/wait.h"

extern const struct mmf_sync_ops mmf_sync_linux;

/* The monotonic clock, nanoseconds. */
int64_t mmf_sync_now(void *context);

/* What the thread has to do with the object, for one wait. */
void mmf_sync_make_ref(struct mmf_sync_object *local, const struct mmf_thread *thread,
                        struct mmf_sync_ref *ref);

#endif
