/*
 * explore.c - see explore.h.
 */
#include "explore.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "coroutine.h"
#include "shared/ring/doorbell.h"
#include "shared/sync/signal.h"
#include "shared/sync/slots.h"
#include "shared/sync/wait.h"

/* After a kill, sleepers that do not get on for so long are taken to sleep forever. */
#define MOST_IDLE ((int64_t)4000000000)

/* No thread sleeps longer than this without need after a single kill; after several. */
#define MOST_LATE ((int64_t)100000000)
#define MOST_LATE_AFTER_SEVERAL ((int64_t)1100000000)

/* The clock begins far from 0, as a machine's does. */
#define CLOCK_BEGIN ((int64_t)1000000000000)

/* Sleeps up to this are no ticks: another's reservation is about to end. */
#define NAP ((int64_t)1000000)

enum status {
    READY,
    ASLEEP,
    ENDED, /* and the process lives on */
    KILLED
};

/* What a thread is about to do. */
enum step {
    STEP_ATOMIC,
    STEP_CALL,
    STEP_WAKE,
    STEP_COMPARE,
    STEP_COMPARE_EPOCH,
    STEP_WAKE_UP,
    STEP_ASK
};

struct entry {
    int8_t object;
    int8_t slot; /* WATCHED: `watch_epoch`; DOORBELL: of the channel */
    uint8_t is_queued;
};

enum { WATCHED = -1, DOORBELL = -2 };

struct thread {
    uint8_t status;
    uint8_t step;
    int8_t step_object;
    uint8_t entries_count;
    struct entry entries[2 * MOST_OBJECTS];
    int8_t step_slot;
    uint8_t is_napping;
    uint8_t is_excused; /* in this call it may have met a slow reservation */
    uint8_t has_returned;
    uint8_t is_calling;
    uint8_t has_begun;
    struct outcome outcome;
    struct call call;
    struct call next_call; /* begins with the next step, if is_calling */
    const char *operation;
    const volatile void *address;
    int64_t until;
    int64_t deadline;
    int64_t asleep_since; /* in this call; 0: it has not slept */
    void *stack;          /* where the stack's part in use begins */
};

/* All that changes. */
struct world {
    struct mmf_sync_shared shared[MOST_OBJECTS];
    mmf_atomic_u32 doorbell; /* of the channel, if an object is one */
    struct thread threads[MOST_THREADS];
    int64_t clock;
    int32_t kills_left;
    int32_t ticks_left;
    int32_t someone_died;
    int16_t preemptions_left;
    int16_t running;  /* the thread of the last step; -1: it ended, or was killed */
    int64_t got_on;   /* when a thread was last seen to get on */
    struct spec spec; /* last: only its states in use are kept */
};

static struct world world;

static const struct scenario *plan;
static int object_count;
static int thread_count;
static struct counts *counts;
static struct outcome last_outcome;
static int has_outcome; /* of the last step */

int
mmf_fail(int status, const char *format, ...)
{
    (void)format;
    return status;
}

/*
 * Threads.
 */

static void
to_explorer(void)
{
    coroutine_stand(&world.threads[current].stack);
}

static void
run_body(void)
{
    plan->threads[current]();
    world.threads[current].status = ENDED;
    to_explorer();
    abort();
}

/* The running thread stands before a step. */
static void
stand_before(enum step step, int object)
{
    struct thread *self = &world.threads[current];

    self->step = (uint8_t)step;
    self->step_object = (int8_t)object;
    to_explorer();
}

/*
 * In a coarse scenario a thread goes on to look at slots without a pause. So a look at
 * several slots is of one moment there, and one of a slot follows on the step before.
 */
static int
is_skipped(const char *operation, const volatile void *address)
{
    size_t at =
        (size_t)((const volatile char *)address - (const volatile char *)world.shared) %
        sizeof(world.shared[0]);

    if (plan->is_fine || strcmp(operation, "load") != 0 || address == &world.doorbell)
        return 0;
    return at >= offsetof(struct mmf_sync_shared, slots_used) ||
           at == offsetof(struct mmf_sync_shared, recursion);
}

void
model_point(const char *operation, const volatile void *address)
{
    if (current < 0 || is_skipped(operation, address))
        return;
    world.threads[current].operation = operation;
    world.threads[current].address = address;
    stand_before(STEP_ATOMIC, 0);
}

/*
 * The system, as the waits see it.
 */

static int
index_of(const struct mmf_sync_ref *object)
{
    return (int)(object->shared - world.shared);
}

static int64_t
now(void *context)
{
    (void)context;
    return world.clock;
}

