/*
 * mapping.h - mapping a channel's ring for a handle.
 *
 * A mapping is made of a description of its own, without locks, so that no child's copy
 * of it keeps a dead process's channel in use.
 */
#ifndef MMF_OS_LINUX_CHANNEL_MAPPING_H
#define MMF_OS_LINUX_CHANNEL_MAPPING_H

#include "os/linux/channel/handle.h"

/* What a handle is for. */
enum mmf_channel_purpose {
    MMF_CHANNEL_TAKE_PART,
    MMF_CHANNEL_TAKE_PART_READING /* it only reads the slots */
};

/*
 * Map the ring of the handle's object, and attach to it. The process's first handle
 * that takes part draws a ticket.
 */
int mmf_channel_map(struct mmf_channel_handle *handle,
                    enum mmf_channel_purpose purpose);

/* Unmap what is the handle's own. */
void mmf_channel_unmap(struct mmf_channel_handle *handle);

#endif
