/*
 * inspect.h - a channel's counters for a process that takes no part.
 */
#ifndef MMF_OS_LINUX_CHANNEL_INSPECT_H
#define MMF_OS_LINUX_CHANNEL_INSPECT_H

#include "os/linux/channel/handle.h"

/* Close and free what mmf_os_channel_inspect has made. */
void mmf_channel_end_inspection(struct mmf_channel_handle *handle);

#endif
