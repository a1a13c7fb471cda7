/*
 * poll.h - the descriptor that polls readable when an object is available, perhaps.
 */
#ifndef MMF_OS_LINUX_SYNC_POLL_H
#define MMF_OS_LINUX_SYNC_POLL_H

#include "os/linux/sync/part.h"

/* Consume what made the handle's descriptor readable: the probe that follows answers it. */
void mmf_sync_consume_poll(struct mmf_os_sync *sync);

/* Make the descriptor readable again if the object is still available, or if a mutex's owner
 * may just have died. */
void mmf_sync_rearm_poll(struct mmf_os_sync *sync, const struct mmf_sync_ref *ref);

#endif