static void
leave_queues(struct thread *thread)
{
    memset(thread->entries, 0, sizeof(thread->entries));
    thread->entries_count = 0;
    thread->until = 0;
    thread->is_napping = 0;
}

static uint32_t
futex_value(int object, int slot)
{
    if (slot == DOORBELL)
        return *(volatile uint32_t *)&world.doorbell;
    if (slot == WATCHED)
        return *(volatile uint32_t *)&world.shared[object].watch_epoch;
    return *(volatile uint32_t *)mmf_sync_slot_futex(&world.shared[object].slots[slot]);
}

/* Queue at one futex, if it has the value. 0: it has not. */
static int
queue_at(struct thread *self, int object, int slot, uint32_t expected)
{
    struct entry *entry = &self->entries[self->entries_count];

    self->step_slot = (int8_t)slot;
    stand_before(slot == WATCHED ? STEP_COMPARE_EPOCH : STEP_COMPARE, object);
    if (futex_value(object, slot) != expected)
        return 0;
    *entry = (struct entry){(int8_t)object, (int8_t)slot, 1};
    self->entries_count++;
    return 1;
}

static int
queue_at_all(struct thread *self, const struct mmf_sync_sleep *sleep)
{
    const struct mmf_sync_sleeper *sleepers = sleep->sleepers;
    const struct mmf_sync_ref *objects = sleep->objects;
    const uint32_t *epochs = sleep->epochs;

    for (int i = 0; i < sleep->count; i++) {
        if (sleepers[i].slot >= 0 && !queue_at(self, index_of(&objects[i]),
                                               sleepers[i].slot, sleepers[i].expected))
            return 0;
    }
    for (int i = 0; i < sleep->count; i++) {
        int object = index_of(&objects[i]);

        if ((epochs != NULL || sleepers[i].slot < 0) &&
            !queue_at(self, object, WATCHED,
                      epochs != NULL ? epochs[i] : futex_value(object, WATCHED)))
            return 0;
    }
    return 1;
}

/* What a thread waits for beside an object. */
struct beside {
    struct mmf_sync_ref channel;
    struct mmf_doorbell_mark mark;
};

static void
sleep_on(void *context, const struct mmf_sync_sleep *sleep)
{
    const struct beside *beside = context;
    int64_t until = sleep->until;
    struct thread *self;

    if (current < 0) {
        if (until > world.clock)
            world.clock = until;
        return;
    }
    self = &world.threads[current];
    if (!queue_at_all(self, sleep) ||
        (beside != NULL && !queue_at(self, 0, DOORBELL, beside->mark.value))) {
        leave_queues(self);
        return;
    }
    for (int i = 0; i < self->entries_count; i++) {
        if (!self->entries[i].is_queued)
            until = 0; /* woken before the last was queued */
    }
    self->until = until;
    self->is_napping = until - world.clock <= NAP;
    if (until > world.clock)
        self->status = ASLEEP;
    stand_before(STEP_WAKE_UP, 0);
    leave_queues(self);
}

/* 1: it slept there. */
static int
wake_thread(struct thread *thread, int object, int slot)
{
    int woken = 0;

    for (int i = 0; i < thread->entries_count; i++) {
        if (thread->entries[i].object != object || thread->entries[i].slot != slot ||
            !thread->entries[i].is_queued)
            continue;
        thread->entries[i].is_queued = 0;
        if (thread->status == ASLEEP)
            thread->status = READY;
        woken = 1;
    }
    return woken;
}

static void
wake(void *context, const struct mmf_sync_ref *sync, int slot)
{
    int object = index_of(sync);

    (void)context;
    if (current < 0)
        return;
    world.threads[current].step_slot = (int8_t)slot;
    stand_before(STEP_WAKE, object);
    for (int i = 0; i < thread_count; i++)
        wake_thread(&world.threads[i], object, slot);
}

static void
wake_watched(void *context, const struct mmf_sync_ref *sync)
{
    wake(context, sync, WATCHED);
}

/* There is no space for more. */
static struct mmf_sync_slot *
more_slots(void *context, const struct mmf_sync_ref *object, int count)
{
    (void)context;
    (void)object;
    (void)count;
    return NULL;
}

static void
touch(void *context, const struct mmf_sync_ref *object)
{
    (void)context;
    (void)object;
}

static unsigned
process_of(int thread)
{
    return plan->process[thread] != 0 ? plan->process[thread] : 10u + (unsigned)thread;
}

static int
is_alive(void *context, const struct mmf_sync_ref *object, uint64_t identity)
{
    uint64_t ticket = mmf_sync_ticket(identity);

    (void)context;
    if (current >= 0 && (world.kills_left > 0 || world.someone_died))
        stand_before(STEP_ASK, index_of(object));
    if (ticket == 10 + PROBER)
        return 1;
    for (int i = 0; i < thread_count; i++) {
        if (process_of(i) == ticket && world.threads[i].status != KILLED)
            return 1;
    }
    return 0;
}

