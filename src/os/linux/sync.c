/*
 * sync.c - mutexes, events and semaphores: the words of shared/sync_word.h in the
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
#include "os/linux/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>

#include <mmf/sync.h>

#include "base/fail.h"
#include "os/linux/claim.h"
#include "os/linux/error.h"
#include "os/linux/futex.h"
#include "os/linux/lock.h"
#include "os/linux/patience.h"
#include "os/linux/store.h"
#include "os/linux/sys.h"
#include "os/linux/ticket.h"
#include "shared/control.h"
#include "shared/sync_wait.h"

/*
 * What the waits need of the system.
 */

static struct mmf_sync_object *
local_of(const struct mmf_sync *sync)
{
    return sync->context;
}

static int64_t
monotonic_now(void *context)
{
    struct timespec now = {0};

    (void)context;
    mmf_sys_clock(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
sleep_on(void *context, const struct mmf_sync *objects, const uint32_t *expected,
         const uint32_t *shifts, int count, int64_t until)
{
    uint32_t *words[2 * MMF_SYNC_MOST];
    uint32_t values[2 * MMF_SYNC_MOST];

    (void)context;
    for (int i = 0; i < count; i++) {
        words[i] = mmf_sync_futex(objects[i].shared);
        values[i] = expected[i];
        if (shifts == NULL)
            continue;
        words[count + i] = mmf_sync_shifts(objects[i].shared);
        values[count + i] = shifts[i];
    }
    mmf_futex_sleep(words, values, count, shifts == NULL ? 0 : count, until);
}

static void
wake_sleepers(void *context, const struct mmf_sync *object, int count)
{
    (void)context;
    mmf_futex_wake(mmf_sync_futex(object->shared), count);
}

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
static void
touch_object(void *context, const struct mmf_sync *object)
{
    struct mmf_sync_object *local = local_of(object);
    uint64_t one = 1;

    (void)context;
    if (local->object != NULL)
        mmf_sys_touch(local->object->fd);
    else if (fd_in(&local->counter_fd) >= 0 &&
             mmf_sys_write(fd_in(&local->counter_fd), &one, 8) < 0)
        return; /* the counter is full: readable anyway */
}

static int
is_alive(void *context, const struct mmf_sync *object, uint64_t ticket)
{
    struct mmf_sync_object *local = local_of(object);

    (void)context;
    if (local->object == NULL)
        return 1; /* a thread of ours; its end frees the mutex */
    return mmf_lock_is_self_alive(local->object->fd, ticket);
}

static const struct mmf_sync_ops linux_ops = {.now = monotonic_now,
                                              .sleep = sleep_on,
                                              .wake = wake_sleepers,
                                              .touch = touch_object,
                                              .is_alive = is_alive};

static uint64_t
identity_of(const struct mmf_sync_object *local, const struct mmf_thread *thread)
{
    return mmf_sync_identity(local->ticket, thread->number);
}

static void
make_grip(struct mmf_sync_object *local, const struct mmf_thread *thread,
          struct mmf_sync *grip)
{
    grip->shared = local->shared;
    grip->kind = local->kind;
    grip->identity = identity_of(local, thread);
    if (local->object != NULL) {
        grip->order[0] = local->object->device;
        grip->order[1] = local->object->inode;
    } else {
        grip->order[0] = UINT64_MAX; /* after the named ones */
        grip->order[1] = (uintptr_t)local;
    }
    grip->is_shared = local->object != NULL;
    grip->context = local;
}

/*
 * A thread's list of what it owns.
 */

/*
 * Who writes garbage into the shared word can make a thread own what is in the list of
 * another, or what is in none. It gets wrong answers then; the lists stay whole.
 */
static int
is_listed(const struct mmf_thread *thread, const struct mmf_sync_object *local)
{
    /* Acquire: what was written before `owned`, `last_owner`, is as new as that. */
    return mmf_load_acquire_u32(&local->owned) != 0 &&
           mmf_load_acquire_pointer(&local->last_owner) == thread;
}

static void
note_owned(struct mmf_thread *thread, struct mmf_sync_object *local)
{
    if (mmf_load_relaxed_u32(&local->owned))
        return; /* taken again */
    mmf_store_release_pointer(&local->last_owner, thread);
    mmf_store_release_u32(&local->owned, 1);
    local->previous_owned = NULL;
    local->next_owned = thread->owned;
    if (thread->owned != NULL)
        thread->owned->previous_owned = local;
    thread->owned = local;
}

static void
note_not_owned(struct mmf_thread *thread, struct mmf_sync_object *local)
{
    if (local->previous_owned != NULL)
        local->previous_owned->next_owned = local->next_owned;
    else
        thread->owned = local->next_owned;
    if (local->next_owned != NULL)
        local->next_owned->previous_owned = local->previous_owned;
    mmf_store_relaxed_u32(&local->owned, 0);
}

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

    if (thread == NULL || !is_listed(thread, local))
        return 0;
    note_not_owned(thread, local);
    return 1;
}

void
mmf_sync_destroy(struct mmf_sync_object *local)
{
    if (local->page != NULL)
        mmf_sys_munmap(local->page, MMF_CONTROL_SIZE);
    else
        free(local->shared);
    if (fd_in(&local->counter_fd) >= 0)
        mmf_sys_close(fd_in(&local->counter_fd));
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
        struct mmf_sync_alarm alarm;
        struct mmf_sync grip;

        /* Never the one freed before: note_not_owned has taken that off the list.
         * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        make_grip(local, thread, &grip);
        mmf_claim_lock();
        /* Off the list before the word is free: another thread may take it at once. */
        note_not_owned(thread, local);
        mmf_sync_abandon_mutex(&grip, &alarm);
        mmf_sync_tell(&grip, &alarm, &linux_ops);
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
    local->kind = (enum mmf_sync_kind)kind;
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
        rc = mmf_error_fail("open %s once more", object->path);
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

    if (sync == NULL)
        rc = mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s", mmf_kind_name(kind));
    if (rc == MMF_OK) {
        mmf_claim_lock();
        if (object->sync == NULL)
            rc = attach_locked(object, kind);
        mmf_claim_unlock();
    }
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
        note_owned(thread, local);
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
        .mode = request->mode != 0 ? request->mode : 0600,
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
        note_owned(thread, (*out)->local);
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
mmf_os_sync_create(const struct mmf_os_sync_request *request, struct mmf_os_sync **out,
                   int *created)
{
    struct mmf_patience patience = {0};
    struct mmf_thread *thread;
    mmf_error before;
    int rc;

    if (mmf_object_watch_forks() < 0)
        return mmf_error_fail("watch for forks");
    thread = mmf_thread_self();
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    *created = 1;
    if (request->name == NULL)
        return create_unnamed(request, thread, out);
    mmf_last_error(&before);
    do {
        *created = 0;
        rc = mmf_os_sync_open(request->name, request->kind, out);
        if (rc == MMF_E_NOT_FOUND) {
            *created = 1;
            rc = create_named(request, thread, out);
        }
        if (rc == MMF_OK)
            mmf_fail_restore(&before);
        if (rc != MMF_E_EXISTS)
            return rc;
    } while (mmf_patience_wait(&patience));
    return mmf_fail(MMF_E_BUSY, "\"%.200s\" kept being created and closed for %d ms",
                    request->name->text, MMF_OS_PATIENCE_MS);
}

/* Whether the handle's object is one that this process may use. */
static int
is_of_this_process(const struct mmf_os_sync *sync)
{
    return sync->local->generation == mmf_object_generation();
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

    if (fd_in(&sync->watch_fd) >= 0)
        mmf_sys_close(fd_in(&sync->watch_fd));
    if (local->object != NULL)
        mmf_object_leave(local->object);
    else
        close_unnamed(local);
    free(sync);
}

static int
fail_dead(void)
{
    return mmf_fail(MMF_E_DISPOSED,
                    "the handle belongs to the parent process: open the "
                    "name again in the child of a fork");
}

int
mmf_os_sync_check_alive(const struct mmf_os_sync *sync)
{
    return is_of_this_process(sync) ? MMF_OK : fail_dead();
}

int
mmf_os_sync_is_same(const struct mmf_os_sync *one, const struct mmf_os_sync *other)
{
    return one->local == other->local;
}

/*
 * Waiting.
 */

static int64_t
deadline_of(int32_t timeout_ms)
{
    if (timeout_ms < 0)
        return MMF_SYNC_FOREVER;
    if (timeout_ms == 0)
        return MMF_SYNC_POLL;
    return monotonic_now(NULL) + (int64_t)timeout_ms * 1000000;
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

/*
 * The hints so far are used up by the look that follows. Answers the time-out for it,
 * which is longer than a poll's if a process may just have died.
 */
static int32_t
drain_hints(struct mmf_os_sync *sync, int32_t timeout_ms)
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
    if (closed && sync->local->kind == MMF_SYNC_MUTEX && timeout_ms >= 0 &&
        timeout_ms < DEATH_SETTLES_MS)
        return DEATH_SETTLES_MS;
    return timeout_ms;
}

/* What can still be had must poll readable again. */
static void
renew_hint(struct mmf_os_sync *sync, const struct mmf_sync *grip)
{
    uint64_t word;
    enum mmf_sync_answer answer;

    if (hint_fd(sync) < 0)
        return;
    answer = mmf_sync_peek(grip, 0, &word);
    if (answer == MMF_SYNC_TAKEN || answer == MMF_SYNC_TAKEN_ABANDONED)
        touch_object(NULL, grip);
}

static void
note_taken(struct mmf_thread *thread, struct mmf_os_sync *sync)
{
    if (sync->local->kind == MMF_SYNC_MUTEX)
        note_owned(thread, sync->local);
}

/*
 * The usual case, kept short: the object can be had, and nobody else has to do with it.
 * Nobody polls it either, for that is a flag in the word.
 */
static int
take_at_once(struct mmf_sync_object *local)
{
    struct mmf_thread *thread;

    switch (local->kind) {
    case MMF_SYNC_MUTEX:
        thread = mmf_thread_guess(&local->last_owner);
        if (thread == NULL ||
            !mmf_sync_take_free_mutex(local->shared, identity_of(local, thread)))
            return 0;
        note_owned(thread, local);
        return 1;
    case MMF_SYNC_EVENT:
        return mmf_sync_take_set_event(local->shared);
    default:
        return mmf_sync_take_semaphore(local->shared);
    }
}

static int
wait_for_one(struct mmf_os_sync *sync, int32_t timeout_ms)
{
    struct mmf_thread *thread = mmf_thread_self();
    struct mmf_sync grip;
    int index;
    int rc;

    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    make_grip(sync->local, thread, &grip);
    timeout_ms = drain_hints(sync, timeout_ms);
    rc = mmf_sync_wait_any(&grip, 1, deadline_of(timeout_ms), &linux_ops, &index);
    if (rc == MMF_OK || rc == MMF_ABANDONED)
        note_taken(thread, sync);
    renew_hint(sync, &grip);
    return rc;
}

int
mmf_os_sync_wait(struct mmf_os_sync *sync, int32_t timeout_ms)
{
    if (!is_of_this_process(sync))
        return fail_dead();
    return take_at_once(sync->local) ? MMF_OK : wait_for_one(sync, timeout_ms);
}

int
mmf_os_sync_wait_any(struct mmf_os_sync *const *syncs, int count, int32_t timeout_ms,
                     int *index)
{
    struct mmf_sync grips[MMF_WAIT_MAXIMUM];
    struct mmf_thread *thread = mmf_thread_self();
    int rc;

    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        make_grip(syncs[i]->local, thread, &grips[i]);
        timeout_ms = drain_hints(syncs[i], timeout_ms);
    }
    rc = mmf_sync_wait_any(grips, count, deadline_of(timeout_ms), &linux_ops, index);
    if (rc == MMF_OK || rc == MMF_ABANDONED)
        note_taken(thread, syncs[*index]);
    for (int i = 0; i < count; i++)
        renew_hint(syncs[i], &grips[i]);
    return rc;
}

static int
compare_grips(const void *one, const void *other)
{
    const struct mmf_sync *a = one;
    const struct mmf_sync *b = other;

    if (a->order[0] != b->order[0])
        return a->order[0] < b->order[0] ? -1 : 1;
    if (a->order[1] != b->order[1])
        return a->order[1] < b->order[1] ? -1 : 1;
    return 0;
}

int
mmf_os_sync_wait_all(struct mmf_os_sync *const *syncs, int count, int32_t timeout_ms)
{
    struct mmf_sync grips[MMF_WAIT_MAXIMUM];
    struct mmf_thread *thread = mmf_thread_self();
    int rc;

    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        make_grip(syncs[i]->local, thread, &grips[i]);
        timeout_ms = drain_hints(syncs[i], timeout_ms);
    }
    qsort(grips, (size_t)count, sizeof(grips[0]), compare_grips);
    rc = mmf_sync_wait_all(grips, count, deadline_of(timeout_ms), &linux_ops);
    for (int i = 0; i < count; i++) {
        struct mmf_sync grip;

        if (rc == MMF_OK || rc == MMF_ABANDONED)
            note_taken(thread, syncs[i]);
        make_grip(syncs[i]->local, thread, &grip);
        renew_hint(syncs[i], &grip);
    }
    return rc;
}

