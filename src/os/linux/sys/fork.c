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
 * The mutex. A thread that is cancelled with it would stop all others, and fork; what is
 * called with it has no cancellation point (sys.c), but in a fork the handlers of others
 * may have one.
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

/* NULL: the process has not used the library yet. */
static const struct mmf_fork_hooks *
current_hooks(void)
{
    return mmf_load_acquire_pointer(&hooks_now);
}

/* What `before_fork` has found; the others act by the same. With the mutex. */
static const struct mmf_fork_hooks *hooks_of_fork;
static int cancel_state_before_fork;

static void
before_fork(void)
{
    int cancel_state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    mmf_process_lock();
    cancel_state_before_fork = cancel_state;
    hooks_of_fork = current_hooks();
    if (hooks_of_fork != NULL)
        hooks_of_fork->before();
}

static void
after_fork_in_parent(void)
{
    int cancel_state = cancel_state_before_fork;

    mmf_process_unlock();
    pthread_setcancelstate(cancel_state, NULL);
}

static void
after_fork_in_child(void)
{
    mmf_add_relaxed_u32(&mmf_os_forks, 1);
    note_process_id();
    if (hooks_of_fork != NULL)
        hooks_of_fork->in_child();
    after_fork_in_parent();
}

static mmf_atomic_u32 has_started;
static mmf_atomic_u32 watch_error; /* of pthread_atfork */

static void
register_handlers(void)
{
    int error = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);

    mmf_store_release_u32(&watch_error, (uint32_t)error);
}

/*
 * When the library is loaded, before the program or a library above it can register
 * handlers of its own: fork calls the last ones first. A library above holds its own
 * lock while it calls us, so its handler has to take that lock before ours takes the
 * mutex. The priority is for static linking, where all constructors stand in one list.
 */
__attribute__((constructor(101))) static void
watch_from_the_start(void)
{
    note_process_id();
    register_handlers();
}

/* With the mutex, so not during a fork; musl's pthread_once would not end in a child. */
static void
start(void)
{
    mmf_process_lock();
    if (!mmf_load_relaxed_u32(&has_started))
        current_hooks()->at_start();
    mmf_store_release_u32(&has_started, 1);
    mmf_process_unlock();
}

/* There was no memory for it; there may be some now. */
static void
register_handlers_again(void)
{
    mmf_process_lock();
    if (mmf_load_relaxed_u32(&watch_error) != 0) {
        note_process_id(); /* forks before this one were not seen */
        register_handlers();
    }
    mmf_process_unlock();
}

int
mmf_fork_watch(const struct mmf_fork_hooks *wanted)
{
    MMF_ASSERT(wanted != NULL);
    mmf_store_release_pointer(&hooks_now, (void *)(uintptr_t)wanted);
    if (!mmf_load_acquire_u32(&has_started))
        start();
    if (mmf_load_acquire_u32(&watch_error) == 0)
        return 0;
    register_handlers_again();
    errno = (int)mmf_load_acquire_u32(&watch_error);
    return errno == 0 ? 0 : -1;
}