static const struct mmf_sync_ops ops = {.now = now,
                                        .sleep = sleep_on,
                                        .wake = wake,
                                        .wake_watched = wake_watched,
                                        .more_slots = more_slots,
                                        .notify_pollers = touch,
                                        .is_alive = is_alive};

/*
 * Calls.
 */

static uint64_t
identity_of(int caller)
{
    uint64_t ticket = caller == PROBER ? 10 + PROBER : process_of(caller);

    return mmf_sync_identity(ticket, (uint32_t)caller + 1);
}

static struct mmf_sync_ref
ref_to(int object, int caller)
{
    struct mmf_sync_ref ref = {
        .shared = &world.shared[object],
        .kind = plan->objects[object].kind,
        .identity = identity_of(caller),
        .order = {1, (uint64_t)object},
        .is_watched = 1,
    };

    return ref;
}

static void
begin_call(enum call_kind kind, const int *objects, int count, int number, int timeout)
{
    struct thread *self = &world.threads[current];
    struct call *call = &self->next_call;

    call->kind = (uint8_t)kind;
    call->count = (uint8_t)count;
    for (int i = 0; i < count; i++)
        call->objects[i] = (uint8_t)objects[i];
    call->number = (uint8_t)number;
    call->has_timeout = timeout >= 0;
    self->is_calling = 1;
    stand_before(STEP_CALL, 0);
    self->deadline = timeout > 0 ? mmf_sync_deadline(&ops, timeout) : 0;
}

/* The explorer sees it once this step is over. */
static int
end_call(int status, int value)
{
    struct thread *self = &world.threads[current];

    self->has_returned = 1;
    self->outcome.status = (int16_t)status;
    self->outcome.value = (int16_t)value;
    self->deadline = 0;
    return status;
}

int
wait_one(int object, int timeout)
{
    struct mmf_sync_ref ref = ref_to(object, current);
    int index = 0;
    int rc = MMF_OK;

    begin_call(CALL_ANY, &object, 1, 0, timeout);
    if (!mmf_sync_try_take(ref.shared, ref.kind, ref.identity))
        rc = mmf_sync_wait_any(&ref, 1, mmf_sync_deadline(&ops, timeout), &ops, &index);
    return end_call(rc, rc == MMF_TIMED_OUT ? 0 : index);
}

int
wait_any(const int *objects, int count, int timeout, int *index)
{
    struct mmf_sync_ref refs[MOST_OBJECTS];
    int rc;

    for (int i = 0; i < count; i++)
        refs[i] = ref_to(objects[i], current);
    begin_call(CALL_ANY, objects, count, 0, timeout);
    rc = mmf_sync_wait_any(refs, count, mmf_sync_deadline(&ops, timeout), &ops, index);
    return end_call(rc, rc == MMF_TIMED_OUT ? 0 : *index);
}

static int
wake_doorbell(void *context, mmf_atomic_u32 *doorbell, int count)
{
    int woken = 0;

    (void)context;
    (void)doorbell;
    world.threads[current].step_slot = DOORBELL;
    stand_before(STEP_WAKE, 0);
    for (int i = 0; i < thread_count && woken < count; i++)
        woken += wake_thread(&world.threads[i], 0, DOORBELL);
    return woken;
}

static const struct mmf_ring_ops ring_ops = {.wake = wake_doorbell};

static bool
channel_is_ready(void *context)
{
    struct beside *beside = context;

    mmf_doorbell_mark(&world.doorbell, &beside->mark);
    return mmf_sync_is_available(&beside->channel, &ops);
}

int
wait_beside(int object, int channel, int *index)
{
    const int both[] = {object, channel};
    struct mmf_sync_ref ref = ref_to(object, current);
    struct beside beside = {.channel = ref_to(channel, current)};
    struct mmf_sync_ops mixed = ops;
    int64_t deadline = MMF_SYNC_FOREVER;
    int rc;

    mixed.is_over = channel_is_ready;
    mixed.context = &beside;
    begin_call(CALL_ANY, both, 2, 0, NEVER);
    if (mmf_sync_is_available(&beside.channel, &ops))
        deadline = MMF_SYNC_POLL;
    rc = mmf_sync_wait_any(&ref, 1, deadline, deadline == MMF_SYNC_POLL ? &ops : &mixed,
                           index);
    if (rc == MMF_TIMED_OUT) {
        *index = 1;
        rc = MMF_OK;
    }
    mmf_doorbell_unmark(&world.doorbell, &beside.mark);
    if (*index == 0 && mmf_sync_is_available(&beside.channel, &ops))
        mmf_doorbell_ring(&world.doorbell, 1, &ring_ops);
    return end_call(rc, *index);
}

