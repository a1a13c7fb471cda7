/*
 * object.c - mutexes, events and semaphores: the words of shared/sync/word.h in the
 * control page of a named object, or in this process's memory for an unnamed one. More
 * slots for sleepers lie in a named object's data, which is sparse, and in memory that is
 * got when they are needed for an unnamed one.
 *
 * A process draws a ticket at each object it opens, and locks SELF + ticket for as long
 * as it has a handle or a thread of it owns the mutex. Survivors ask for that lock to
 * learn whether an owner lives. The file is mapped through a description of its own,
 * without locks, so that no child's copy of the mapping keeps a dead process's object
 * in use.
 *
 * A mutex that is owned while its last handle here is closed stays: the handle's lock
 * goes, the ticket's stays until the owner releases, ends or opens the name again. If the
 * owner ends without a word, or if its end was under way at the close, which looks the
 * same, the next call that creates, opens or closes one of these objects drops it.
 */
#include "os/linux/sync/object.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <mmf/sync.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/at_fork.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/store/store.h"
#include "os/linux/store/ticket.h"
#include "os/linux/sync/own.h"
#include "os/linux/sync/part.h"
#include "os/linux/sync/ref.h"
#include "os/linux/sync/system.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"
#include "shared/sync/signal.h"

static_assert(MMF_SYNC_DATA_SIZE == MMF_SYNC_SLOTS_MORE * sizeof(struct mmf_sync_slot),
              "the data is slots");
static_assert(sizeof(struct mmf_sync_shared) ==
                  sizeof(((struct mmf_control_shared *)0)->state),
              "the state is full");

/*
 * What the table of objects asks.
 */

static bool
is_owned(const void *part)
{
    const struct mmf_sync_object *local = part;

    MMF_ASSERT(mmf_process_is_locked());
    return local->fork_epoch == mmf_fork_epoch() &&
           mmf_load_acquire_u32(&local->owned) != 0 &&
           mmf_thread_is_alive(mmf_load_acquire_pointer(&local->last_owner));
}

static bool
disown(void *part)
{
    struct mmf_sync_object *local = part;
    struct mmf_thread *thread = mmf_thread_find();

    MMF_ASSERT(mmf_process_is_locked());
    if (thread == NULL || !mmf_sync_is_listed(thread, local))
        return false;
    mmf_sync_note_not_owned(thread, local);
    return true;
}

static void
destroy(void *part)
{
    struct mmf_sync_object *local = part;

    MMF_ASSERT(local->handles == 0);
    if (local->mapped != NULL) {
        mmf_sys_munmap(local->mapped, MMF_SYNC_DATA_SIZE + MMF_CONTROL_SIZE);
    } else {
        free(mmf_load_acquire_pointer(&local->more));
        free(local->shared);
    }
    mmf_poll_fd_close(&local->counter);
    free(local);
}

static const struct mmf_object_ops ops = {
    .destroy = destroy, .is_owned = is_owned, .disown = disown};

/*
 * The end of a thread that owns mutexes.
 */

/* Unnamed ones without handles; guarded by the process's mutex. */
static struct mmf_sync_object *staying;

/* What has stayed for a thread that owned it goes, if no thread owns it any more. */
static void
drop_unowned(void)
{
    struct mmf_sync_object **link = &staying;

    mmf_process_lock();
    mmf_object_drop_unowned_locked();
    while (*link != NULL) {
        struct mmf_sync_object *local = *link;

        if (is_owned(local)) {
            link = &local->next_staying;
            continue;
        }
        *link = local->next_staying;
        destroy(local);
    }
    mmf_process_unlock();
}

static void
abandon_owned(struct mmf_thread *thread)
{
    while (thread->owned != NULL) {
        struct mmf_sync_object *local = thread->owned;
        struct mmf_sync_ref ref;

        mmf_sync_make_ref(local, thread, &ref);
        mmf_process_lock();
        /* Off the list before the word is free: another thread may take it at once. */
        mmf_sync_note_not_owned(thread, local);
        mmf_sync_abandon_mutex(&ref, &mmf_sync_linux);
        mmf_process_unlock();
    }
    drop_unowned();
}

