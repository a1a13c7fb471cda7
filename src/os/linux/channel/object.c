/*
 * object.c - channels: objects whose data is a ring of slots, mapped whole.
 *
 * The handles of one process on one channel share a mapping and a ticket, whose lock
 * says that the process lives. A mapping is made of a description of its own, without
 * locks, so that no child's copy of it keeps the dead alive. Which entries of the ring
 * belong to a handle is the ring's business (shared/ring_join.c).
 */
#include "os/linux/channel/object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/futex.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/objects.h"
#include "os/linux/store/store.h"
#include "os/linux/sys/sys.h"
#include "os/linux/store/ticket.h"
#include "os/os.h"
#include "shared/page/control.h"
#include "shared/ring/shape.h"
#include "shared/ring/wait.h"

/* A piece of the object's file in memory; `base` NULL: none. */
struct mapping {
    void *base;
    size_t length;
};

/* One per process and channel. */
struct mmf_channel_object {
    struct mmf_ring_shape shape;
    struct mapping data;   /* whole, to read and write; once somebody writes */
    uint64_t handles_made; /* a number for each, below the ticket */
};

struct handle {
    struct mmf_os_channel channel; /* what the objects see of it */
    struct mmf_ring ring;
    struct mmf_ring_ops ops;
    struct mmf_object *object;
    struct mapping head;     /* its own, if not the process's: header and tables, */
    struct mapping slots;    /* and the slots; or `head` has all */
    mmf_atomic_u32 watch_fd; /* once somebody polls: an inotify one, plus 1 */
};

static struct handle *
handle_of(struct mmf_os_channel *channel)
{
    return (struct handle *)channel;
}

/*
 * What the rings need of the system.
 */

