/*
 * poll.c - the descriptor that polls readable when a message may be there; see
 * store/poll_fd.h.
 */
#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/channel/handle.h"
#include "os/linux/sys/error.h"

/* Senders notify from now on; and we do, for one may not have seen that yet. */
static int
ask_to_be_notified(struct mmf_channel_handle *handle)
{
    MMF_ASSERT(handle->object->fd >= 0);
    mmf_store_relaxed_u32(&handle->ring.shared->polled, 1);
    if (mmf_poll_fd_notify_watches(handle->object->fd) == 0)
        return MMF_OK;
    return mmf_error_fail("set the times of %s, which notifies its pollers",
                          handle->object->path);
}

int
mmf_os_channel_poll_fd(struct mmf_os_channel *channel, int *fd)
{
    struct mmf_channel_handle *handle = mmf_channel_handle_of(channel);
    bool is_new = mmf_poll_fd_get(&handle->poll) < 0;
    int rc;

    MMF_ASSERT(mmf_os_channel_is_alive(channel) && fd != NULL);
    rc =
        mmf_poll_fd_make_watch(&handle->poll, handle->object->fd, handle->object->path);
    if (rc < 0)
        return rc;
    if (is_new)
        rc = ask_to_be_notified(handle);
    if (rc < 0) {
        mmf_poll_fd_close(&handle->poll);
        return rc;
    }
    *fd = mmf_poll_fd_get(&handle->poll);
    return MMF_OK;
}

int
mmf_os_channel_consume(struct mmf_os_channel *channel)
{
    return mmf_poll_fd_consume_watch(&mmf_channel_handle_of(channel)->poll);
}

void
mmf_os_channel_rearm(struct mmf_os_channel *channel)
{
    mmf_poll_fd_notify_watches(mmf_channel_handle_of(channel)->object->fd);
}

int
mmf_os_channel_watch(struct mmf_os_channel *channel, struct mmf_os_watch *watch)
{
    struct mmf_channel_handle *handle = mmf_channel_handle_of(channel);

    MMF_ASSERT(mmf_os_channel_is_alive(channel) && watch != NULL);
    *watch = (struct mmf_os_watch){
        .counter = -1, .file = handle->object->fd, .path = handle->object->path};
    return ask_to_be_notified(handle);
}