/*
 * Creating, opening, closing.
 */

/* Where the threads of this process have their numbers. */
static uint32_t
pid_space(void)
{
    struct stat status;

    return mmf_sys_stat("/proc/self/ns/pid", &status) == 0 ? (uint32_t)status.st_ino
                                                           : MMF_SYNC_NO_SPACE;
}

/* Before a thread of ours can own the mutex, or sleep. */
static void
join_pid_space(struct mmf_sync_object *local)
{
    local->pid_space = pid_space();
    if (mmf_load_acquire_u32(&local->shared->pid_space) != local->pid_space)
        mmf_store_release_u32(&local->shared->pid_space, MMF_SYNC_NO_SPACE);
    mmf_fence_full();
}

static struct mmf_sync_object *
new_local(mmf_kind kind)
{
    static const struct mmf_thread_ops thread_ops = {.abandon_owned = abandon_owned};
    struct mmf_sync_object *local = calloc(1, sizeof(*local));

    mmf_thread_watch_ends(&thread_ops);
    if (local == NULL) {
        mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s", mmf_kind_name(kind));
        return NULL;
    }
    local->kind = kind;
    local->fork_epoch = mmf_fork_epoch();
    return local;
}

/* Map the object's file. With the mutex. */
static int
map_locked(const struct mmf_object *object, void **mapped)
{
    int fd = mmf_object_open_again_locked(object);
    int rc = MMF_OK;

    MMF_ASSERT(mmf_process_is_locked() && object->data_size == MMF_SYNC_DATA_SIZE);
    if (fd < 0)
        return mmf_object_fail_open_again(object, "once more");
    *mapped = mmf_sys_mmap(NULL, MMF_SYNC_DATA_SIZE + MMF_CONTROL_SIZE,
                           PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*mapped == MAP_FAILED)
        rc = mmf_error_fail("map %s", object->path);
    mmf_lock_fd_close_locked(fd);
    return rc;
}

/* Map the object's file and become a participant. With the mutex. */
static int
attach_locked(struct mmf_object *object, mmf_kind kind)
{
    struct mmf_sync_object *local = new_local(kind);
    struct mmf_control_shared *page;
    void *mapped = NULL;
    int rc;

    MMF_ASSERT(mmf_process_is_locked() && object->kind == (uint32_t)kind);
    if (local == NULL)
        return MMF_E_NO_MEMORY;
    rc = map_locked(object, &mapped);
    if (rc < 0) {
        free(local);
        return rc;
    }
    page = (void *)((char *)mapped + MMF_SYNC_DATA_SIZE);
    rc = mmf_ticket_draw_locked(object, page);
    if (rc < 0) {
        mmf_sys_munmap(mapped, MMF_SYNC_DATA_SIZE + MMF_CONTROL_SIZE);
        free(local);
        return rc;
    }
    local->object = object;
    local->mapped = mapped;
    mmf_store_release_pointer(&local->more, mapped);
    local->shared = (void *)page->state;
    join_pid_space(local);
    local->ticket = object->ticket;
    mmf_object_attach_locked(object, &ops, local);
    return MMF_OK;
}

static int
wrap_object(struct mmf_object *object, mmf_kind kind, struct mmf_os_sync **out)
{
    struct mmf_os_sync *sync = calloc(1, sizeof(*sync));
    int rc = MMF_OK;

    MMF_ASSERT(object->fd >= 0 && out != NULL);
    if (sync == NULL) {
        mmf_object_leave(object);
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s", mmf_kind_name(kind));
    }
    mmf_process_lock();
    if (object->part == NULL)
        rc = attach_locked(object, kind);
    mmf_process_unlock();
    if (rc < 0) {
        mmf_object_leave(object);
        free(sync);
        return rc;
    }
    sync->local = object->part;
    *out = sync;
    return MMF_OK;
}

static void
init_shared(const struct mmf_os_sync_request *request, uint64_t owner,
            struct mmf_sync_shared *shared)
{
    if (request->kind == MMF_KIND_MUTEX)
        mmf_sync_init_mutex(shared, request->initially_owned ? owner : 0);
    else if (request->kind == MMF_KIND_EVENT)
        mmf_sync_init_event(shared, request->signalled, request->manual);
    else
        mmf_sync_init_semaphore(shared, request->initial, request->maximum);
    mmf_store_relaxed_u32(&shared->pid_space, pid_space());
}

