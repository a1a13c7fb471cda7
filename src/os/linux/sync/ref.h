/* ref.h - a thread's reference to an object, for one wait or one step. */
#ifndef MMF_OS_LINUX_SYNC_REF_H
#define MMF_OS_LINUX_SYNC_REF_H

#include "os/linux/sync/part.h"

void mmf_sync_make_ref(struct mmf_sync_object *local, const struct mmf_thread *thread,
                       struct mmf_sync_ref *ref);

#endif
