/*
 * objects.c - the table of objects that this process holds, and fork.
 *
 * A lock lives as long as its open file description, and that lives as long as any
 * descriptor or mapping of it, in any process. After a fork the child has both. So that
 * no child keeps a name alive:
 *
 *   before the fork  a claim that views map is parted: a new description takes a lock
 * of its own, the old one lets go and serves the views only in the child     all claims
 * are closed; their handles are dead; the views stay
 *
 * Until then claim and mapping share one descriptor, which makes an open as cheap as it
 * is. If no descriptor is free for the parting, the child does not get those views: the
 * promise about names comes first.
 *
 * An inheritable handle is the exception: it is entered alone, views map a second
 * descriptor from the start, and the child keeps the claim itself. Nobody unlocks it;
 * the lock goes with the last copy.
 */
#include "os/linux/store/objects.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/atomic.h"
#include "base/fail.h"
#include "os/linux/channel/object.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/store/entry.h"
#include "os/linux/sync/object.h"
#include "os/linux/sys/sys.h"

static struct mmf_object *objects; /* guarded by the claim mutex */
mmf_atomic_u32 mmf_os_forks;

static int
is_same_file(const struct mmf_object *object, const struct stat *status)
{
    return object->device == status->st_dev && object->inode == status->st_ino;
}

static struct mmf_object *
find_shareable(const struct mmf_object_request *request)
{
    for (struct mmf_object *o = objects; o != NULL; o = o->next) {
        if (o->fd >= 0 && !o->inheritable && is_same_file(o, request->status) &&
            o->hold.writable >= request->hold.writable)
            return o;
    }
    return NULL;
}

static void
insert(struct mmf_object *object)
{
    object->next = objects;
    objects = object;
}

static void
remove_from_table(struct mmf_object *object)
{
    struct mmf_object **link = &objects;

    while (*link != object)
        link = &(*link)->next;
    *link = object->next;
}

static void
destroy(struct mmf_object *object)
{
    if (object->sync != NULL)
        mmf_sync_destroy(object->sync);
    if (object->channel != NULL)
        mmf_channel_destroy(object->channel);
    free(object->path);
    free(object);
}

static struct mmf_object *
make_object(const struct mmf_object_request *request)
{
    struct mmf_object *object = calloc(1, sizeof(*object));

    if (object == NULL)
        return NULL;
    object->path = strdup(request->path);
    if (object->path == NULL) {
        free(object);
        return NULL;
    }
    object->device = request->status->st_dev;
    object->inode = request->status->st_ino;
    object->hold = request->hold;
    object->fd = request->fd;
    object->map_fd = -1;
    object->handles = 1;
    object->inheritable = request->inheritable;
    object->made_here = request->made_here;
    object->ticket = request->ticket;
    object->kind = request->kind;
    object->protection = request->protection;
    object->flags = request->flags;
    object->capacity = request->capacity;
    object->data_size = request->data_size;
    return object;
}

int
mmf_object_open_again_locked(const struct mmf_object *object)
{
    struct stat status;
    int fd = mmf_claim_open_locked(object->path,
                                   object->hold.writable ? O_RDWR : O_RDONLY, 0);

    if (fd < 0)
        return -1;
    if (mmf_sys_fstat(fd, &status) < 0) {
        mmf_claim_close_locked(fd);
        return -1;
    }
    if (!is_same_file(object, &status)) {
        mmf_claim_close_locked(fd);
        errno = ENOENT;
        return -1;
    }
    return fd;
}

int
mmf_object_fail_open_again(const struct mmf_object *object, const char *purpose)
{
    /* The object is there, for we hold it: it is its file that is not. */
    if (errno == ENOENT)
        return mmf_fail_system(MMF_E_IO, errno, "%s was removed while we opened it",
                               object->path);
    return mmf_error_fail("open %s %s", object->path, purpose);
}

/* Let children have the claim, and give the views a descriptor of their own. */
static int
make_inheritable(struct mmf_object *object)
{
    int flags;

    mmf_claim_lock();
    object->map_fd = mmf_object_open_again_locked(object);
    mmf_claim_unlock();
    if (object->map_fd < 0)
        return mmf_object_fail_open_again(object, "for inheritance");
    mmf_claim_forget(object->map_fd);
    flags = mmf_sys_fcntl(object->fd, F_GETFD, 0);
    if (flags < 0 || mmf_sys_fcntl(object->fd, F_SETFD, flags & ~FD_CLOEXEC) < 0) {
        int rc = mmf_error_fail("make %s inheritable", object->path);

        mmf_sys_close(object->map_fd);
        return rc;
    }
    mmf_claim_forget(object->fd);
    return MMF_OK;
}