/* The message, and then the ring: as a topic's, for all that sleep. */
int
post(int channel)
{
    struct mmf_sync_ref ref = ref_to(channel, current);
    int32_t ignored;

    begin_call(CALL_SET, &channel, 1, 0, NEVER);
    mmf_sync_signal(&ref, 1, &ignored, &ops);
    mmf_doorbell_ring(&world.doorbell, MMF_RING_ALL, &ring_ops);
    return end_call(MMF_OK, 0);
}

int
wait_all(const int *objects, int count, int timeout)
{
    struct mmf_sync_ref refs[MOST_OBJECTS];
    int rc;

    for (int i = 0; i < count; i++)
        refs[i] = ref_to(objects[i], current);
    begin_call(CALL_ALL, objects, count, 0, timeout);
    rc = mmf_sync_wait_all(refs, count, mmf_sync_deadline(&ops, timeout), &ops);
    return end_call(rc, 0);
}

/* As mmf_os_mutex_release. */
int
release(int mutex)
{
    struct mmf_sync_ref ref = ref_to(mutex, current);
    int32_t ignored;

    begin_call(CALL_RELEASE, &mutex, 1, 0, NEVER);
    if (mmf_sync_is_owned_once(ref.shared, ref.identity) &&
        mmf_sync_try_release_mutex(ref.shared, ref.identity))
        return end_call(MMF_OK, 0);
    return end_call(mmf_sync_signal(&ref, 1, &ignored, &ops), 0);
}

/* As mmf_os_event_set. */
int
set(int event)
{
    struct mmf_sync_ref ref = ref_to(event, current);
    int32_t ignored;

    begin_call(CALL_SET, &event, 1, 0, NEVER);
    if (mmf_sync_try_set_event(ref.shared))
        return end_call(MMF_OK, 0);
    return end_call(mmf_sync_signal(&ref, 1, &ignored, &ops), 0);
}

int
reset(int event)
{
    struct mmf_sync_ref ref = ref_to(event, current);

    begin_call(CALL_RESET, &event, 1, 0, NEVER);
    return end_call(mmf_sync_reset_event(&ref, &ops), 0);
}

/* As mmf_os_semaphore_release. */
int
add(int semaphore, int count, int *previous)
{
    struct mmf_sync_ref ref = ref_to(semaphore, current);
    int32_t before = 0;
    int rc = MMF_OK;

    begin_call(CALL_ADD, &semaphore, 1, count, NEVER);
    if (!mmf_sync_try_release_semaphore(ref.shared, count, &before))
        rc = mmf_sync_signal(&ref, count, &before, &ops);
    if (rc == MMF_OK)
        *previous = before;
    return end_call(rc, before);
}

void
end_thread(int mutex)
{
    struct mmf_sync_ref ref = ref_to(mutex, current);

    begin_call(CALL_ABANDON, &mutex, 1, 0, NEVER);
    mmf_sync_abandon_mutex(&ref, &ops);
    end_call(MMF_OK, 0);
}

/*
 * What can happen.
 */

static int
is_live(const struct thread *thread)
{
    return thread->status == READY || thread->status == ASLEEP;
}

/* A bit for each thread that has slept, in this call, for so long that it is its turn. */
static uint8_t
patient_threads(void)
{
    unsigned mask = 0;

    for (int i = 0; i < thread_count; i++) {
        const struct thread *thread = &world.threads[i];

        if (thread->asleep_since != 0 &&
            world.clock - thread->asleep_since >= MMF_SYNC_HAND_OVER_AFTER)
            mask |= 1u << i;
    }
    return (uint8_t)mask;
}

/* Whether the words tell of the dead thread-to-be. One that left nothing is no loss. */
static int
would_be_missed(int thread)
{
    uint64_t ticket = process_of(thread);

    if (is_live(&world.threads[thread]))
        return 1;
    for (int i = 0; i < object_count; i++) {
        for (int j = 0; j < MMF_SYNC_SLOTS_HERE; j++) {
            if (mmf_sync_slot_ticket(world.shared[i].slots[j].state) == ticket)
                return 1;
        }
        if (mmf_sync_ticket(world.shared[i].reserver) == ticket ||
            (plan->objects[i].kind == MMF_KIND_MUTEX &&
             mmf_sync_ticket(world.shared[i].word >> 4) == ticket))
            return 1;
    }
    return 0;
}