static int64_t
monotonic_now(void *context)
{
    struct timespec now = {0};

    (void)context;
    mmf_sys_clock(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
sleep_on(void *context, mmf_atomic_u32 *doorbell, uint32_t expected, int64_t until)
{
    uint32_t *word = (uint32_t *)(void *)doorbell;

    (void)context;
    mmf_futex_sleep(&word, &expected, 1, 0, until);
}

static int
wake_sleepers(void *context, mmf_atomic_u32 *doorbell, int count)
{
    (void)context;
    return mmf_futex_wake((uint32_t *)(void *)doorbell, count);
}

/* Pollers watch the file's times. */
static void
touch_object(void *context)
{
    struct handle *handle = context;

    mmf_sys_touch(handle->object->fd);
}

static int
is_alive(void *context, uint64_t ticket)
{
    struct handle *handle = context;

    return ticket == handle->object->ticket ||
           mmf_lock_is_self_alive(handle->object->fd, ticket);
}

/*
 * Spinning is for those whose counterpart runs meanwhile. That a thread is bound to one
 * processor says nothing: its counterpart may be bound to another one.
 */
static struct mmf_ring_ops
ops_for(struct handle *handle)
{
    return (struct mmf_ring_ops){.now = monotonic_now,
                                 .sleep = sleep_on,
                                 .wake = wake_sleepers,
                                 .notify_pollers = touch_object,
                                 .is_alive = is_alive,
                                 .context = handle,
                                 .may_spin = mmf_sys_cpu_count() != 1};
}

/*
 * Mapping.
 */

static void
unmap(struct mapping *mapping)
{
    if (mapping->base != NULL)
        mmf_sys_munmap(mapping->base, mapping->length);
    mapping->base = NULL;
}

static int
map_part(const struct mmf_object *object, int fd, int64_t offset, uint64_t length,
         int protection, struct mapping *mapping)
{
    void *base;

    if (length > SIZE_MAX)
        return mmf_fail(MMF_E_NO_MEMORY,
                        "%s has %llu bytes, more than this process can address",
                        object->path, (unsigned long long)length);
    base = mmf_sys_mmap(NULL, (size_t)length, protection, MAP_SHARED, fd, offset);
    if (base == MAP_FAILED)
        return mmf_error_fail("map %llu bytes of %s", (unsigned long long)length,
                              object->path);
    mapping->base = base;
    mapping->length = (size_t)length;
    return MMF_OK;
}

static int
read_shape(const struct mmf_object *object, const struct mmf_control_shared *page,
           struct mmf_ring_shape *shape)
{
    struct mmf_ring_shape_shared copy;

    memcpy(&copy, page->state, sizeof(copy));
    if (mmf_ring_shape_read(&copy, object->kind, object->capacity, shape))
        return MMF_OK;
    return mmf_fail(MMF_E_CORRUPT, "%s is damaged: a %s has no such sizes",
                    object->path, mmf_kind_name((mmf_kind)object->kind));
}

/* The shape, and for those that may take part a ticket. With the mutex. */
static int
read_page(struct mmf_object *object, int fd, int writable, struct mmf_ring_shape *shape)
{
    struct mapping page = {0};
    int rc = map_part(object, fd, object->data_size, MMF_CONTROL_SIZE,
                      writable ? PROT_READ | PROT_WRITE : PROT_READ, &page);

    if (rc < 0)
        return rc;
    rc = read_shape(object, page.base, shape);
    if (rc == MMF_OK && writable)
        rc = mmf_ticket_draw_locked(object, page.base);
    unmap(&page);
    return rc;
}

/* The process's first handle draws a ticket. With the mutex. */
static int
attach_locked(struct mmf_object *object, int fd)
{
    struct mmf_channel_object *local = calloc(1, sizeof(*local));
    int rc;

    if (local == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s",
                        mmf_kind_name((mmf_kind)object->kind));
    rc = read_page(object, fd, 1, &local->shape);
    if (rc < 0) {
        free(local);
        return rc;
    }
    object->channel = local;
    return MMF_OK;
}

void
mmf_channel_destroy(struct mmf_channel_object *local)
{
    unmap(&local->data);
    free(local);
}

/* A handle that only reads the slots maps them so, where the page size allows it. */
static int
map_slots_read_only(struct handle *handle, int fd, const struct mmf_ring_shape *shape)
{
    uint64_t offset = mmf_ring_slots_offset(shape);
    int rc =
        map_part(handle->object, fd, 0, offset, PROT_READ | PROT_WRITE, &handle->head);

    if (rc == MMF_OK)
        rc = map_part(handle->object, fd, (int64_t)offset,
                      mmf_ring_capacity(shape) - offset, PROT_READ, &handle->slots);
    if (rc < 0)
        unmap(&handle->head);
    return rc;
}

/* With the mutex. */
static int
map_whole_locked(const struct mmf_object *object, int fd)
{
    struct mmf_channel_object *local = object->channel;

    if (local->data.base != NULL)
        return MMF_OK;
    return map_part(object, fd, 0, mmf_ring_capacity(&local->shape),
                    PROT_READ | PROT_WRITE, &local->data);
}

static int
map_handle_locked(struct handle *handle, int fd, int only_reads_slots)
{
    struct mmf_object *object = handle->object;
    const struct mmf_ring_shape *shape;
    uint8_t *data;
    int rc;

    if (object->channel == NULL) {
        rc = attach_locked(object, fd);
        if (rc < 0)
            return rc;
    }
    shape = &object->channel->shape;
    handle->channel.may_write_slots = 1;
    if (only_reads_slots &&
        mmf_ring_slots_offset(shape) % (uint64_t)mmf_os_limits().page_size == 0) {
        rc = map_slots_read_only(handle, fd, shape);
        if (rc < 0)
            return rc;
        handle->channel.may_write_slots = 0;
        mmf_ring_attach(shape, handle->head.base, handle->slots.base, &handle->ring);
    } else {
        rc = map_whole_locked(object, fd);
        if (rc < 0)
            return rc;
        data = object->channel->data.base;
        mmf_ring_attach(shape, data, data + mmf_ring_slots_offset(shape),
                        &handle->ring);
    }
    handle->ring.identity =
        object->ticket << MMF_IDENTITY_HANDLE_BITS |
        (object->channel->handles_made++ & ((1u << MMF_IDENTITY_HANDLE_BITS) - 1));
    return MMF_OK;
}

/* To look at only: a mapping of its own, of everything. */
static int
map_look_locked(struct handle *handle, int fd)
{
    struct mmf_ring_shape shape;
    uint8_t *data;
    int rc = read_page(handle->object, fd, 0, &shape);

    if (rc == MMF_OK)
        rc = map_part(handle->object, fd, 0, mmf_ring_capacity(&shape), PROT_READ,
                      &handle->head);
    if (rc < 0)
        return rc;
    data = handle->head.base;
    mmf_ring_attach(&shape, data, data + mmf_ring_slots_offset(&shape), &handle->ring);
    return MMF_OK;
}

/*
 * Handles.
 */

enum purpose { TAKE_PART, TAKE_PART_READING, LOOK };

static int
map_object(struct handle *handle, enum purpose purpose)
{
    int fd;
    int rc;

    mmf_claim_lock();
    fd = mmf_object_open_again_locked(handle->object);
    if (fd < 0)
        rc = mmf_object_fail_open_again(handle->object, "once more");
    else if (purpose == LOOK)
        rc = map_look_locked(handle, fd);
    else
        rc = map_handle_locked(handle, fd, purpose == TAKE_PART_READING);
    if (fd >= 0)
        mmf_claim_close_locked(fd);
    mmf_claim_unlock();
    return rc;
}

/* A handle on an entered object; on failure the object is left. */
static int
wrap_object(struct mmf_object *object, enum purpose purpose,
            struct mmf_os_channel **out)
{
    struct handle *handle = calloc(1, sizeof(*handle));
    int rc;

    if (handle == NULL) {
        mmf_object_leave(object);
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on a channel");
    }
    handle->object = object;
    rc = map_object(handle, purpose);
    if (rc < 0) {
        mmf_object_leave(object);
        free(handle);
        return rc;
    }
    handle->ops = ops_for(handle);
    handle->channel.ring = &handle->ring;
    handle->channel.ops = &handle->ops;
    handle->channel.forks_before = mmf_object_generation();
    *out = &handle->channel;
    return MMF_OK;
}

static enum purpose
purpose_of(const struct mmf_os_channel_request *request)
{
    return request->only_reads_slots ? TAKE_PART_READING : TAKE_PART;
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

    return rc < 0 ? rc : wrap_object(object, purpose_of(request), out);
}

int
mmf_os_channel_look(const struct mmf_name *name, mmf_kind kind,
                    struct mmf_os_channel **out)
{
    struct mmf_object *object;
    int rc = mmf_store_open(name, (uint32_t)kind, 0, 0, &object);

    return rc < 0 ? rc : wrap_object(object, LOOK, out);
}

void
mmf_os_channel_close(struct mmf_os_channel *channel)
{
    struct handle *handle = handle_of(channel);
    int fd = (int)mmf_load_acquire_u32(&handle->watch_fd) - 1;

    if (fd >= 0)
        mmf_sys_close(fd);
    unmap(&handle->slots);
    unmap(&handle->head);
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

/*
 * Polling. A kill closes the victim's descriptors, which the watch shows too.
 */

static int
make_watch(const struct mmf_object *object)
{
    int fd = mmf_sys_inotify_init();

    if (fd < 0)
        return mmf_error_fail(
            "make an inotify instance (fs.inotify.max_user_instances)");
    if (mmf_sys_inotify_watch(fd, object->path, IN_ATTRIB | IN_CLOSE_WRITE) < 0) {
        int rc = mmf_error_fail("watch %s", object->path);

        mmf_sys_close(fd);
        return rc;
    }
    return fd;
}

/* Senders touch the file from now on; and we do, for one may not have seen that yet. */
static int
ask_for_hints(struct handle *handle)
{
    mmf_store_relaxed_u32(&handle->ring.shared->polled, 1);
    if (mmf_sys_touch(handle->object->fd) == 0)
        return MMF_OK;
    return mmf_error_fail("set the times of %s, which is how pollers are told",
                          handle->object->path);
}

int
mmf_os_channel_poll_fd(struct mmf_os_channel *channel, int *fd)
{
    struct handle *handle = handle_of(channel);
    int had = (int)mmf_load_acquire_u32(&handle->watch_fd) - 1;
    int watch = had >= 0 ? had : make_watch(handle->object);
    int rc;

    if (watch < 0)
        return watch;
    rc = ask_for_hints(handle);
    if (rc < 0) {
        if (had < 0)
            mmf_sys_close(watch);
        return rc;
    }
    mmf_store_release_u32(&handle->watch_fd, (uint32_t)watch + 1);
    *fd = watch;
    return MMF_OK;
}

int
mmf_os_channel_drain(struct mmf_os_channel *channel)
{
    _Alignas(struct inotify_event) char events[512];
    struct handle *handle = handle_of(channel);
    int fd = (int)mmf_load_acquire_u32(&handle->watch_fd) - 1;
    int closed = 0;
    ssize_t count;

    while ((count = mmf_sys_read(fd, events, sizeof(events))) > 0) {
        for (ssize_t at = 0; at < count;) {
            const struct inotify_event *event = (const void *)(events + at);

            closed |= (event->mask & IN_CLOSE_WRITE) != 0;
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return closed;
}

void
mmf_os_channel_renew(struct mmf_os_channel *channel)
{
    touch_object(handle_of(channel));
}
