/*
 * thread.c - gives threads their numbers, and sees to the mutexes of those that end.
 *
 * A thread's end shows as the destructor of a key. Destructors of other keys may still
 * use mutexes, so ours asks to be called again until the last round but one (POSIX runs
 * PTHREAD_DESTRUCTOR_ITERATIONS of them). In the last the thread sanitizer ends a
 * thread, and code that it watches must not run after it. The library is linked
 * -z nodelete, so that its code is there then.
 */
#include "os/linux/thread.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/fail.h"
#include "os/linux/claim.h"
#include "os/linux/error.h"
#include "os/linux/object.h"
#include "os/linux/sync.h"
#include "shared/sync_word.h"

enum { ROUNDS_TO_LIVE = PTHREAD_DESTRUCTOR_ITERATIONS - 1 };

static _Thread_local struct mmf_thread *mine;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_error;

/* Numbers are few: those of ended threads are used again. Guarded by the claim mutex.
 */
static uint32_t next_number = 1;
static uint32_t *free_numbers;
static uint32_t free_count;
static uint32_t free_room;

static uint32_t
take_number(void)
{
    uint32_t number = 0;

    mmf_claim_lock();
    if (free_count > 0)
        number = free_numbers[--free_count];
    else if (next_number <= MMF_THREAD_MAX)
        number = next_number++;
    mmf_claim_unlock();
    return number;
}

static void
give_number_back(uint32_t number)
{
    mmf_claim_lock();
    if (free_count == free_room) {
        uint32_t room = free_room == 0 ? 64 : free_room * 2;
        uint32_t *larger = realloc(free_numbers, room * sizeof(*larger));

        if (larger != NULL) {
            free_numbers = larger;
            free_room = room;
        }
    }
    if (free_count < free_room)
        free_numbers[free_count++] = number; /* else it is lost, one of a million */
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
    give_number_back(thread->number);
    mine = NULL;
    free(thread);
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
    thread = key_error == 0 ? calloc(1, sizeof(*thread)) : NULL;
    if (thread == NULL) {
        mmf_fail(MMF_E_NO_MEMORY, "no memory for this thread's record");
        return NULL;
    }
    thread->number = take_number();
    if (thread->number == 0 || pthread_setspecific(key, thread) != 0) {
        if (thread->number != 0)
            give_number_back(thread->number);
        free(thread);
        mmf_fail(MMF_E_NO_MEMORY, "no room for this thread's record");
        return NULL;
    }
    thread->exits_left = ROUNDS_TO_LIVE;
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