/* Where the clock goes next; 0: no thread waits for it. */
static int64_t
next_time(void)
{
    int64_t next = 0;

    for (int i = 0; i < thread_count; i++) {
        const struct thread *thread = &world.threads[i];

        if (thread->status == ASLEEP && (next == 0 || thread->until < next))
            next = thread->until;
        if (thread->status == READY && thread->deadline > world.clock &&
            (next == 0 || thread->deadline < next))
            next = thread->deadline;
    }
    return next > world.clock ? next : 0;
}

static int
count_ready(void)
{
    int ready = 0;

    for (int i = 0; i < thread_count; i++)
        ready += world.threads[i].status == READY;
    return ready;
}

static unsigned
sleepers(void)
{
    unsigned mask = 0;

    for (int i = 0; i < thread_count; i++)
        mask |= (world.threads[i].status == ASLEEP ? 1u : 0u) << i;
    return mask;
}

/*
 * No thread can go on but by the clock. 0: the clock does not help either: all that sleep
 * do so forever, and rightly.
 */
static int
clock_may_help(void)
{
    for (int i = 0; i < thread_count; i++) {
        const struct thread *thread = &world.threads[i];

        if (thread->status != ASLEEP)
            continue;
        /* A kill can leave behind what only the clock brings to light. */
        if (thread->call.has_timeout || thread->is_napping ||
            (world.someone_died && spec_may_be_available(&world.spec, i)))
            return world.clock - world.got_on < MOST_IDLE;
    }
    return 0;
}

/* A thread is about to do something, having begun. */
static int
is_busy(void)
{
    for (int i = 0; i < thread_count; i++) {
        if (world.threads[i].status == READY && world.threads[i].has_begun)
            return 1;
    }
    return 0;
}

/* 0: in this scenario it is the turn of another thread to begin. */
static int
may_step(int thread)
{
    for (int i = 0; i < thread; i++) {
        if (plan->calm_ticks && !world.threads[thread].has_begun &&
            world.threads[i].status == READY)
            return 0;
    }
    return world.threads[thread].status == READY;
}

/* A step of this thread would interrupt another in the midst of a call. */
static int
is_preempted_by(int thread)
{
    const struct thread *running;

    if (world.running < 0 || world.running == thread)
        return 0;
    running = &world.threads[world.running];
    return running->status == READY && running->step != STEP_CALL;
}

static int
list_choices(struct choice *choices)
{
    int count = 0;
    int ready = count_ready();

    for (int i = 0; i < thread_count; i++) {
        if (may_step(i) && (world.preemptions_left > 0 || !is_preempted_by(i)))
            choices[count++] = (struct choice){EVENT_STEP, (int8_t)i, 0};
    }
    if ((ready == 0 && clock_may_help()) ||
        (world.ticks_left > 0 && next_time() != 0 && !(plan->calm_ticks && is_busy())))
        choices[count++] = (struct choice){EVENT_TICK, -1, 0};
    for (int i = 0; i < thread_count && world.kills_left > 0; i++) {
        if (world.threads[i].status != KILLED && would_be_missed(i) &&
            !(plan->calm_kills && is_busy()))
            choices[count++] = (struct choice){EVENT_KILL, (int8_t)i, 0};
    }
    return count;
}

/*
 * Making it happen.
 */

static void
got_on(void)
{
    world.got_on = world.clock;
}

/*
 * A reservation can take longer than those behind it wait for its end, and one can
 * follow the other.
 */
static int
another_reserves(int thread)
{
    for (int i = 0; i < thread_count; i++) {
        if (i != thread && world.threads[i].call.kind == CALL_ALL)
            return 1;
    }
    return 0;
}

/* What the specification says to the thread's return. */
static void
judge_return(int thread)
{
    struct thread *self = &world.threads[thread];

    self->has_returned = 0;
    last_outcome = self->outcome;
    has_outcome = 1;
    if (self->outcome.status == MMF_TIMED_OUT && self->is_excused)
        counts->excused += !spec_return_excused(&world.spec, thread, self->outcome);
    else
        spec_return(&world.spec, thread, self->outcome);
    if (world.spec.count == 0)
        found("a call answered what it cannot have seen");
    self->is_excused = 0;
    self->asleep_since = 0;
    memset(&self->outcome, 0, sizeof(self->outcome));
    memset(&self->call, 0, sizeof(self->call));
    got_on();
}

static void
run_thread(int thread)
{
    struct thread *self = &world.threads[thread];

    coroutine_run(thread, &self->stack);
    if (self->status == ENDED) {
        self->stack = NULL;
        got_on();
    }
}

