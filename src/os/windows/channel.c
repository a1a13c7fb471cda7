/*
 * channel.c - channels are not in this version on Windows: whoever asks for one is
 * told.
 */
#include <mmf/status.h>

#include "base/fail.h"
#include "os/os.h"

static int
fail_platform(const struct mmf_name *name)
{
    return mmf_fail(
        MMF_E_PLATFORM,
        "channel \"%.200s\": there are no channels on Windows in this version "
        "of mmf; a map with an event beside it is the way until then",
        name->given);
}

int
mmf_os_channel_create(const struct mmf_os_channel_request *request,
                      struct mmf_os_channel **out, int *created)
{
    (void)out;
    (void)created;
    return fail_platform(request->name);
}

int
mmf_os_channel_open(const struct mmf_os_channel_request *request,
                    struct mmf_os_channel **out)
{
    (void)out;
    return fail_platform(request->name);
}

int
mmf_os_channel_look(const struct mmf_name *name, mmf_kind kind,
                    struct mmf_os_channel **out)
{
    (void)kind;
    (void)out;
    return fail_platform(name);
}

/*
 * What follows is for handles, of which there are none.
 */

void
mmf_os_channel_close(struct mmf_os_channel *channel)
{
    (void)channel;
}

int
mmf_os_channel_fail_dead(void)
{
    return mmf_fail(MMF_E_DISPOSED, "the channel's handle is dead");
}

int
mmf_os_channel_poll_fd(struct mmf_os_channel *channel, int *fd)
{
    (void)channel;
    (void)fd;
    return mmf_fail(MMF_E_PLATFORM, "there are no descriptors to poll on Windows");
}

int
mmf_os_channel_drain(struct mmf_os_channel *channel)
{
    (void)channel;
    return 0;
}

void
mmf_os_channel_renew(struct mmf_os_channel *channel)
{
    (void)channel;
}
