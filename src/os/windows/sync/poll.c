/*
 * poll.c - there are no descriptors to poll on Windows.
 */
#include <mmf/status.h>

#include "base/fail.h"
#include "os/os.h"

int
mmf_os_sync_poll_fd(struct mmf_os_sync *sync, int *fd)
{
    (void)sync;
    (void)fd;
    return mmf_fail(MMF_E_PLATFORM,
                    "there are no descriptors to poll here: wait with mmf_wait_any, or "
                    "open the name with the system's own function and register that "
                    "handle (RegisterWaitForSingleObject)");
}
