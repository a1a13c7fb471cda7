/*
 * gc.h - collecting orphaned objects.
 */
#ifndef MMF_OS_LINUX_STORE_GC_H
#define MMF_OS_LINUX_STORE_GC_H

#include "os/linux/store/directory.h"

/*
 * Called by creators after their work: now and then inspect a few other names and
 * collect the orphans, so that garbage never piles up although no process lists.
 * Failures are ignored and leave no trace in mmf_last_error.
 */
void mmf_gc_step(const struct mmf_directory *directory);

/*
 * Collect all orphans of both scopes, for space. Returns how many were removed; failures
 * leave no trace in mmf_last_error.
 */
int mmf_gc_for_space(void);

#endif