/*
 * Letting through.
 */

/* The word has flags, or the caller owns the mutex several times or not at all. */
static int
release_mutex(struct mmf_sync_object *local, const struct mmf_thread *thread)
{
    struct mmf_sync_alarm alarm;
    struct mmf_sync grip;
    int rc;

    make_grip(local, thread, &grip);
    rc = mmf_sync_release_mutex(&grip, &alarm);
    if (rc == MMF_OK)
        mmf_sync_tell(&grip, &alarm, &linux_ops);
    return rc;
}

int
mmf_os_mutex_release(struct mmf_os_sync *mutex)
{
    struct mmf_sync_object *local = mutex->local;
    struct mmf_thread *thread;
    uint64_t identity;

    if (!is_of_this_process(mutex))
        return fail_dead();
    thread = mmf_thread_guess(&local->last_owner);
    if (thread == NULL)
        thread = mmf_thread_self();
    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    identity = identity_of(local, thread);
    if (is_listed(thread, local) && mmf_sync_is_owned_once(local->shared, identity)) {
        /* Off the list before the word is free: another thread may take it at once. */
        note_not_owned(thread, local);
        if (mmf_sync_free_mutex(local->shared, identity))
            return MMF_OK;
    }
    return release_mutex(local, thread);
}

/* What letting an event or a semaphore through needs of a grip: nobody owns them. */
static struct mmf_sync
ownerless_grip(struct mmf_sync_object *local)
{
    return (struct mmf_sync){
        .shared = local->shared, .kind = local->kind, .context = local};
}