static void
step(int thread)
{
    struct thread *self = &world.threads[thread];

    if (self->is_calling) {
        self->is_calling = 0;
        self->has_begun = 1;
        self->call = self->next_call;
        memset(&self->next_call, 0, sizeof(self->next_call));
        if (self->call.kind == CALL_RELEASE)
            self->call.patient = patient_threads();
        spec_call(&world.spec, thread, &self->call);
    }
    self->operation = NULL;
    self->address = NULL;
    if (is_preempted_by(thread))
        world.preemptions_left--;
    world.running = (int16_t)thread;
    run_thread(thread);
    if (self->has_returned)
        judge_return(thread);
    if (self->status == ASLEEP) {
        spec_sleep(&world.spec, thread);
        if (self->asleep_since == 0)
            self->asleep_since = world.clock;
    }
}

static void
kill_process(int thread)
{
    unsigned mask = 0;

    for (int i = 0; i < thread_count; i++) {
        if (process_of(i) != process_of(thread))
            continue;
        mask |= 1u << i;
        memset(&world.threads[i], 0, sizeof(world.threads[i]));
        world.threads[i].status = KILLED;
    }
    world.someone_died = 1;
    spec_kill(&world.spec, mask);
    world.kills_left--;
    world.spec.may_kill = world.kills_left > 0;
    got_on();
}

/* A thread sleeps that need not, whatever is true. */
static int
a_sleeper_could_get_on(void)
{
    for (int i = 0; i < thread_count; i++) {
        if (world.threads[i].status == ASLEEP && spec_is_available(&world.spec, i))
            return 1;
    }
    return 0;
}

static const char needs_tick[] =
    "a thread sleeps, although what it waits for is available "
    "and no process was killed: only the tick helps";
static const char sleeps_forever[] =
    "a thread sleeps forever, although what it waits for is available";

/* Sleepers that the code must not leave to the clock. */
static void
check_sleepers(const char *what)
{
    static struct spec copy;
    unsigned mask = sleepers();

    copy = world.spec;
    if (!spec_still_wait(&copy, mask)) {
        found("a sleeper has taken what it waits for");
        return;
    }
    for (int i = 0; i < thread_count; i++) {
        if ((mask & 1u << i) && spec_is_available(&copy, i))
            found(what);
    }
}

static int
a_thread_naps(void)
{
    for (int i = 0; i < thread_count; i++) {
        if (world.threads[i].status == ASLEEP && world.threads[i].is_napping)
            return 1;
    }
    return 0;
}

static void
note_late(int64_t late)
{
    int kills = plan->kills - world.kills_left;

    if (late > counts->latest)
        counts->latest = late;
    if (late > (kills > 1 ? MOST_LATE_AFTER_SEVERAL : MOST_LATE))
        found("a sleeper was told late");
}

static void
tick(void)
{
    int all_wait_for_it = count_ready() == 0;

    if (!all_wait_for_it || !clock_may_help())
        world.ticks_left--;
    if (all_wait_for_it && a_thread_naps())
        counts->naps++;
    else if (all_wait_for_it && !world.someone_died)
        check_sleepers(needs_tick);
    if (all_wait_for_it && a_sleeper_could_get_on())
        note_late(next_time() - world.got_on);
    world.clock = next_time();
    for (int i = 0; i < thread_count; i++) {
        struct thread *thread = &world.threads[i];

        if (thread->status == ASLEEP && thread->until <= world.clock)
            thread->status = READY;
        if (thread->call.kind != CALL_NONE &&
            (!all_wait_for_it || world.someone_died) && another_reserves(i))
            thread->is_excused = 1;
    }
}

static void
check_words(void)
{
    for (int i = 0; i < object_count; i++) {
        struct mmf_sync_ref ref = ref_to(i, PROBER);
        uint64_t word;
        enum mmf_step answer = mmf_sync_probe(&ref, 0, &word);

        if (answer == MMF_STEP_CORRUPT)
            found("a word is corrupt");
        if ((word & MMF_WORD_RESERVED) && world.shared[i].reserver == 0)
            found("a word is reserved without a reserver");
    }
}

static void
happen(struct choice choice)
{
    has_outcome = 0;
    switch (choice.event) {
    case EVENT_STEP:
        step(choice.thread);
        break;
    case EVENT_KILL:
        kill_process(choice.thread);
        break;
    default:
        tick();
    }
    spec_still_asleep(&world.spec, sleepers());
    check_words();
}

/*
 * The end: a process that was not there probes everything.
 */

