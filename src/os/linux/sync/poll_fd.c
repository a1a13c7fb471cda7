/*
 * poll_fd.c - a named object's hint is an inotify watch on its file, whose times
 * change with every step that lets through; an unnamed one's is an eventfd. A kill
 * closes the victim's descriptors, which the watch shows too; so an owner's death is a
 * hint as well.
 */
#include "os/linux/sync/poll_fd.h"

#include <sys/inotify.h>

#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/sync/system.h"
#include "os/linux/sys/sys.h"

/* A descriptor that some thread may be about to make; -1: there is none yet. */
static int
fd_in(const mmf_atomic_u32 *place)
{
    return (int)mmf_load_acquire_u32(place) - 1;
}

static void
put_fd(mmf_atomic_u32 *place, int fd)
{
    mmf_store_release_u32(place, (uint32_t)fd + 1);
}

/* Pollers watch the file's times; those of an unnamed object, a counter. */
void
mmf_sync_hint_give(const struct mmf_sync_object *local)
{
    uint64_t one = 1;

    if (local->object != NULL)
        mmf_sys_touch(local->object->fd);
    else if (fd_in(&local->counter_fd) >= 0 &&
             mmf_sys_write(fd_in(&local->counter_fd), &one, 8) < 0)
        return; /* the counter is full: readable anyway */
}

/* What polls readable for this handle; -1: nobody has asked for it. */
static int
hint_fd(const struct mmf_os_sync *sync)
{
    return fd_in(sync->local->object == NULL ? &sync->local->counter_fd
                                             : &sync->watch_fd);
}

/*
 * A kill shows as the closing of a descriptor a moment before the kernel drops its
 * locks. A poll that follows such a hint looks again for so long; milliseconds.
 */
enum { DEATH_SETTLES_MS = 5 };

int32_t
mmf_sync_hint_drain(struct mmf_os_sync *sync, int32_t timeout_ms)
{
    _Alignas(struct inotify_event) char events[512];
    int fd = hint_fd(sync);
    int closed = 0;
    ssize_t count;

    if (fd < 0)
        return timeout_ms;
    while ((count = mmf_sys_read(fd, events, sizeof(events))) > 0) {
        if (sync->local->object == NULL)
            break; /* a counter is read in one go */
        for (ssize_t at = 0; at < count;) {
            const struct inotify_event *event = (const void *)(events + at);

            closed |= (event->mask & IN_CLOSE_WRITE) != 0;
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    if (closed && sync->local->kind == MMF_KIND_MUTEX && timeout_ms >= 0 &&
        timeout_ms < DEATH_SETTLES_MS)
        return DEATH_SETTLES_MS;
    return timeout_ms;
}

void
mmf_sync_hint_renew(struct mmf_os_sync *sync, const struct mmf_sync_ref *ref)
{
    uint64_t word;
    enum mmf_step answer;

    if (hint_fd(sync) < 0)
        return;
    answer = mmf_sync_probe(ref, 0, &word);
    if (answer == MMF_STEP_DONE || answer == MMF_STEP_ABANDONED)
        mmf_sync_hint_give(sync->local);
}

static int
make_watch(const struct mmf_sync_object *local)
{
    int fd = mmf_sys_inotify_init();

    if (fd < 0)
        return mmf_error_fail(
            "make an inotify instance (fs.inotify.max_user_instances)");
    if (mmf_sys_inotify_watch(fd, local->object->path, IN_ATTRIB | IN_CLOSE_WRITE) <
        0) {
        int rc = mmf_error_fail("watch %s", local->object->path);

        mmf_sys_close(fd);
        return rc;
    }
    return fd;
}

static int
make_counter(void)
{
    int fd = mmf_sys_eventfd();

    return fd < 0 ? mmf_error_fail("make an event descriptor") : fd;
}

/* Two threads may ask at once. */
static int
make_hint_fd(struct mmf_os_sync *sync)
{
    struct mmf_sync_object *local = sync->local;
    int rc = MMF_OK;

    mmf_claim_lock();
    if (hint_fd(sync) < 0) {
        rc = local->object == NULL ? make_counter() : make_watch(local);
        if (rc >= 0)
            put_fd(local->object == NULL ? &local->counter_fd : &sync->watch_fd, rc);
    }
    mmf_claim_unlock();
    return rc < 0 ? rc : MMF_OK;
}

int
mmf_os_sync_poll_fd(struct mmf_os_sync *sync, int *fd)
{
    struct mmf_thread *thread = mmf_thread_self();
    struct mmf_sync_ref ref;
    int rc;

    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    rc = make_hint_fd(sync);
    if (rc < 0)
        return rc;
    mmf_sync_make_ref(sync->local, thread, &ref);
    mmf_sync_mark_polled(&ref);
    mmf_sync_hint_renew(sync, &ref);
    *fd = hint_fd(sync);
    return MMF_OK;
}

void
mmf_sync_hint_close(const struct mmf_os_sync *sync)
{
    if (fd_in(&sync->watch_fd) >= 0)
        mmf_sys_close(fd_in(&sync->watch_fd));
}

void
mmf_sync_hint_destroy(const struct mmf_sync_object *local)
{
    if (fd_in(&local->counter_fd) >= 0)
        mmf_sys_close(fd_in(&local->counter_fd));
}
