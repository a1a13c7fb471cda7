/*
 * at_fork.c - see at_fork.h.
 *
 * A lock lives as long as its open file description, and that lives as long as any
 * descriptor or mapping of it, in any process. After a fork the child has both. So that
 * no child keeps a name in use:
 *
 *   before the fork  views that map a lock descriptor are detached from it: a new
 *                    description takes a lock of its own, the old one drops its lock
 *                    and serves the views only
 *   in the child     all lock descriptors are closed; their handles are dead; the views
 *                    stay
 *
 * Until then lock and views share one descriptor, which makes an open as cheap as it
 * is. If the file cannot be opened once more (no descriptor is free; the process has
 * changed its root or its user since), a lock of the process takes the place of the
 * description's: a child does not get that. It is lost whenever the process closes a
 * descriptor of the file, so from then on each close takes care of it. Where even that
 * lock cannot be had, the child's views hold the name as well, until the child ends: a
 * fork never takes views away.
 *
 * Inheritable handles are the exception, see objects.c.
 */
#include "os/linux/store/at_fork.h"

#include "base/invariant.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/store/objects.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"

/* Take a lock through a description that no view maps; the old one serves the views. */
static int
detach_views_locked(struct mmf_object *object)
{
    struct mmf_hold hold;
    int fd = mmf_object_open_again_locked(object);

    MMF_ASSERT(mmf_process_is_locked());
    MMF_ASSERT(object->map_fd < 0 && object->mapped);
    if (fd < 0)
        return -1;
    if (mmf_lock_hold(fd, object->hold.writable, &hold) != MMF_LOCK_DONE ||
        mmf_lock_release(object->fd, &object->hold) < 0) {
        mmf_lock_fd_close_locked(fd); /* with its lock, if it has one */
        return -1;
    }
    mmf_lock_fd_forget_locked(object->fd);
    object->map_fd = object->fd;
    object->fd = fd;
    object->hold = hold;
    return 0;
}

/* Keep the locks of the process through the close of a descriptor. */
static void
around_close(bool before)
{
    bool is_needed = false;

    MMF_ASSERT(mmf_process_is_locked());
    for (struct mmf_object *o = mmf_object_first_locked(); o != NULL; o = o->next) {
        if (o->fd < 0 || !o->hold.of_process)
            continue;
        is_needed = true;
        if (before)
            mmf_lock_before_close(o->fd, &o->hold);
        else
            mmf_lock_after_close(o->fd, &o->hold);
    }
    if (!is_needed)
        mmf_lock_fd_guard_locked(NULL);
}

/* Siblings begin alike, and a child begins like its parent. */
static void
choose_other_bytes(void)
{
    mmf_lock_salt((uint32_t)mmf_process_id());
}

static void
before_fork(void)
{
    MMF_ASSERT(mmf_process_is_locked());
    for (struct mmf_object *o = mmf_object_first_locked(); o != NULL; o = o->next) {
        if (o->fd < 0 || !o->mapped || o->map_fd >= 0 || o->hold.of_process)
            continue;
        if (detach_views_locked(o) < 0 &&
            mmf_lock_hold_by_process(o->fd, &o->hold) == 0)
            mmf_lock_fd_guard_locked(around_close);
    }
}

static void
after_fork_in_child(void)
{
    MMF_ASSERT(mmf_process_is_locked());
    mmf_lock_fd_guard_locked(NULL); /* the locks are the parent's */
    mmf_lock_fd_close_all_locked();
    for (struct mmf_object *o = mmf_object_first_locked(); o != NULL; o = o->next) {
        if (!o->inheritable)
            o->fd = -1;
    }
    choose_other_bytes();
}

int
mmf_watch_forks(void)
{
    static const struct mmf_fork_hooks hooks = {.at_start = choose_other_bytes,
                                                .before = before_fork,
                                                .in_child = after_fork_in_child};

    return mmf_fork_watch(&hooks) < 0 ? mmf_error_fail("watch for forks") : 0;
}
