/*
 * mapping.c - see mapping.h.
 */
#include "os/linux/channel/mapping.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/entry.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/store/ticket.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"

static void
unmap(struct mmf_mapping *mapping)
{
    if (mapping->base != NULL)
        mmf_sys_munmap(mapping->base, mapping->length);
    mapping->base = NULL;
}

static int
map_piece(const struct mmf_object *object, int fd, int64_t offset, uint64_t length,
          int protection, struct mmf_mapping *mapping)
{
    void *base;

    MMF_ASSERT(fd >= 0 && offset >= 0 && length > 0 && mapping->base == NULL);
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

    MMF_ASSERT(page != NULL);
    memcpy(&copy, page->state, sizeof(copy));
    if (mmf_ring_shape_read(&copy, object->kind, object->capacity, shape))
        return MMF_OK;
    return mmf_fail(MMF_E_CORRUPT, "%s is damaged: a %s has no such sizes",
                    object->path, mmf_kind_name((mmf_kind)object->kind));
}

/* Another user may have made the file, and a hole in it is a SIGBUS to come. */
static int
check_allocated(const struct mmf_object *object, int fd)
{
    struct stat status;

    if (object->made_here)
        return MMF_OK;
    if (mmf_sys_fstat(fd, &status) < 0)
        return mmf_error_fail("inspect %s", object->path);
    return mmf_entry_check_allocated(&status, object->capacity, object->path);
}

/* The shape, and a ticket for the process. With the mutex. */
static int
read_page_locked(struct mmf_object *object, int fd, struct mmf_ring_shape *shape)
{
    struct mmf_mapping page = {0};
    int rc = check_allocated(object, fd);

    MMF_ASSERT(mmf_process_is_locked());
    if (rc == MMF_OK)
        rc = map_piece(object, fd, object->data_size, MMF_CONTROL_SIZE,
                       PROT_READ | PROT_WRITE, &page);
    if (rc < 0)
        return rc;
    rc = read_shape(object, page.base, shape);
    if (rc == MMF_OK)
        rc = mmf_ticket_draw_locked(object, page.base);
    unmap(&page);
    return rc;
}

static void
destroy(void *part)
{
    struct mmf_channel_part *channel = part;

    unmap(&channel->data);
    free(channel);
}

/* The process's first handle draws a ticket. With the mutex. */
static int
attach_locked(struct mmf_object *object, int fd)
{
    static const struct mmf_object_ops ops = {.destroy = destroy};
    struct mmf_channel_part *part = calloc(1, sizeof(*part));
    int rc;

    MMF_ASSERT(mmf_process_is_locked());
    if (part == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s",
                        mmf_kind_name((mmf_kind)object->kind));
    rc = read_page_locked(object, fd, &part->shape);
    if (rc < 0) {
        free(part);
        return rc;
    }
    mmf_object_attach_locked(object, &ops, part);
    return MMF_OK;
}

/* A handle that only reads the slots maps them so, where the page size allows it. */
static int
map_slots_read_only(struct mmf_channel_handle *handle, int fd,
                    const struct mmf_ring_shape *shape)
{
    uint64_t offset = mmf_ring_slots_offset(shape);
    int rc =
        map_piece(handle->object, fd, 0, offset, PROT_READ | PROT_WRITE, &handle->head);

    MMF_ASSERT(handle->slots.base == NULL);
    if (rc == MMF_OK)
        rc = map_piece(handle->object, fd, (int64_t)offset,
                       mmf_ring_capacity(shape) - offset, PROT_READ, &handle->slots);
    if (rc < 0)
        unmap(&handle->head);
    return rc;
}

/* The process's mapping of everything. With the mutex. */
static int
map_whole_locked(const struct mmf_object *object, int fd)
{
    struct mmf_channel_part *part = object->part;

    MMF_ASSERT(mmf_process_is_locked());
    if (part->data.base != NULL)
        return MMF_OK;
    return map_piece(object, fd, 0, mmf_ring_capacity(&part->shape),
                     PROT_READ | PROT_WRITE, &part->data);
}

