/*
 * inspect.c - a channel's counters for a process that takes no part.
 *
 * The file may be a stranger's. So nothing is mapped: a page of a mapping can raise
 * SIGBUS, and reading a hole of tmpfs through one takes memory. No lock is taken: an
 * inspector is not a holder, and keeps no name alive. And what is read is bounded. The
 * head is copied by pread, which may tear a counter apart; they are statistics.
 */
#include <errno.h>
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
#include "shared/ring/stat.h"

/* Slots up to this size are read several at a time. */
enum { PIECE = 1 << 10, SMALL_SLOT = 512 };

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

/* Read all of it. */
static int
read_all(int fd, void *into, size_t count, off_t at, const char *path)
{
    uint8_t *next = into;

    MMF_ASSERT(fd >= 0);
    while (count > 0) {
        ssize_t done = mmf_sys_pread(fd, next, count, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return mmf_error_fail("read the counters of %s", path);
        if (done == 0)
            return mmf_fail(MMF_E_CORRUPT, "%s has been truncated to %lld bytes", path,
                            (long long)at);
        next += done;
        at += done;
        count -= (size_t)done;
    }
    return MMF_OK;
}

/* Count in the `slots` slots from `first` on, which are neighbours in the file. */
static int
count_in_run(struct mmf_channel_handle *handle, uint64_t first, uint64_t slots,
             const char *path)
{
    const struct mmf_ring_shape *shape = &handle->ring.shape;
    uint64_t per_read = shape->stride <= SMALL_SLOT ? PIECE / shape->stride : 1;
    uint8_t piece[PIECE];

    while (slots > 0) {
        uint64_t many = slots < per_read ? slots : per_read;
        uint64_t skipped = offsetof(struct mmf_slot_shared, word);
        size_t length = (size_t)((many - 1) * shape->stride) + sizeof(uint64_t);
        uint64_t at = mmf_ring_slots_offset(shape) + first * shape->stride + skipped;
        int rc = read_all(handle->inspect_fd, piece, length, (off_t)at, path);

        if (rc < 0)
            return rc;
        for (uint64_t i = 0; i < many; i++) {
            uint64_t word;

            memcpy(&word, piece + i * shape->stride, sizeof(word));
            handle->waiting += is_waiting(word);
        }
        first += many;
        slots -= many;
    }
    return MMF_OK;
}

/* A queue's waiting messages: the slots before the tail, in one run or two. */
static int
count_messages(struct mmf_channel_handle *handle, const char *path)
{
    uint64_t slots = handle->ring.shape.slots;
    uint64_t many = slots < MMF_RING_COUNTED_MOST ? slots : MMF_RING_COUNTED_MOST;
    uint64_t end = mmf_load_relaxed_u64(&handle->ring.shared->tail) & (slots - 1);
    uint64_t before = end < many ? end : many;
    int rc;

    MMF_ASSERT(slots > 0);
    if (!mmf_ring_is_mpmc(&handle->ring))
        return MMF_OK;
    rc = count_in_run(handle, end - before, before, path);
    if (rc < 0)
        return rc;
    return count_in_run(handle, slots - (many - before), many - before, path);
}

static uint64_t
count_waiting(void *context)
{
    const struct mmf_channel_handle *handle = context;

    return handle->waiting;
}

/* Copy the head: the counters and the tables. */
static int
read_head(struct mmf_channel_handle *handle, const struct mmf_ring_shape *shape,
          const char *path)
{
    size_t size = (size_t)mmf_ring_slots_offset(shape);
    int rc;

    MMF_ASSERT(handle->copy == NULL);
    handle->copy = aligned_alloc(128, size);
    if (handle->copy == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for the counters of %s", path);
    rc = read_all(handle->inspect_fd, handle->copy, size, 0, path);
    if (rc == MMF_OK)
        mmf_ring_attach(shape, handle->copy, handle->copy, &handle->ring);
    return rc;
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
    if (rc == MMF_OK)
        rc = count_messages(handle, path);
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
    struct mmf_directory directory;
    struct mmf_entry entry;
    int rc = mmf_entry_inspect(name, (uint32_t)kind, &directory, &entry);

    MMF_ASSERT(out != NULL);
    if (rc < 0)
        return rc;
    handle = calloc(1, sizeof(*handle));
    if (handle == NULL)
        rc = mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on a channel");
    else
        rc = read_entry(handle, &entry, directory.file);
    mmf_directory_free(&directory);
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

int
mmf_os_channel_read(struct mmf_os_channel *channel, uint64_t at, void *into,
                    size_t count)
{
    struct mmf_channel_handle *handle = mmf_channel_handle_of(channel);

    MMF_ASSERT(handle->object == NULL);
    return read_all(handle->inspect_fd, into, count, (off_t)at, "the channel");
}

void
mmf_channel_end_inspection(struct mmf_channel_handle *handle)
{
    MMF_ASSERT(handle->object == NULL);
    mmf_lock_fd_close(handle->inspect_fd);
    free(handle->copy);
    free(handle);
}
