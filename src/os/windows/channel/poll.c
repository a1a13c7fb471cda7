/*
 * poll.c - there are no descriptors to poll on Windows: what the objects do with one,
 * they do with none.
 */
#include <mmf/status.h>

#include "base/fail.h"
#include "os/os.h"

int
mmf_os_channel_poll_fd(struct mmf_os_channel *channel, int *fd)
{
    (void)channel;
    (void)fd;
    return mmf_fail(MMF_E_PLATFORM,
                    "there are no descriptors to poll on Windows: wait in a thread, or "
                    "set an event beside the channel");
}

int
mmf_os_channel_consume(struct mmf_os_channel *channel)
{
    (void)channel;
    return 0;
}

void
mmf_os_channel_rearm(struct mmf_os_channel *channel)
{
    (void)channel;
}