/* Where a handle that takes part finds the head and the slots. With the mutex. */
static int
map_ring_locked(struct mmf_channel_handle *handle, int fd, bool only_reads_slots,
                uint8_t **head, uint8_t **slots)
{
    struct mmf_channel_part *part = handle->object->part;
    uint64_t offset = mmf_ring_slots_offset(&part->shape);
    int rc;

    if (only_reads_slots && offset % (uint64_t)mmf_os_limits().page_size == 0) {
        rc = map_slots_read_only(handle, fd, &part->shape);
        *head = handle->head.base;
        *slots = handle->slots.base;
        return rc;
    }
    rc = map_whole_locked(handle->object, fd);
    *head = part->data.base;
    *slots = rc < 0 ? NULL : *head + offset;
    handle->channel.may_write_slots = 1;
    return rc;
}

/* The number that marks the handle's entries in the ring, and those of no other, ever. */
static uint64_t
identity_of(uint64_t ticket, uint64_t number)
{
    MMF_ASSERT(ticket > 0);
    return ticket << MMF_IDENTITY_HANDLE_BITS |
           (number & ((1u << MMF_IDENTITY_HANDLE_BITS) - 1));
}

/* A participant of this channel has it, perhaps a dead one. */
static bool
is_identity_in_use(const struct mmf_ring *ring, uint64_t identity)
{
    for (uint32_t i = 0; i < ring->shape.max_senders; i++) {
        if ((mmf_load_acquire_u64(&mmf_ring_participant(ring, i)->identity) &
             ~MMF_IDENTITY_JOINING) == identity)
            return true;
    }
    for (uint32_t i = 0; i < ring->shape.max_receivers; i++) {
        if ((mmf_load_acquire_u64(
                 &mmf_ring_participant(ring, MMF_RECEIVERS_FROM + i)->identity) &
             ~MMF_IDENTITY_JOINING) == identity)
            return true;
    }
    return false;
}

/* The numbers come again after a million handles; some of the first may still be open. */
static uint64_t
choose_identity_locked(const struct mmf_object *object, const struct mmf_ring *ring)
{
    struct mmf_channel_part *part = object->part;
    uint64_t identity = identity_of(object->ticket, part->handles_made++);

    MMF_ASSERT(mmf_process_is_locked());
    for (uint32_t i = 0; i < MMF_RECEIVERS_FROM * 2; i++) {
        if (part->handles_made <= (1u << MMF_IDENTITY_HANDLE_BITS) ||
            !is_identity_in_use(ring, identity))
            break;
        identity = identity_of(object->ticket, part->handles_made++);
    }
    return identity;
}

static int
map_to_take_part_locked(struct mmf_channel_handle *handle, int fd,
                        bool only_reads_slots)
{
    struct mmf_object *object = handle->object;
    struct mmf_channel_part *part;
    uint8_t *head;
    uint8_t *slots;
    int rc = object->part == NULL ? attach_locked(object, fd) : MMF_OK;

    if (rc < 0)
        return rc;
    rc = map_ring_locked(handle, fd, only_reads_slots, &head, &slots);
    if (rc < 0)
        return rc;
    part = object->part;
    mmf_ring_attach(&part->shape, head, slots, &handle->ring);
    handle->ring.identity = choose_identity_locked(object, &handle->ring);
    handle->ring.pid = (uint32_t)mmf_sys_getpid();
    return MMF_OK;
}

static int
map_locked(struct mmf_channel_handle *handle, enum mmf_channel_purpose purpose)
{
    int fd = mmf_object_open_again_locked(handle->object);
    int rc;

    MMF_ASSERT(mmf_process_is_locked());
    if (fd < 0)
        return mmf_object_fail_open_again(handle->object, "once more");
    rc = map_to_take_part_locked(handle, fd, purpose == MMF_CHANNEL_TAKE_PART_READING);
    mmf_lock_fd_close_locked(fd);
    return rc;
}

int
mmf_channel_map(struct mmf_channel_handle *handle, enum mmf_channel_purpose purpose)
{
    int rc;

    mmf_process_lock();
    rc = map_locked(handle, purpose);
    mmf_process_unlock();
    return rc;
}

void
mmf_channel_unmap(struct mmf_channel_handle *handle)
{
    unmap(&handle->slots);
    unmap(&handle->head);
}
