/*
 * inspect.c - a channel's counters for a process that takes no part.
 *
 * The file may be a stranger's. So nothing is mapped: a page of a mapping can raise
 * SIGBUS, and reading a hole of tmpfs through one takes memory. No lock is taken: an
 * inspector is not a holder, and keeps no name alive. And what is read is bounded. The
 * head is copied by pread, which may tear a counter apart; they are statistics.
 */
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/channel/handle.h"
#include "os/linux/channel/inspect.h"
#include "os/linux/store/entry.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"

/* The words of at most so many slots are read, those of the newest messages. */
#define MOST_SLOTS ((uint64_t)1 << 18)

/* Slots up to this size are read several at a time. */
enum { PIECE = 4 << 10, SMALL_SLOT = 512 };

static int
is_alive(void *context, uint64_t ticket)
{
    const struct mmf_channel_handle *handle = context;

    return mmf_lock_is_self_alive(handle->inspect_fd, ticket);
}

static bool
is_waiting(uint64_t word)
{
    enum mmf_slot_state state = mmf_word_state(word);

    return state == MMF_SLOT_COMMITTED || state == MMF_SLOT_RETURNED;
}

/* Count in the `slots` slots from `first` on, which are neighbours in the file. */
static uint64_t
count_in_run(const struct mmf_channel_handle *handle, uint64_t first, uint64_t slots)
{
    const struct mmf_ring_shape *shape = &handle->ring.shape;
    uint64_t per_read = shape->stride <= SMALL_SLOT ? PIECE / shape->stride : 1;
    uint64_t count = 0;
    uint8_t piece[PIECE];

    while (slots > 0) {
        uint64_t many = slots < per_read ? slots : per_read;
        size_t skipped = offsetof(struct mmf_slot_shared, word);
        size_t length = (size_t)((many - 1) * shape->stride) + sizeof(uint64_t);
        off_t at = (off_t)(mmf_ring_slots_offset(shape) + first * shape->stride);

        if (mmf_sys_pread(handle->inspect_fd, piece, length, at + (off_t)skipped) !=
            (ssize_t)length)
            return count; /* the file was truncated */
        for (uint64_t i = 0; i < many; i++) {
            uint64_t word;

            memcpy(&word, piece + i * shape->stride, sizeof(word));
            count += is_waiting(word);
        }
        first += many;
        slots -= many;
    }
    return count;
}

/* The slots before the tail, in one run or two. */
static uint64_t
count_waiting(void *context)
{
    const struct mmf_channel_handle *handle = context;
    uint64_t slots = handle->ring.shape.slots;
    uint64_t many = slots < MOST_SLOTS ? slots : MOST_SLOTS;
    uint64_t end = mmf_load_relaxed_u64(&handle->ring.shared->tail) & (slots - 1);
    uint64_t before = end < many ? end : many;

    MMF_ASSERT(slots > 0);
    return count_in_run(handle, end - before, before) +
           count_in_run(handle, slots - (many - before), many - before);
}

/* Copy the head: the counters and the tables. */
static int
read_head(struct mmf_channel_handle *handle, const struct mmf_ring_shape *shape,
          const char *path)
{
    size_t size = (size_t)mmf_ring_slots_offset(shape);
    ssize_t count;

    MMF_ASSERT(handle->copy == NULL);
    handle->copy = aligned_alloc(128, size);
    if (handle->copy == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for the counters of %s", path);
    count = mmf_sys_pread(handle->inspect_fd, handle->copy, size, 0);
    if (count < 0)
        return mmf_error_fail("read the counters of %s", path);
    if ((size_t)count != size)
        return mmf_fail(MMF_E_CORRUPT,
                        "%s is damaged: its counters have %zu bytes, the file has %zd",
                        path, size, count);
    mmf_ring_attach(shape, handle->copy, handle->copy, &handle->ring);
    return MMF_OK;
}

static int
read_entry(struct mmf_channel_handle *handle, const struct mmf_entry *entry,
           const char *path)
{
    struct mmf_ring_shape_shared copy;
    struct mmf_ring_shape shape;
    int rc = mmf_entry_check_allocated(&entry->status, entry->page.capacity, path);

    if (rc < 0)
        return rc;
    memcpy(&copy, entry->page.state, sizeof(copy));
    if (!mmf_ring_shape_read(&copy, entry->page.kind, entry->page.capacity, &shape))
        return mmf_fail(MMF_E_CORRUPT, "%s is damaged: a %s has no such sizes", path,
                        mmf_kind_name((mmf_kind)entry->page.kind));
    handle->inspect_fd = entry->fd;
    rc = read_head(handle, &shape, path);
    handle->ops = (struct mmf_ring_ops){
        .is_alive = is_alive, .count_waiting = count_waiting, .context = handle};
    handle->channel.ring = &handle->ring;
    handle->channel.ops = &handle->ops;
    handle->channel.forks_before = mmf_fork_epoch();
    return rc;
}

int
mmf_os_channel_inspect(const struct mmf_name *name, mmf_kind kind,
                       struct mmf_os_channel **out)
{
    struct mmf_channel_handle *handle;
    struct mmf_entry entry;
    char path[PATH_MAX];
    int rc = mmf_entry_inspect(name, (uint32_t)kind, path, &entry);

    MMF_ASSERT(out != NULL);
    if (rc < 0)
        return rc;
    handle = calloc(1, sizeof(*handle));
    if (handle == NULL)
        rc = mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on a channel");
    else
        rc = read_entry(handle, &entry, path);
    if (rc < 0) {
        mmf_lock_fd_close(entry.fd);
        if (handle != NULL)
            free(handle->copy);
        free(handle);
        return rc;
    }
    *out = &handle->channel;
    return MMF_OK;
}

void
mmf_channel_end_inspection(struct mmf_channel_handle *handle)
{
    MMF_ASSERT(handle->object == NULL);
    mmf_lock_fd_close(handle->inspect_fd);
    free(handle->copy);
    free(handle);
}