int
mmf_os_event_set(struct mmf_os_sync *event)
{
    struct mmf_sync grip = ownerless_grip(event->local);
    struct mmf_sync_alarm alarm;
    int rc;

    if (!is_of_this_process(event))
        return fail_dead();
    rc = mmf_sync_set_event(&grip, &alarm);
    if (rc == MMF_OK)
        mmf_sync_tell(&grip, &alarm, &linux_ops);
    return rc;
}

int
mmf_os_event_reset(struct mmf_os_sync *event)
{
    struct mmf_sync grip = ownerless_grip(event->local);

    return is_of_this_process(event) ? mmf_sync_reset_event(&grip) : fail_dead();
}

int
mmf_os_semaphore_release(struct mmf_os_sync *semaphore, int32_t count,
                         int32_t *previous)
{
    struct mmf_sync grip = ownerless_grip(semaphore->local);
    struct mmf_sync_alarm alarm;
    int rc;

    if (!is_of_this_process(semaphore))
        return fail_dead();
    rc = mmf_sync_release_semaphore(&grip, count, previous, &alarm);
    if (rc == MMF_OK)
        mmf_sync_tell(&grip, &alarm, &linux_ops);
    return rc;
}

/*
 * Polling. A kill closes the victim's descriptors, which the watch shows too; so an
 * owner's death is a hint as well.
 */

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

