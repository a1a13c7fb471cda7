/*
 * threads.c - gives threads their numbers, and sees to the mutexes of those that end.
 *
 * A thread's end shows as the destructor of a key. Destructors of other keys may still
 * use mutexes, so ours lets one round of them pass before it acts (POSIX runs
 * PTHREAD_DESTRUCTOR_ITERATIONS, that is, four or more). Not all but the last: a
 * destructor may be the first in its thread to use a mutex, in the first round or the
 * second, and ours must come often enough after that; and in the last round the thread
 * sanitizer ends a thread, and code that it watches must not run after it. The library
 * is linked -z nodelete, so that its code is there then.
 */
#include "os/linux/sync/threads.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/error.h"
#include "os/linux/store/objects.h"
#include "os/linux/sync/object.h"
#include "shared/sync/word.h"

enum { ROUNDS_TO_LIVE = 2 };

static _Thread_local struct mmf_thread *mine;

/* The thread's record has gone already; one made now is for its last few lines. */
static _Thread_local int is_ending;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_error;

/*
 * Numbers are few: those of ended threads are used again, record and all. Guarded by
 * the claim mutex.
 */
static uint32_t next_number = 1;
static struct mmf_thread *unused;

static struct mmf_thread *
take_record(void)
{
    struct mmf_thread *thread;

    mmf_claim_lock();
    thread = unused;
    if (thread != NULL) {
        unused = thread->next_unused;
    } else if (next_number <= MMF_THREAD_MAX) {
        thread = calloc(1, sizeof(*thread));
        if (thread != NULL)
            thread->number = next_number++;
    }
    mmf_claim_unlock();
    return thread;
}

static void
give_record_back(struct mmf_thread *thread)
{
    mmf_store_release_pointer(&thread->self, NULL);
    mmf_claim_lock();
    thread->next_unused = unused;
    unused = thread;
    mmf_claim_unlock();
}

static void
end_thread(void *record)
{
    struct mmf_thread *thread = record;

    if (--thread->exits_left > 0 && pthread_setspecific(key, thread) == 0)
        return;
    if (thread->generation == mmf_object_generation())
        mmf_sync_abandon_owned(thread);
    give_record_back(thread);
    mine = NULL;
    is_ending = 1;
}

static void
make_key(void)
{
    key_error = pthread_key_create(&key, end_thread);
}

static struct mmf_thread *
make_record(void)
{
    struct mmf_thread *thread;

    pthread_once(&key_once, make_key);
    thread = key_error == 0 ? take_record() : NULL;
    if (thread == NULL) {
        mmf_fail(MMF_E_NO_MEMORY, "no memory for this thread's record");
        return NULL;
    }
    if (pthread_setspecific(key, thread) != 0) {
        give_record_back(thread);
        mmf_fail(MMF_E_NO_MEMORY, "no room for this thread's record");
        return NULL;
    }
    thread->owned = NULL;
    thread->exits_left = is_ending ? 1 : ROUNDS_TO_LIVE; /* few rounds are left */
    /* Nobody may call end_thread again: then the next thread with our key must not
     * take the record for its own. */
    if (!is_ending)
        mmf_store_release_pointer(&thread->self, mmf_thread_key());
    return thread;
}

struct mmf_thread *
mmf_thread_self(void)
{
    uint32_t generation = mmf_object_generation();

    if (mine == NULL) {
        mine = make_record();
        if (mine == NULL)
            return NULL;
        mine->generation = generation;
    }
    if (mine->generation != generation) {
        /* A fork's child: what the parent's thread owns is none of ours. */
        mine->generation = generation;
        mine->owned = NULL;
    }
    return mine;
}