/* An object whose mutex a thread of ours owns, without a handle so far. */
static int
hold_lingering(struct mmf_object *object)
{
    int rc;

    rc = mmf_lock_hold(object->fd, 1, &object->hold);
    if (rc == MMF_LOCK_BUSY)
        errno = EAGAIN;
    return rc == MMF_LOCK_DONE ? 0 : -1;
}

int
mmf_object_enter(const struct mmf_object_request *request, struct mmf_object **out)
{
    struct mmf_object *object = make_object(request);
    struct mmf_object *shared = NULL;

    if (object == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on %s", request->path);
    if (request->inheritable) {
        int rc = make_inheritable(object);

        if (rc < 0) {
            destroy(object);
            return rc;
        }
    }
    mmf_claim_lock();
    if (!request->inheritable && !request->made_here)
        shared = find_shareable(request);
    if (shared != NULL && shared->handles == 0 && hold_lingering(shared) < 0) {
        int rc = mmf_error_fail("hold %s again", object->path);

        mmf_claim_unlock();
        destroy(object);
        return rc;
    }
    if (shared != NULL)
        shared->handles++;
    else
        insert(object);
    mmf_claim_unlock();
    if (shared != NULL) {
        mmf_lock_release(request->fd, &request->hold);
        mmf_claim_close(request->fd);
        destroy(object);
        object = shared;
    }
    *out = object;
    return MMF_OK;
}

int
mmf_object_enter_made_locked(const struct mmf_object_request *request,
                             struct mmf_object **out)
{
    struct mmf_object *object = make_object(request);

    if (object == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on %s", request->path);
    insert(object);
    *out = object;
    return MMF_OK;
}

static int
reap_object(const struct mmf_object *object)
{
    return mmf_store_reap(object->fd, object->path, object->device, object->inode);
}

/*
 * This process's last handle is gone: let go, and look whether it was anybody's last.
 * With the mutex, so that no fork's child gets a mapping of a description that has
 * locks. No call here waits.
 *
 * Reaping takes our own lock along. Who opened tries it after unlocking, since others
 * are likely to be there; who created, before. After unlocking it must be tried at any
 * rate: two who leave at once would both see the other.
 *
 * Answers 1 if the object is gone with that.
 */
static int
let_go_locked(struct mmf_object *object)
{
    if (!object->hold.writable) {
        mmf_lock_release(object->fd, &object->hold); /* readers cannot reap */
        return 0;
    }
    if (object->made_here && reap_object(object) == MMF_LOCK_DONE)
        return 1;
    mmf_lock_release(object->fd, &object->hold);
    return reap_object(object) == MMF_LOCK_DONE;
}

/*
 * A mutex that a thread of ours owns lingers without handles: survivors must see the
 * owner alive. Unless the object is gone, and the thread is the one that closes.
 */
static int
lingers(const struct mmf_object *object, int is_gone)
{
    if (object->sync == NULL || !mmf_sync_is_owned(object->sync))
        return 0;
    return !(is_gone && mmf_sync_disown(object->sync));
}

void
mmf_object_leave(struct mmf_object *object)
{
    int fd;
    int map_fd;
    int unused;

    mmf_claim_lock();
    if (--object->handles > 0) {
        mmf_claim_unlock();
        return;
    }
    fd = object->fd;
    map_fd = object->map_fd;
    if (fd >= 0 && object->inheritable) {
        mmf_sys_close(fd); /* a child's copy may go on holding: no unlock */
        fd = -1;
        mmf_store_reap_path_locked(object->path, object->device, object->inode);
    } else if (fd >= 0) {
        if (lingers(object, let_go_locked(object))) {
            mmf_claim_unlock();
            return;
        }
        mmf_claim_forget_locked(fd);
    }
    remove_from_table(object);
    object->fd = -1;
    object->map_fd = -1;
    unused = object->view_count == 0;
    mmf_claim_unlock();
    /* Closing may give back gigabytes, which takes its time: after the mutex. */
    if (fd >= 0)
        mmf_sys_close(fd);
    if (map_fd >= 0)
        mmf_sys_close(map_fd);
    if (unused)
        destroy(object);
}

void
mmf_object_drop_lingering_locked(struct mmf_object *object)
{
    if (object->handles > 0)
        return;
    remove_from_table(object);
    mmf_claim_close_locked(object->fd);
    destroy(object);
}

int
mmf_object_is_dead(const struct mmf_object *object)
{
    return object->fd < 0;
}

int
mmf_object_map_fd_locked(const struct mmf_object *object)
{
    return object->map_fd >= 0 ? object->map_fd : object->fd;
}

void
mmf_object_add_view_locked(struct mmf_object *object, struct mmf_os_view *view)
{
    if (object->map_fd < 0)
        object->mapped = 1;
    view->owner = object;
    view->next = object->views;
    object->views = view;
    object->view_count++;
}

void
mmf_object_remove_view_locked(struct mmf_object *object, struct mmf_os_view *view)
{
    struct mmf_os_view **link = &object->views;

    while (*link != view)
        link = &(*link)->next;
    *link = view->next;
    if (--object->view_count == 0 && object->handles == 0)
        destroy(object);
}

/*
 * fork.
 */

static mmf_atomic_u32 process_id;

static void
note_process_id(void)
{
    mmf_store_relaxed_u32(&process_id, (uint32_t)mmf_sys_getpid());
}

pid_t
mmf_object_process_id(void)
{
    return (pid_t)mmf_load_relaxed_u32(&process_id);
}

static void
keep_views_from_child(struct mmf_object *object, int advice)
{
    for (struct mmf_os_view *v = object->views; v != NULL; v = v->next)
        mmf_sys_madvise(v->base, (size_t)v->length, advice);
}

/* Take a lock through a description that no view maps; the old one serves the views. */
static int
part_claim_from_mapping(struct mmf_object *object)
{
    struct mmf_hold hold;
    int fd = mmf_object_open_again_locked(object);

    if (fd < 0)
        return -1;
    if (mmf_lock_hold(fd, object->hold.writable, &hold) != MMF_LOCK_DONE ||
        mmf_lock_release(object->fd, &object->hold) < 0) {
        mmf_claim_close_locked(fd); /* with its lock, if it has one */
        return -1;
    }
    mmf_claim_forget_locked(object->fd);
    object->map_fd = object->fd;
    object->fd = fd;
    object->hold = hold;
    return 0;
}

static void
before_fork(void)
{
    mmf_claim_lock();
    for (struct mmf_object *o = objects; o != NULL; o = o->next) {
        if (o->fd >= 0 && o->mapped && o->map_fd < 0 &&
            part_claim_from_mapping(o) < 0) {
            o->unforkable = 1;
            keep_views_from_child(o, MADV_DONTFORK);
        }
    }
}

static void
after_fork_in_parent(void)
{
    for (struct mmf_object *o = objects; o != NULL; o = o->next) {
        if (o->unforkable) {
            o->unforkable = 0;
            keep_views_from_child(o, MADV_DOFORK);
        }
    }
    mmf_claim_unlock();
}

static void
after_fork_in_child(void)
{
    mmf_claim_close_all();
    for (struct mmf_object *o = objects; o != NULL; o = o->next) {
        if (!o->inheritable)
            o->fd = -1;
    }
    mmf_add_relaxed_u32(&mmf_os_forks, 1);
    note_process_id();
    mmf_lock_salt((uint32_t)mmf_object_process_id());
    mmf_claim_unlock();
}

static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static mmf_atomic_u32 watch_error; /* of pthread_atfork */

static void
start_watching(void)
{
    int error;

    note_process_id();
    mmf_lock_salt((uint32_t)mmf_object_process_id()); /* siblings begin alike */
    error = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    mmf_store_release_u32(&watch_error, (uint32_t)error);
}

/* There was no memory for it; there may be some now. */
static void
start_watching_again(void)
{
    mmf_claim_lock();
    if (mmf_load_relaxed_u32(&watch_error) != 0)
        start_watching();
    mmf_claim_unlock();
}

int
mmf_object_watch_forks(void)
{
    pthread_once(&watch_once, start_watching);
    if (mmf_load_acquire_u32(&watch_error) == 0)
        return 0;
    start_watching_again();
    errno = (int)mmf_load_acquire_u32(&watch_error);
    return errno == 0 ? 0 : -1;
}
