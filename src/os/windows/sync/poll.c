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

/*
 * Without a poller the rest is never called.
 */

int
mmf_os_poller_create(struct mmf_os_poller **out)
{
    (void)out;
    return mmf_fail(MMF_E_PLATFORM, "there are no descriptors to poll on Windows: wait "
                                    "with mmf_wait_any");
}

void
mmf_os_poller_close(struct mmf_os_poller *poller)
{
    (void)poller;
}

int
mmf_os_poller_fd(const struct mmf_os_poller *poller)
{
    (void)poller;
    return -1;
}

int
mmf_os_poller_add(struct mmf_os_poller *poller, const struct mmf_os_watch *watch,
                  int *key)
{
    (void)poller;
    (void)watch;
    (void)key;
    return MMF_E_PLATFORM;
}

void
mmf_os_poller_remove(struct mmf_os_poller *poller, int key)
{
    (void)poller;
    (void)key;
}

bool
mmf_os_poller_next(struct mmf_os_poller *poller, int *key, bool *may_be_dead)
{
    (void)poller;
    (void)key;
    (void)may_be_dead;
    return false;
}

int
mmf_os_poller_again(struct mmf_os_poller *poller, int64_t at)
{
    (void)poller;
    (void)at;
    return MMF_E_PLATFORM;
}

int
mmf_os_sync_watch(struct mmf_os_sync *sync, struct mmf_os_watch *watch)
{
    (void)sync;
    (void)watch;
    return MMF_E_PLATFORM;
}

int
mmf_os_channel_watch(struct mmf_os_channel *channel, struct mmf_os_watch *watch)
{
    (void)channel;
    (void)watch;
    return MMF_E_PLATFORM;
}

bool
mmf_os_sync_is_available(struct mmf_os_sync *sync)
{
    (void)sync;
    return true;
}
