/*
 * threads.c - the records of threads, and what their ends do.
 *
 * A thread's end shows as the destructor of a key. Destructors of other keys may still
 * use mutexes, so ours lets one round of them pass before it acts (POSIX runs
 * PTHREAD_DESTRUCTOR_ITERATIONS, that is, four or more). Not all but the last: a
 * destructor may be the first in its thread to use a mutex, in the first round or the
 * second, and ours must come often enough after that; and in the last round the thread
 * sanitizer ends a thread, and code that it watches must not run after it. The shared
 * library is linked -z nodelete, so that its code is there then.
 */
#include "os/linux/sync/threads.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/sys/sys.h"

enum { ROUNDS_TO_LIVE = 2 };

MMF_QUICK_THREAD_LOCAL struct mmf_thread *mmf_thread_mine;

/* The thread's record has gone already; one made now is for its last few lines. */
static _Thread_local bool is_ending;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_error;
static mmf_atomic_u32 is_unloaded;

static mmf_atomic_pointer ops_now;

void
mmf_thread_watch_ends(const struct mmf_thread_ops *ops)
{
    MMF_ASSERT(ops != NULL && ops->abandon_owned != NULL);
    mmf_store_release_pointer(&ops_now, (void *)(uintptr_t)ops);
}

static void
abandon_owned(struct mmf_thread *thread)
{
    const struct mmf_thread_ops *ops = mmf_load_acquire_pointer(&ops_now);

    MMF_ASSERT(ops != NULL);
    ops->abandon_owned(thread);
    MMF_ASSERT(thread->owned == NULL);
}

static void
end_thread(void *record)
{
    struct mmf_thread *thread = record;

    if (--thread->exits_left > 0 && pthread_setspecific(key, thread) == 0)
        return;
    if (thread->fork_epoch == mmf_fork_epoch() && thread->owned != NULL)
        abandon_owned(thread);
    free(thread);
    mmf_thread_mine = NULL;
    is_ending = true;
}

static void
make_key(void)
{
    key_error = pthread_key_create(&key, end_thread);
}

/*
 * The static library may be part of a plug-in. When that is unloaded, the threads that
 * have used it live on, and must not run the destructor, whose code is gone; nor does
 * any function of the library run any more. At the program's end others may call us
 * after this.
 */
__attribute__((destructor)) static void
delete_key(void)
{
    pthread_once(&key_once, make_key);
    if (key_error == 0)
        pthread_key_delete(key);
    mmf_store_relaxed_u32(&is_unloaded, 1);
}

static struct mmf_thread *
make_record(void)
{
    struct mmf_thread *thread = NULL;

    MMF_ASSERT(mmf_thread_mine == NULL);
    pthread_once(&key_once, make_key);
    if (key_error == 0)
        thread = calloc(1, sizeof(*thread));
    if (thread == NULL || (!mmf_load_relaxed_u32(&is_unloaded) &&
                           pthread_setspecific(key, thread) != 0)) {
        free(thread);
        mmf_fail(MMF_E_NO_MEMORY, "no memory for this thread's record");
        return NULL;
    }
    thread->exits_left = is_ending ? 1 : ROUNDS_TO_LIVE; /* few rounds are left */
    return thread;
}

struct mmf_thread *
mmf_thread_self(void)
{
    struct mmf_thread *thread = mmf_thread_find();

    if (thread != NULL)
        return thread;
    thread = mmf_thread_mine != NULL ? mmf_thread_mine : make_record();
    if (thread == NULL)
        return NULL;
    /* In a fork's child: what the parent's thread owns is not the child's. */
    thread->owned = NULL;
    thread->number = (uint32_t)mmf_sys_gettid();
    thread->fork_epoch = mmf_fork_epoch();
    mmf_thread_mine = thread;
    return thread;
}

bool
mmf_thread_is_alive(const struct mmf_thread *thread)
{
    return mmf_sys_is_thread(thread->number);
}