static int
signal_object(struct mmf_os_sync *object, mmf_kind kind)
{
    int32_t previous;
    int rc;

    switch (kind) {
    case MMF_KIND_MUTEX:
        return mmf_os_mutex_release(object);
    case MMF_KIND_EVENT:
        return mmf_os_event_set(object);
    default:
        rc = mmf_os_semaphore_release(object, 1, &previous);
        if (rc == MMF_E_FULL)
            return mmf_fail(MMF_E_STATE, "the semaphore to signal is at its maximum");
        return rc;
    }
}

int
mmf_os_sync_signal_and_wait(struct mmf_os_sync *to_signal, mmf_kind kind,
                            struct mmf_os_sync *to_wait_on, int32_t timeout_ms)
{
    int rc = signal_object(to_signal, kind);

    return rc < 0 ? rc : mmf_os_sync_wait(to_wait_on, timeout_ms);
}

int
mmf_os_sync_poll_fd(struct mmf_os_sync *sync, int *fd)
{
    struct mmf_thread *thread = mmf_thread_self();
    struct mmf_sync grip;
    int rc;

    if (thread == NULL)
        return MMF_E_NO_MEMORY;
    rc = make_hint_fd(sync);
    if (rc < 0)
        return rc;
    make_grip(sync->local, thread, &grip);
    mmf_sync_mark_polled(&grip);
    renew_hint(sync, &grip);
    *fd = hint_fd(sync);
    return MMF_OK;
}
