/*
 * fork.c - see fork.h.
 */
#include "os/linux/sys/fork.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "base/invariant.h"
#include "os/linux/sys/sys.h"

mmf_atomic_u32 mmf_os_forks;

/*
 * The mutex.
 */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static mmf_atomic_pointer holder; /* the thread that has it */

static void *
this_thread(void)
{
    return (void *)(uintptr_t)pthread_self();
}

bool
mmf_process_is_locked(void)
{
    return mmf_load_acquire_pointer(&holder) == this_thread();
}

void
mmf_process_lock(void)
{
    MMF_ASSERT(!mmf_process_is_locked());
    pthread_mutex_lock(&mutex);
    mmf_store_release_pointer(&holder, this_thread());
}

void
mmf_process_unlock(void)
{
    MMF_ASSERT(mmf_process_is_locked());
    mmf_store_release_pointer(&holder, NULL);
    pthread_mutex_unlock(&mutex);
}

/*
 * The process id.
 */

static mmf_atomic_u32 process_id;

static void
note_process_id(void)
{
    mmf_store_relaxed_u32(&process_id, (uint32_t)mmf_sys_getpid());
}

pid_t
mmf_process_id(void)
{
    pid_t id = (pid_t)mmf_load_relaxed_u32(&process_id);

    MMF_ASSERT(id > 0);
    return id;
}

/*
 * fork. Its child has one thread, the one that forked, with the same pthread_self: so
 * the mutex is held there as well.
 */

static mmf_atomic_pointer hooks_now;

static const struct mmf_fork_hooks *
current_hooks(void)
{
    const struct mmf_fork_hooks *hooks = mmf_load_acquire_pointer(&hooks_now);

    MMF_ASSERT(hooks != NULL);
    return hooks;
}

static void
before_fork(void)
{
    mmf_process_lock();
    current_hooks()->before();
}

static void
after_fork_in_parent(void)
{
    current_hooks()->in_parent();
    mmf_process_unlock();
}

static void
after_fork_in_child(void)
{
    mmf_add_relaxed_u32(&mmf_os_forks, 1);
    note_process_id();
    current_hooks()->in_child();
    mmf_process_unlock();
}

static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static mmf_atomic_u32 watch_error; /* of pthread_atfork */

/*
 * The first time without the mutex: another thread may fork just now, and no handler
 * would unlock it in the child.
 */
static void
start_watching(void)
{
    int error;

    note_process_id();
    current_hooks()->at_start();
    error = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    mmf_store_release_u32(&watch_error, (uint32_t)error);
}

/* There was no memory for it; there may be some now. */
static void
start_watching_again(void)
{
    mmf_process_lock();
    if (mmf_load_relaxed_u32(&watch_error) != 0)
        start_watching();
    mmf_process_unlock();
}

int
mmf_fork_watch(const struct mmf_fork_hooks *wanted)
{
    MMF_ASSERT(wanted != NULL);
    mmf_store_release_pointer(&hooks_now, (void *)(uintptr_t)wanted);
    pthread_once(&watch_once, start_watching);
    if (mmf_load_acquire_u32(&watch_error) == 0)
        return 0;
    start_watching_again();
    errno = (int)mmf_load_acquire_u32(&watch_error);
    return errno == 0 ? 0 : -1;
}