static void
probe_with(enum call_kind kind, const int *objects, int count)
{
    struct mmf_sync_ref refs[MOST_OBJECTS];
    struct call call = {
        .kind = (uint8_t)kind, .count = (uint8_t)count, .number = 1, .has_timeout = 1};
    struct outcome outcome = {0};
    int32_t before = 0;
    int index = 0;
    int rc;

    for (int i = 0; i < count && i < MOST_OBJECTS; i++) {
        call.objects[i] = (uint8_t)objects[i];
        refs[i] = ref_to(objects[i], PROBER);
    }
    spec_call(&world.spec, PROBER, &call);
    switch (kind) {
    case CALL_ALL:
        rc = mmf_sync_wait_all(refs, count, MMF_SYNC_POLL, &ops);
        break;
    case CALL_ANY:
        rc = mmf_sync_wait_any(refs, count, MMF_SYNC_POLL, &ops, &index);
        break;
    default:
        rc = mmf_sync_signal(refs, 1, &before, &ops);
    }
    outcome.status = (int16_t)rc;
    outcome.value = (int16_t)before;
    if (!spec_return(&world.spec, PROBER, outcome))
        found("the last prober does not find what must be there");
}

/* Take what is there, then let one through, and take that. */
static void
probe_object(int object)
{
    int often = 1;

    if (plan->objects[object].kind == MMF_KIND_SEMAPHORE)
        often += plan->objects[object].second;
    while (often-- > 0 && failure == NULL)
        probe_with(CALL_ANY, &object, 1);
    if (plan->objects[object].kind == MMF_KIND_MUTEX || failure != NULL)
        return;
    probe_with(plan->objects[object].kind == MMF_KIND_EVENT ? CALL_SET : CALL_ADD,
               &object, 1);
    probe_with(CALL_ANY, &object, 1);
}

static void
check_end(void)
{
    static const int all[MOST_OBJECTS] = {0, 1, 2};
    static struct world before;

    counts->ends++;
    check_sleepers(world.someone_died ? sleeps_forever : needs_tick);
    if (failure != NULL)
        return;
    before = world;
    spec_settle(&world.spec);
    spec_still_wait(&world.spec, sleepers());
    if (object_count > 1)
        probe_with(CALL_ALL, all, object_count);
    for (int i = 0; i < object_count && failure == NULL; i++)
        probe_object(i);
    if (failure == NULL)
        world = before;
}

/*
 * States.
 */

static size_t
world_size(void)
{
    return offsetof(struct world, spec) + offsetof(struct spec, states) +
           (size_t)world.spec.count * sizeof(world.spec.states[0]);
}

static void
keep_state(void)
{
    search_keep(&world.spec.count, sizeof(world.spec.count));
    search_keep(&world, world_size());
    for (int i = 0; i < thread_count; i++) {
        const struct thread *thread = &world.threads[i];

        if (is_live(thread))
            search_keep(thread->stack, coroutine_stack_size(i, thread->stack));
    }
}

static void
restore_state(void)
{
    search_restore(&world.spec.count, sizeof(world.spec.count));
    search_restore(&world, world_size());
    for (int i = 0; i < thread_count; i++) {
        const struct thread *thread = &world.threads[i];

        if (is_live(thread))
            search_restore(thread->stack, coroutine_stack_size(i, thread->stack));
    }
}

static int
is_over(void)
{
    return count_ready() == 0 && !clock_may_help();
}

static void
start(const struct scenario *scenario)
{
    plan = scenario;
    memset(&world, 0, sizeof(world));
    object_count = 0;
    thread_count = 0;
    while (object_count < MOST_OBJECTS && plan->objects[object_count].name != NULL) {
        const struct object_plan *object = &plan->objects[object_count];
        struct mmf_sync_shared *shared = &world.shared[object_count++];

        if (object->kind == MMF_KIND_MUTEX)
            mmf_sync_init_mutex(shared,
                                object->first > 0 ? identity_of(object->first - 1) : 0);
        else if (object->kind == MMF_KIND_EVENT)
            mmf_sync_init_event(shared, object->first, object->second);
        else
            mmf_sync_init_semaphore(shared, object->first, object->second);
    }
    world.clock = CLOCK_BEGIN;
    world.got_on = CLOCK_BEGIN;
    world.kills_left = scenario->kills;
    world.ticks_left = scenario->ticks;
    world.preemptions_left = (int16_t)scenario->preemptions;
    world.running = -1;
    spec_begin(&world.spec, plan->objects);
    world.spec.may_kill = scenario->kills > 0;
    while (thread_count < MOST_THREADS && plan->threads[thread_count] != NULL) {
        world.threads[thread_count].stack = coroutine_begin(thread_count, run_body);
        run_thread(thread_count++); /* up to its first call */
    }
}

/*
 * Telling what was found.
 */

