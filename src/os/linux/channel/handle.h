/*
 * handle.h - a handle on a channel, and this process's part of the channel.
 */
#ifndef MMF_OS_LINUX_CHANNEL_HANDLE_H
#define MMF_OS_LINUX_CHANNEL_HANDLE_H

#include <stddef.h>
#include <stdint.h>

#include "os/linux/store/objects.h"
#include "os/linux/store/poll_fd.h"
#include "os/os.h"
#include "shared/ring/shape.h"
#include "shared/ring/wait.h"

/* A piece of the object's file in memory; `base` NULL: none. */
struct mmf_mapping {
    void *base;
    size_t length;
};

/* One per process and channel. */
struct mmf_channel_part {
    struct mmf_ring_shape shape;
    struct mmf_mapping data; /* all of it, to read and write; once a handle writes */
    uint64_t handles_made;   /* a number for each, below the ticket */
};

struct mmf_channel_handle {
    struct mmf_os_channel channel; /* what the objects see of it; stays first */
    struct mmf_ring ring;
    struct mmf_ring_ops ops;
    struct mmf_object *object; /* NULL: it inspects, from the copy of the head */
    int inspect_fd;            /* then: a lock descriptor without locks */
    void *copy;
    uint64_t waiting;         /* and how many messages of a queue wait */
    struct mmf_mapping head;  /* its own, if not the process's: header and tables, */
    struct mmf_mapping slots; /* and the slots; or `head` has all */
    struct mmf_poll_fd poll;
};

static inline struct mmf_channel_handle *
mmf_channel_handle_of(struct mmf_os_channel *channel)
{
    return (struct mmf_channel_handle *)channel;
}

#endif
