/*
 * system.c - see system.h.
 */
#include "os/linux/sync/system.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/invariant.h"
#include "os/linux/store/lock.h"
#include "os/linux/sync/part.h"
#include "os/linux/sys/futex.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"
#include "shared/ring/wait.h"
#include "shared/sync/slots.h"

/* A page of memory; also where pages are larger, each call allocates one at least. */
enum { PIECE = 4096 };

static struct mmf_sync_object *
local_of(const struct mmf_sync_ref *sync)
{
    return sync->context;
}

static int64_t
now(void *context)
{
    (void)context;
    return mmf_os_now();
}

/* What a thread sleeps on. */
struct words {
    uint32_t *address[2 * MMF_SYNC_OBJECTS_MAX];
    uint32_t expected[2 * MMF_SYNC_OBJECTS_MAX];
    int count;
};

static void
add_word(struct words *words, uint32_t *address, uint32_t expected)
{
    MMF_ASSERT(words->count < 2 * MMF_SYNC_OBJECTS_MAX);
    words->address[words->count] = address;
    words->expected[words->count++] = expected;
}

static void
add_objects(struct words *words, const struct mmf_sync_sleep *sleep)
{
    const struct mmf_sync_ref *objects = sleep->objects;
    const struct mmf_sync_sleeper *sleepers = sleep->sleepers;

    MMF_ASSERT(sleep->count > 0 && sleep->count <= MMF_SYNC_OBJECTS_MAX);
    for (int i = 0; i < sleep->count; i++) {
        if (sleepers[i].slot >= 0)
            add_word(words,
                     mmf_sync_slot_futex(
                         mmf_sync_slot(&objects[i], sleepers[i].slot, &mmf_sync_linux)),
                     sleepers[i].expected);
        if (sleep->epochs != NULL || sleepers[i].slot < 0)
            add_word(words, mmf_sync_watch_epoch(objects[i].shared),
                     sleep->epochs != NULL
                         ? sleep->epochs[i]
                         : mmf_load_acquire_u32(&objects[i].shared->watch_epoch));
    }
}

/* How long the sleep may be: in each tick a channel is asked for its dead. */
static int64_t
add_channels(struct words *words, const struct mmf_os_beside *beside, int64_t until)
{
    int64_t tick = mmf_os_now() + MMF_RING_TICK;

    for (int i = 0; i < beside->count; i++) {
        const struct mmf_os_doorbell *doorbell = &beside->doorbells[i];

        add_word(words, (uint32_t *)(void *)doorbell->word, doorbell->expected);
    }
    return tick < until ? tick : until;
}

/* `context` is NULL or what the thread waits for beside the objects. */
static void
sleep_on(void *context, const struct mmf_sync_sleep *sleep)
{
    struct words words = {.count = 0};
    volatile int64_t until = sleep->until; /* read after a jump */

    add_objects(&words, sleep);
    if (context != NULL)
        until = add_channels(&words, context, until);
    /* Compiled without exceptions, this is a buffer to jump to. */
    pthread_cleanup_push(sleep->give_up, sleep->wait);
    mmf_futex_sleep(words.address, words.expected, words.count, until);
    pthread_cleanup_pop(0);
}

void
mmf_sync_sleep_beside(const struct mmf_os_beside *beside, int64_t until)
{
    struct words words = {.count = 0};

    until = add_channels(&words, beside, until);
    mmf_futex_sleep(words.address, words.expected, words.count, until);
}

static void
wake(void *context, const struct mmf_sync_ref *object, int slot)
{
    (void)context;
    mmf_futex_wake(mmf_sync_slot_futex(mmf_sync_slot(object, slot, &mmf_sync_linux)),
                   1);
}

static void
wake_watched(void *context, const struct mmf_sync_ref *object)
{
    (void)context;
    mmf_futex_wake(mmf_sync_watch_epoch(object->shared), INT_MAX);
}

/* In the first thread that needs them; a signal handler never does. */
static struct mmf_sync_slot *
more_unnamed(struct mmf_sync_object *local)
{
    void *more = mmf_load_acquire_pointer(&local->more);
    void *none = NULL;

    if (more != NULL)
        return more;
    more = calloc(MMF_SYNC_SLOTS_MORE, sizeof(struct mmf_sync_slot));
    if (more != NULL && !mmf_exchange_if_pointer(&local->more, &none, more)) {
        free(more);
        more = none;
    }
    return more;
}

/* A slot that is not allocated must not be touched: there may be no memory for it. */
static struct mmf_sync_slot *
more_slots(void *context, const struct mmf_sync_ref *object, int count)
{
    struct mmf_sync_object *local = local_of(object);
    uint32_t bytes = (uint32_t)count * (uint32_t)sizeof(struct mmf_sync_slot);

    (void)context;
    if (!mmf_sync_is_named(local))
        return more_unnamed(local);
    if (bytes > mmf_load_acquire_u32(&local->reach)) {
        bytes = (bytes + PIECE - 1) / PIECE * PIECE;
        if (mmf_sys_fallocate(local->object->fd, 0, bytes) < 0)
            return NULL;
        mmf_store_release_u32(&local->reach, bytes);
    }
    return mmf_load_acquire_pointer(&local->more);
}

static void
notify_pollers(void *context, const struct mmf_sync_ref *object)
{
    const struct mmf_sync_object *local = local_of(object);

    (void)context;
    if (mmf_sync_is_named(local))
        mmf_poll_fd_notify_watches(local->object->fd);
    else
        mmf_poll_fd_notify_counter(&local->counter);
}

/* Threads have other numbers in other PID namespaces. */
static bool
can_see_threads(const struct mmf_sync_object *local, uint64_t ticket)
{
    return ticket == local->ticket ||
           (local->pid_space != MMF_SYNC_NO_SPACE &&
            mmf_load_acquire_u32(&local->shared->pid_space) == local->pid_space);
}

static int
is_alive(void *context, const struct mmf_sync_ref *object, uint64_t identity)
{
    struct mmf_sync_object *local = local_of(object);
    uint64_t ticket = mmf_sync_ticket(identity);
    uint32_t thread = mmf_sync_thread(identity);

    (void)context;
    if (ticket != local->ticket &&
        (local->object == NULL || !mmf_lock_is_self_alive(local->object->fd, ticket)))
        return 0;
    return thread == 0 || !can_see_threads(local, ticket) || mmf_sys_is_thread(thread);
}

const struct mmf_sync_ops mmf_sync_linux = {.now = now,
                                            .sleep = sleep_on,
                                            .wake = wake,
                                            .wake_watched = wake_watched,
                                            .more_slots = more_slots,
                                            .notify_pollers = notify_pollers,
                                            .is_alive = is_alive};

static bool
is_over(void *context)
{
    const struct mmf_os_beside *beside = context;

    return beside->is_over(beside->context);
}

struct mmf_sync_ops
mmf_sync_linux_beside(struct mmf_os_beside *beside)
{
    struct mmf_sync_ops ops = mmf_sync_linux;

    ops.is_over = is_over;
    ops.context = beside;
    return ops;
}