static const char *
call_name(const struct call *call)
{
    static const char *const names[] = {
        "-", "wait for any", "wait for all", "release", "set", "reset", "add", "end"};
    static char text[64];
    int at = snprintf(text, sizeof(text), "%s", names[call->kind]);

    for (int i = 0; i < call->count; i++)
        at += snprintf(text + at, sizeof(text) - (size_t)at, " %s",
                       plan->objects[call->objects[i]].name);
    if (call->kind == CALL_ADD)
        snprintf(text + at, sizeof(text) - (size_t)at, " %d", call->number);
    return text;
}

static void
print_word(int object)
{
    const struct mmf_sync_shared *shared = &world.shared[object];
    uint64_t word = shared->word;

    printf("%s=%llx", plan->objects[object].name, (unsigned long long)(word >> 4));
    printf("%s%s%s", word & MMF_WORD_WAITERS ? "W" : "", word & 2 ? "S" : "",
           word & MMF_WORD_RESERVED ? "R" : "");
    for (uint64_t i = 0; i < shared->slots_used && i < MMF_SYNC_SLOTS_HERE; i++)
        printf("%c%c", "-cWLGT??"[shared->slots[i].state & 7],
               shared -> slots[i].state &MMF_SLOT_NUDGED ? '!' : ' ');
    if (shared->reserver != 0)
        printf("(by %llx)", (unsigned long long)shared->reserver);
}

static void
print_atomic(const struct thread *thread)
{
    size_t at = (size_t)((const volatile char *)thread->address -
                         (const volatile char *)world.shared);
    const char *field = "slot";

    switch (at % sizeof(world.shared[0])) {
    case offsetof(struct mmf_sync_shared, word):
        field = "word";
        break;
    case offsetof(struct mmf_sync_shared, reserver):
        field = "reserver";
        break;
    case offsetof(struct mmf_sync_shared, watch):
        field = "watch 1";
        break;
    case offsetof(struct mmf_sync_shared, watch) + 8:
        field = "watch 2";
        break;
    case offsetof(struct mmf_sync_shared, watch_epoch):
        field = "watch epoch";
        break;
    case offsetof(struct mmf_sync_shared, arrivals):
        field = "arrivals";
        break;
    case offsetof(struct mmf_sync_shared, slots_used):
        field = "slots used";
        break;
    case offsetof(struct mmf_sync_shared, recursion):
        field = "recursion";
        break;
    }
    printf("%s %s of %s", thread->operation, field,
           plan->objects[at / sizeof(world.shared[0])].name);
}

static void
print_choice(struct choice choice)
{
    const struct thread *thread = &world.threads[choice.thread < 0 ? 0 : choice.thread];

    if (choice.event == EVENT_TICK) {
        printf("        tick");
        return;
    }
    printf("    T%d  ", choice.thread + 1);
    if (choice.event == EVENT_KILL) {
        printf("killed");
        return;
    }
    switch (thread->step) {
    case STEP_CALL:
        printf("%s", call_name(&thread->next_call));
        break;
    case STEP_WAKE:
        printf("wake slot %d at %s", thread->step_slot,
               plan->objects[thread->step_object].name);
        break;
    case STEP_COMPARE:
        printf("futex of %s", plan->objects[thread->step_object].name);
        break;
    case STEP_COMPARE_EPOCH:
        printf("futex of the watch epoch of %s",
               plan->objects[thread->step_object].name);
        break;
    case STEP_WAKE_UP:
        printf("wake up");
        break;
    case STEP_ASK:
        printf("ask for the owner of %s", plan->objects[thread->step_object].name);
        break;
    default:
        print_atomic(thread);
    }
}

static void
print_after(struct choice choice)
{
    printf("   ");
    for (int i = 0; i < object_count; i++) {
        printf(" ");
        print_word(i);
    }
    if (choice.event == EVENT_STEP && world.threads[choice.thread].status == ASLEEP)
        printf("; asleep");
    if (has_outcome)
        printf("; answers %s, %d", mmf_status_name(last_outcome.status),
               last_outcome.value);
    printf("\n");
}

static void
print_end(void)
{
    spec_print(&world.spec);
}

int
explore(const struct scenario *scenario, struct counts *result)
{
    const struct search_world what = {
        .name = scenario->name,
        .keep = keep_state,
        .restore = restore_state,
        .list_choices = list_choices,
        .happen = happen,
        .is_over = is_over,
        .check_end = check_end,
        .print_choice = print_choice,
        .print_after = print_after,
        .print_end = print_end,
    };

    memset(result, 0, sizeof(*result));
    counts = result;
    start(scenario);
    return search(&what, &counts->search);
}
