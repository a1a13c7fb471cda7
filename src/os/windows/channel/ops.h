/* ops.h - what the rings need of the system (shared/ring/wait.h). */
#ifndef MMF_OS_WINDOWS_CHANNEL_OPS_H
#define MMF_OS_WINDOWS_CHANNEL_OPS_H

#include "os/windows/channel/handle.h"

struct mmf_ring_ops mmf_channel_ops_for(struct mmf_channel_handle *handle);

#endif
