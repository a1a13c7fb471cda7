/*
 * object.c - mutexes, events and semaphores: the words of shared/sync_word.h in the
 * control page of a named object, or in this process's memory for an unnamed one.
 *
 * A process draws a ticket at each object it opens, and locks SELF + ticket for as long
 * as it has a handle or a thread of it owns the mutex. Survivors ask for that lock to
 * learn whether an owner lives. The page is mapped through a description of its own,
 * without locks, so that no child's copy of the mapping keeps the dead alive.
 *
 * A mutex that is owned while its last handle here is closed lingers: the handle's lock
 * goes, the ticket's stays until the owner releases, ends or opens the name again.
 */
#include "os/linux/sync/object.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <mmf/sync.h>

#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/store/store.h"
#include "os/linux/sync/poll_fd.h"
#include "os/linux/sync/own.h"
#include "os/linux/sync/system.h"
#include "os/linux/sys/sys.h"
#include "os/linux/store/ticket.h"
#include "shared/page/control.h"

/*
 * Owning.
 */

int
mmf_sync_is_owned(const struct mmf_sync_object *local)
{
    return local->generation == mmf_object_generation() &&
           mmf_load_relaxed_u32(&local->owned) != 0;
}

int
mmf_sync_disown(struct mmf_sync_object *local)
{
    struct mmf_thread *thread = mmf_thread_self();

    if (thread == NULL || !mmf_sync_is_listed(thread, local))
        return 0;
    mmf_sync_note_not_owned(thread, local);
    return 1;
}

void
mmf_sync_destroy(struct mmf_sync_object *local)
{
    if (local->page != NULL)
        mmf_sys_munmap(local->page, MMF_CONTROL_SIZE);
    else
        free(local->shared);
    mmf_sync_hint_destroy(local);
    free(local);
}

/* Nobody here has a handle on it any more, nor owns it. With the mutex. */
static void
drop_lingering_locked(struct mmf_sync_object *local)
{
    if (local->object == NULL) {
        if (local->handles == 0)
            mmf_sync_destroy(local);
    } else {
        mmf_object_drop_lingering_locked(local->object);
    }
}

void
mmf_sync_abandon_owned(struct mmf_thread *thread)
{
    while (thread->owned != NULL) {
        struct mmf_sync_object *local = thread->owned;
        struct mmf_sync_ref ref;

        /* Never the one freed before: mmf_sync_note_not_owned has taken that off the
         * list. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        mmf_sync_make_ref(local, thread, &ref);
        mmf_claim_lock();
        /* Off the list before the word is free: another thread may take it at once. */
        mmf_sync_note_not_owned(thread, local);
        mmf_sync_abandon_mutex(&ref, &mmf_sync_linux);
        drop_lingering_locked(local);
        mmf_claim_unlock();
    }
}

/*
 * Creating, opening, closing.
 */

static struct mmf_sync_object *
new_local(mmf_kind kind)
{
    struct mmf_sync_object *local = calloc(1, sizeof(*local));

    if (local == NULL) {
        mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s", mmf_kind_name(kind));
        return NULL;
    }
    local->kind = (mmf_kind)kind;
    local->generation = mmf_object_generation();
    return local;
}

/* Map the object's page and become a participant. With the mutex. */
static int
attach_locked(struct mmf_object *object, mmf_kind kind)
{
    struct mmf_sync_object *local = new_local(kind);
    void *page;
    int fd;
    int rc;

    if (local == NULL)
        return MMF_E_NO_MEMORY;
    fd = mmf_object_open_again_locked(object);
    if (fd < 0) {
        rc = mmf_object_fail_open_again(object, "once more");
        goto fail_free;
    }
    page = mmf_sys_mmap(NULL, MMF_CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                        object->data_size);
    if (page == MAP_FAILED)
        rc = mmf_error_fail("map the control page of %s", object->path);
    else
        rc = MMF_OK;
    mmf_claim_close_locked(fd);
    if (rc < 0)
        goto fail_free;
    rc = mmf_ticket_draw_locked(object, page);
    if (rc < 0)
        goto fail_unmap;
    local->object = object;
    local->page = page;
    local->shared = (void *)((struct mmf_control_shared *)page)->state;
    local->ticket = object->ticket;
    object->sync = local;
    return MMF_OK;

fail_unmap:
    mmf_sys_munmap(page, MMF_CONTROL_SIZE);
fail_free:
    free(local);
    return rc;
}

static int
wrap_object(struct mmf_object *object, mmf_kind kind, struct mmf_os_sync **out)
{
    struct mmf_os_sync *sync = calloc(1, sizeof(*sync));
    int rc = MMF_OK;

    if (sync == NULL) {
        mmf_object_leave(object);
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s", mmf_kind_name(kind));
    }
    mmf_claim_lock();
    if (object->sync == NULL)
        rc = attach_locked(object, kind);
    mmf_claim_unlock();
    if (rc < 0) {
        mmf_object_leave(object);
        free(sync);
        return rc;
    }
    sync->local = object->sync;
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
}

static int
create_unnamed(const struct mmf_os_sync_request *request, struct mmf_thread *thread,
               struct mmf_os_sync **out)
{
    struct mmf_os_sync *sync = calloc(1, sizeof(*sync));
    struct mmf_sync_object *local = new_local(request->kind);

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
        .mode = request->mode,
        .state = &state,
        .state_size = sizeof(state),
        .ticket = 1,
    };
    struct mmf_object *object;
    int rc;

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
    int rc = mmf_store_open(name, (uint32_t)kind, 1, 0, &object);

    return rc < 0 ? rc : wrap_object(object, kind, out);
}

int
mmf_os_sync_create(const struct mmf_os_sync_request *request, struct mmf_os_sync **out)
{
    struct mmf_thread *thread;

    if (mmf_object_watch_forks() < 0)
        return mmf_error_fail("watch for forks");
    thread = mmf_thread_self();
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    return request->name == NULL ? create_unnamed(request, thread, out)
                                 : create_named(request, thread, out);
}

static void
close_unnamed(struct mmf_sync_object *local)
{
    mmf_claim_lock();
    if (--local->handles == 0 && (!mmf_sync_is_owned(local) || mmf_sync_disown(local)))
        mmf_sync_destroy(local);
    mmf_claim_unlock();
}

void
mmf_os_sync_close(struct mmf_os_sync *sync)
{
    struct mmf_sync_object *local = sync->local;

    mmf_sync_hint_close(sync);
    if (local->object != NULL)
        mmf_object_leave(local->object);
    else
        close_unnamed(local);
    free(sync);
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
