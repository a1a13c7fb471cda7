/*
 * object.c - channels: objects whose data is a ring of slots, mapped whole.
 *
 * The handles of one process on one channel share a mapping and a ticket, whose lock
 * says that the process lives. Which entries of the ring belong to a handle is for the
 * ring to say (shared/ring/join.c).
 */
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/channel/handle.h"
#include "os/linux/channel/inspect.h"
#include "os/linux/channel/mapping.h"
#include "os/linux/channel/ops.h"
#include "os/linux/store/store.h"
#include "os/linux/sys/fork.h"
#include "shared/page/control.h"

/* A handle on an entered object; on failure the object is left. */
static int
wrap_object(struct mmf_object *object, enum mmf_channel_purpose purpose,
            struct mmf_os_channel **out)
{
    struct mmf_channel_handle *handle = calloc(1, sizeof(*handle));
    int rc;

    MMF_ASSERT(object->fd >= 0 && out != NULL);
    if (handle == NULL) {
        mmf_object_leave(object);
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on a channel");
    }
    handle->object = object;
    rc = mmf_channel_map(handle, purpose);
    if (rc < 0) {
        mmf_object_leave(object);
        free(handle);
        return rc;
    }
    handle->ops = mmf_channel_ops_for(handle);
    handle->channel.ring = &handle->ring;
    handle->channel.ops = &handle->ops;
    handle->channel.forks_before = mmf_fork_epoch();
    *out = &handle->channel;
    return MMF_OK;
}

static enum mmf_channel_purpose
purpose_of(const struct mmf_os_channel_request *request)
{
    return request->only_reads_slots ? MMF_CHANNEL_TAKE_PART_READING
                                     : MMF_CHANNEL_TAKE_PART;
}

int64_t
mmf_os_channel_size(const struct mmf_ring_shape *shape)
{
    int64_t page = mmf_os_limits().page_size;
    int64_t bytes = (int64_t)mmf_ring_capacity(shape) + MMF_CONTROL_SIZE;

    return (bytes + page - 1) / page * page;
}

int
mmf_os_channel_create(const struct mmf_os_channel_request *request,
                      struct mmf_os_channel **out)
{
    struct mmf_ring_shape_shared shape;
    struct mmf_ring_shared head;
    struct mmf_store_request want = {
        .name = request->name,
        .kind = (uint32_t)request->kind,
        .mode = request->mode,
        .capacity = (int64_t)mmf_ring_capacity(request->shape),
        .data_size = (int64_t)mmf_ring_capacity(request->shape),
        .first_data = &head,
        .first_data_size = sizeof(head),
        .state = &shape,
        .state_size = sizeof(shape),
    };
    struct mmf_object *object;
    int rc;

    MMF_ASSERT(request->name != NULL && request->shape != NULL);
    memset(&head, 0, sizeof(head));
    mmf_ring_init(&head, MMF_INDEX_FIRST);
    mmf_ring_shape_write(request->shape, &shape);
    rc = mmf_store_create(&want, &object);
    return rc < 0 ? rc : wrap_object(object, purpose_of(request), out);
}

int
mmf_os_channel_open(const struct mmf_os_channel_request *request,
                    struct mmf_os_channel **out)
{
    struct mmf_object *object;
    int rc = mmf_store_open(request->name, (uint32_t)request->kind, 1, 0, &object);

    MMF_ASSERT(request->name != NULL && out != NULL);
    return rc < 0 ? rc : wrap_object(object, purpose_of(request), out);
}

void
mmf_os_channel_close(struct mmf_os_channel *channel)
{
    struct mmf_channel_handle *handle = mmf_channel_handle_of(channel);

    if (handle->object == NULL) {
        mmf_channel_end_inspection(handle);
        return;
    }
    mmf_poll_fd_close(&handle->poll);
    mmf_channel_unmap(handle);
    mmf_object_leave(handle->object);
    free(handle);
}

int
mmf_os_channel_fail_dead(void)
{
    return mmf_fail(MMF_E_DISPOSED,
                    "the handle belongs to the parent process: open the "
                    "name again in the child of a fork");
}