static int
create_unnamed(const struct mmf_os_sync_request *request, struct mmf_thread *thread,
               struct mmf_os_sync **out)
{
    struct mmf_os_sync *sync = calloc(1, sizeof(*sync));
    struct mmf_sync_object *local = new_local(request->kind);

    MMF_ASSERT(request->name == NULL && thread != NULL);
    if (local != NULL)
        local->shared = calloc(1, sizeof(*local->shared));
    if (sync == NULL || local == NULL || local->shared == NULL) {
        free(sync);
        free(local);
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s",
                        mmf_kind_name(request->kind));
    }
    local->ticket = 1;
    local->handles = 1;
    init_shared(request, mmf_sync_identity(local->ticket, thread->number),
                local->shared);
    if (request->initially_owned)
        mmf_sync_note_owned(thread, local);
    sync->local = local;
    *out = sync;
    return MMF_OK;
}

static int
create_named(const struct mmf_os_sync_request *request, struct mmf_thread *thread,
             struct mmf_os_sync **out)
{
    struct mmf_sync_shared state;
    struct mmf_store_request want = {
        .name = request->name,
        .kind = (uint32_t)request->kind,
        .data_size = MMF_SYNC_DATA_SIZE,
        .delay_allocate = true,
        .mode = request->mode,
        .state = &state,
        .state_size = sizeof(state),
        .ticket = 1,
    };
    struct mmf_object *object;
    int rc;

    MMF_ASSERT(request->name != NULL && thread != NULL);
    init_shared(request, mmf_sync_identity(want.ticket, thread->number), &state);
    rc = mmf_store_create(&want, &object);
    if (rc == MMF_OK)
        rc = wrap_object(object, request->kind, out);
    if (rc == MMF_OK && request->initially_owned)
        mmf_sync_note_owned(thread, (*out)->local);
    return rc;
}

int
mmf_os_sync_open(const struct mmf_name *name, mmf_kind kind, struct mmf_os_sync **out)
{
    struct mmf_object *object;
    int rc;

    drop_unowned();
    rc = mmf_store_open(name, (uint32_t)kind, 1, 0, &object);
    return rc < 0 ? rc : wrap_object(object, kind, out);
}

int
mmf_os_sync_create(const struct mmf_os_sync_request *request, struct mmf_os_sync **out)
{
    struct mmf_thread *thread;
    int rc = mmf_watch_forks();

    MMF_ASSERT(out != NULL);
    if (rc < 0)
        return rc;
    thread = mmf_thread_self();
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    drop_unowned();
    return request->name == NULL ? create_unnamed(request, thread, out)
                                 : create_named(request, thread, out);
}

static void
close_unnamed(struct mmf_sync_object *local)
{
    mmf_process_lock();
    MMF_ASSERT(local->handles > 0);
    if (--local->handles == 0) {
        if (!is_owned(local) || disown(local)) {
            destroy(local);
        } else {
            local->next_staying = staying;
            staying = local;
        }
    }
    mmf_process_unlock();
}

void
mmf_os_sync_close(struct mmf_os_sync *sync)
{
    struct mmf_sync_object *local = sync->local;

    mmf_poll_fd_close(&sync->watch);
    if (local->object != NULL)
        mmf_object_leave(local->object);
    else
        close_unnamed(local);
    free(sync);
    drop_unowned();
}

int
mmf_sync_fail_dead(void)
{
    return mmf_fail(MMF_E_DISPOSED,
                    "the handle belongs to the parent process: open the "
                    "name again in the child of a fork");
}

int
mmf_os_sync_check_alive(const struct mmf_os_sync *sync)
{
    return mmf_sync_is_ours(sync) ? MMF_OK : mmf_sync_fail_dead();
}

int
mmf_os_sync_is_same(const struct mmf_os_sync *one, const struct mmf_os_sync *other)
{
    return one->local == other->local;
}
