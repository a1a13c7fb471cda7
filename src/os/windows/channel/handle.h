/* handle.h - a handle on a channel: a ticket and mappings of its own. */
#ifndef MMF_OS_WINDOWS_CHANNEL_HANDLE_H
#define MMF_OS_WINDOWS_CHANNEL_HANDLE_H

#include <windows.h>

#include "os/os.h"
#include "os/windows/channel/tokens.h"
#include "os/windows/store/subobject.h"
#include "os/windows/store/ticket.h"
#include "shared/ring/channel_page.h"
#include "shared/ring/wait.h"

struct mmf_channel_handle {
    struct mmf_os_channel channel; /* what the objects see of it; stays first */
    struct mmf_ring ring;
    struct mmf_ring_ops ops;
    struct mmf_subobject_name name;
    HANDLE guard;   /* of the name */
    HANDLE section; /* while it is open, there is the channel */
    void *head;     /* mapped: page, header and tables */
    void *slots;    /* mapped */
    struct mmf_tokens message_tokens;
    struct mmf_tokens space_tokens;
    /* Service: of each client those for answers and those for space, opened when they
     * are first used. */
    struct mmf_tokens (*client_tokens)[2];
    struct mmf_ticket ticket;
};

static inline struct mmf_channel_handle *
mmf_channel_handle_of(struct mmf_os_channel *channel)
{
    return (struct mmf_channel_handle *)channel;
}

/* What the rings need of the system (ops.c). */
struct mmf_ring_ops mmf_channel_ops_for(struct mmf_channel_handle *handle);

#endif
