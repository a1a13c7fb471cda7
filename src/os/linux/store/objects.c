/*
 * objects.c - the table of objects that this process holds.
 *
 * Most handles are entered in the object's one entry. An inheritable handle is entered
 * alone: views map a second descriptor from the start, and a child process keeps the
 * lock descriptor itself. No process unlocks it; the lock goes with the last copy.
 */
#include "os/linux/store/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/collect.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"

/* Both guarded by the process's mutex. */
static struct mmf_object *objects;
static int staying; /* of them without handles, for the threads that own them */

static bool
is_same_file(const struct mmf_object *object, const struct stat *status)
{
    return object->device == status->st_dev && object->inode == status->st_ino;
}

static struct mmf_object *
find_shareable(const struct mmf_object_request *request)
{
    MMF_ASSERT(mmf_process_is_locked());
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
    MMF_ASSERT(mmf_process_is_locked() && object->fd >= 0);
    object->next = objects;
    objects = object;
}

static void
remove_from_table(struct mmf_object *object)
{
    struct mmf_object **link = &objects;

    MMF_ASSERT(mmf_process_is_locked());
    while (*link != object) {
        MMF_ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    *link = object->next;
}

static void
destroy(struct mmf_object *object)
{
    MMF_ASSERT(object->view_count == 0 && object->views == NULL);
    if (object->part != NULL)
        object->ops->destroy(object->part);
    free(object);
}

static struct mmf_object *
make_object(const struct mmf_object_request *request)
{
    size_t size = strlen(request->path) + 1;
    struct mmf_object *object = mmf_alloc(sizeof(*object) + size);

    MMF_ASSERT(request->fd >= 0 && request->status != NULL);
    if (object == NULL)
        return NULL;
    memcpy(object->path, request->path, size);
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

static int
open_by_path_locked(const struct mmf_object *object, int flags)
{
    struct stat status;
    int fd = mmf_lock_fd_open_locked(object->path, flags, 0);

    MMF_ASSERT(mmf_process_is_locked());
    if (fd < 0)
        return -1;
    if (mmf_sys_fstat(fd, &status) < 0) {
        mmf_lock_fd_close_locked(fd);
        return -1;
    }
    if (!is_same_file(object, &status)) {
        mmf_lock_fd_close_locked(fd);
        errno = ENOENT;
        return -1;
    }
    return fd;
}

int
mmf_object_open_again_locked(const struct mmf_object *object)
{
    int flags = object->hold.writable ? O_RDWR : O_RDONLY;
    int fd = open_by_path_locked(object, flags);
    int error = errno;

    if (fd >= 0 || error == EMFILE || error == ENFILE)
        return fd;
    /* After chroot, or under another mount, the path leads elsewhere. */
    fd = mmf_lock_fd_open_again_locked(object->fd, flags);
    if (fd < 0)
        errno = error;
    return fd;
}

int
mmf_object_fail_open_again(const struct mmf_object *object, const char *purpose)
{
    /* We hold the object, so it is not gone: its file is. */
    if (errno == ENOENT)
        return mmf_fail_system(MMF_E_IO, errno, "%s was removed while we opened it",
                               object->path);
    return mmf_error_fail("open %s %s", object->path, purpose);
}

/* Children get the lock descriptor; the views get a descriptor of their own. */
static int
make_inheritable(struct mmf_object *object)
{
    int flags;

    MMF_ASSERT(object->map_fd < 0);
    mmf_process_lock();
    object->map_fd = mmf_object_open_again_locked(object);
    mmf_process_unlock();
    if (object->map_fd < 0)
        return mmf_object_fail_open_again(object, "for inheritance");
    mmf_lock_fd_forget(object->map_fd);
    flags = mmf_sys_fcntl(object->fd, F_GETFD, 0);
    if (flags < 0 || mmf_sys_fcntl(object->fd, F_SETFD, flags & ~FD_CLOEXEC) < 0) {
        int rc = mmf_error_fail("make %s inheritable", object->path);

        mmf_sys_close(object->map_fd);
        return rc;
    }
    mmf_lock_fd_forget(object->fd);
    return MMF_OK;
}

/* An object that has stayed for the thread that owns it gets a handle again. */
static int
hold_again(struct mmf_object *object)
{
    int rc;

    MMF_ASSERT(mmf_process_is_locked() && object->handles == 0);
    rc = mmf_lock_hold(object->fd, true, &object->hold);
    if (rc == MMF_LOCK_BUSY)
        errno = EAGAIN;
    return rc == MMF_LOCK_DONE ? 0 : -1;
}

/* Enter it, or find the entry to share: then `*shared` is that one. */
static int
enter_locked(const struct mmf_object_request *request, struct mmf_object *object,
             struct mmf_object **shared)
{
    if (!request->inheritable && !request->made_here)
        *shared = find_shareable(request);
    if (*shared == NULL) {
        insert(object);
        return MMF_OK;
    }
    if ((*shared)->handles == 0) {
        if (hold_again(*shared) < 0)
            return mmf_error_fail("hold %s again", object->path);
        staying--;
    }
    (*shared)->handles++;
    return MMF_OK;
}

int
mmf_object_enter(const struct mmf_object_request *request, struct mmf_object **out)
{
    struct mmf_object *object = make_object(request);
    struct mmf_object *shared = NULL;
    int rc = MMF_OK;

    MMF_ASSERT(out != NULL);
    if (object == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on %s", request->path);
    if (request->inheritable)
        rc = make_inheritable(object);
    if (rc == MMF_OK) {
        mmf_process_lock();
        rc = enter_locked(request, object, &shared);
        mmf_process_unlock();
    }
    if (rc < 0) {
        destroy(object);
        return rc;
    }
    if (shared != NULL) {
        mmf_lock_release(request->fd, &request->hold);
        mmf_lock_fd_close(request->fd);
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

    MMF_ASSERT(mmf_process_is_locked());
    MMF_ASSERT(request->made_here && !request->inheritable && request->ticket != 0);
    if (object == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on %s", request->path);
    insert(object);
    *out = object;
    return MMF_OK;
}

void
mmf_object_attach_locked(struct mmf_object *object, const struct mmf_object_ops *ops,
                         void *part)
{
    MMF_ASSERT(mmf_process_is_locked());
    MMF_ASSERT(object->part == NULL && part != NULL && ops != NULL);
    object->ops = ops;
    object->part = part;
}

/*
 * Leaving.
 */

/*
 * Through `fd`; true if the object is gone with that. A process that has changed its root
 * or its user may not be able to remove it. A close has no status, so it leaves a record:
 * the name is free all the same, since no process holds the file.
 */
static bool
collect(const struct mmf_object *object, int fd)
{
    int rc = mmf_collect(fd, object->path, object->device, object->inode);

    if (rc < 0 &&
        (errno == EACCES || errno == EPERM || errno == EROFS || errno == ENOENT))
        mmf_fail_system(MMF_E_ACCESS, errno,
                        "closed, but %s stays: this process has changed its root or "
                        "its user since; any mmf call of the file's owner that meets "
                        "it removes it, as \"mmf gc\" does",
                        object->path);
    return rc == MMF_LOCK_DONE;
}

/*
 * This process's last handle is gone: stop holding the object, and collect it if no
 * other process holds it. With the mutex, so that no fork's child gets a mapping of a
 * description that has locks. No call here waits.
 *
 * Collecting takes our own lock along. A process that has opened the object asks
 * after unlocking, since others are likely to hold it; its creator tries before. After
 * unlocking it must be asked in any case: of two processes that leave at once, each
 * would see the other.
 *
 * True if the object is gone with that.
 */
static bool
stop_holding_locked(struct mmf_object *object)
{
    MMF_ASSERT(mmf_process_is_locked() && object->handles == 0);
    if (!object->hold.writable) {
        mmf_lock_release(object->fd, &object->hold); /* readers cannot collect */
        return false;
    }
    if (object->made_here && collect(object, object->fd))
        return true;
    if (object->ticket == 0)
        mmf_lock_release_only(object->fd, &object->hold);
    else
        mmf_lock_release(object->fd, &object->hold);
    /* Asking is cheaper than a try in vain. */
    return mmf_lock_probe(object->fd) == MMF_LOCK_ORPHANED &&
           collect(object, object->fd);
}

static bool
is_owned(const struct mmf_object *object)
{
    MMF_ASSERT(mmf_process_is_locked());
    return object->part != NULL && object->ops->is_owned != NULL &&
           object->ops->is_owned(object->part);
}

/*
 * A mutex that a thread of ours owns stays in the table without handles: survivors must
 * see that the owner lives. Unless the object is gone, and the owner is the thread that
 * closes.
 */
static bool
must_stay(const struct mmf_object *object, bool is_gone)
{
    return is_owned(object) && !(is_gone && object->ops->disown(object->part));
}

/* Out of the table; `*fd` and `*map_fd` are to be closed. False: it must stay. */
static bool
remove_locked(struct mmf_object *object, int *fd, int *map_fd)
{
    *fd = object->fd;
    *map_fd = object->map_fd;
    if (*fd >= 0 && object->inheritable) {
        mmf_lock_fd_close_locked(*fd); /* a child's copy may hold on: no unlock */
        *fd = -1;
        if (object->hold.writable)
            collect(object, object->map_fd);
    } else if (*fd >= 0) {
        if (must_stay(object, stop_holding_locked(object))) {
            staying++;
            return false;
        }
        mmf_lock_fd_forget_locked(*fd);
    }
    remove_from_table(object);
    object->fd = -1;
    object->map_fd = -1;
    return true;
}

static void
close_file(int fd)
{
    if (fd < 0)
        return;
    if (mmf_lock_fd_is_guarded())
        mmf_lock_fd_close(fd);
    else
        mmf_sys_close(fd);
}

void
mmf_object_leave(struct mmf_object *object)
{
    int fd;
    int map_fd;
    bool unused;

    mmf_process_lock();
    MMF_ASSERT(object->handles > 0);
    if (--object->handles > 0 || !remove_locked(object, &fd, &map_fd)) {
        mmf_process_unlock();
        return;
    }
    unused = object->view_count == 0;
    mmf_process_unlock();
    /*
     * Closing may free gigabytes, which takes its time: after the mutex. A child that
     * another thread forks just now keeps the descriptor: that is memory until it ends
     * or executes a program, and no name, since the lock is gone.
     */
    close_file(fd);
    close_file(map_fd);
    if (unused)
        destroy(object);
}

void
mmf_object_drop_unowned_locked(void)
{
    struct mmf_object **link = &objects;

    MMF_ASSERT(mmf_process_is_locked());
    while (staying > 0 && *link != NULL) {
        struct mmf_object *object = *link;

        if (object->handles > 0 || is_owned(object)) {
            link = &object->next;
            continue;
        }
        *link = object->next;
        staying--;
        mmf_lock_fd_close_locked(object->fd);
        destroy(object);
    }
}

/*
 * Views.
 */

int
mmf_object_map_fd_locked(const struct mmf_object *object)
{
    MMF_ASSERT(mmf_process_is_locked());
    return object->map_fd >= 0 ? object->map_fd : object->fd;
}

void
mmf_object_add_view_locked(struct mmf_object *object, struct mmf_os_view *view)
{
    MMF_ASSERT(mmf_process_is_locked() && view->base != NULL);
    if (object->map_fd < 0)
        object->mapped = true;
    view->owner = object;
    view->next = object->views;
    object->views = view;
    object->view_count++;
}

void
mmf_object_remove_view_locked(struct mmf_object *object, struct mmf_os_view *view)
{
    struct mmf_os_view **link = &object->views;

    MMF_ASSERT(mmf_process_is_locked() && view->owner == object);
    while (*link != view) {
        MMF_ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    *link = view->next;
    if (--object->view_count == 0 && object->handles == 0)
        destroy(object);
}

struct mmf_object *
mmf_object_first_locked(void)
{
    MMF_ASSERT(mmf_process_is_locked());
    return objects;
}
