/*
 * poll_fd.h - the descriptor that polls readable when an object can be had, perhaps.
 */
#ifndef MMF_OS_LINUX_SYNC_POLL_FD_H
#define MMF_OS_LINUX_SYNC_POLL_FD_H

#include "os/linux/sync/object.h"

/* Tell those who poll the object. */
void mmf_sync_hint_give(const struct mmf_sync_object *local);

/*
 * The hints so far are used up by the look that follows. Answers the timeout for it,
 * which is longer than a poll's if a process may just have died.
 */
int32_t mmf_sync_hint_drain(struct mmf_os_sync *sync, int32_t timeout_ms);

/* What can still be had must poll readable again. */
void mmf_sync_hint_renew(struct mmf_os_sync *sync, const struct mmf_sync_ref *ref);

/* The handle, or the object, is going. */
void mmf_sync_hint_close(const struct mmf_os_sync *sync);
void mmf_sync_hint_destroy(const struct mmf_sync_object *local);

#endif
