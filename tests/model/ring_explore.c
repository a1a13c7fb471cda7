/*
 * ring_explore.c - see ring_explore.h.
 */
#include "ring_world.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coroutine.h"
#include "shared/ring/inner.h"
#include "shared/ring/join.h"
#include "shared/ring/latest.h"
#include "shared/ring/spsc.h"
#include "shared/ring/topic.h"

enum {
    FROM_SOURCE = 3,     /* messages of it */
    MOST_ALONE = 5000,   /* steps of one thread without an end of a call */
    MOST_PROBING = 50000 /* steps of the prober in the end */
};

struct world world;
const struct scenario *plan;
int thread_count;

static struct counts *counts;
static int got_on; /* in this step a call ended */

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

static void
stand_before(const char *operation, const volatile void *address)
{
    world.threads[current].operation = operation;
    world.threads[current].address = address;
    to_explorer();
}

/*
 * Steps.
 */

/* The field's offset in an entry of the tables; -1: it is in no entry. */
static int
offset_in(const struct mmf_participant_shared *table, const volatile void *address,
          int *number)
{
    const volatile char *from = (const volatile char *)table;
    ptrdiff_t at = (const volatile char *)address - from;

    if (at < 0 || at >= (ptrdiff_t)(MOST_CALLERS * sizeof(*table)))
        return -1;
    *number = (int)((size_t)at / sizeof(*table));
    return (int)((size_t)at % sizeof(*table));
}

/* No other thread can tell whether this was done before or after what others do. */
static int
is_own_business(const char *operation, const volatile void *address)
{
    const struct mmf_ring *ring = &world.rings[current];
    int number;
    int offset = offset_in(world.senders, address, &number);

    if (offset < 0 || (uint32_t)number != ring->sender) {
        offset = offset_in(world.receivers, address, &number);
        if (offset < 0 || (uint32_t)number + MMF_RECEIVERS_FROM != ring->receiver)
            return 0;
    }
    if (offset == offsetof(struct mmf_participant_shared, identity))
        return 0;
    return operation[0] == 'l' ||
           offset >= (int)offsetof(struct mmf_participant_shared, sent);
}

static jmp_buf probe_is_stuck;
static int probe_steps; /* left */

void
model_point(const char *operation, const volatile void *address)
{
    if (current < 0 && probe_steps > 0 && --probe_steps == 0)
        longjmp(probe_is_stuck, 1);
    if (current >= 0 && !is_own_business(operation, address))
        stand_before(operation, address);
}

/* Whether those that rest must try again. */
static int
changes_something(const struct thread *thread)
{
    int number;
    int offset;

    if (thread->operation[0] != 's' && thread->operation[0] != 'e' &&
        thread->operation[0] != 'a')
        return 0;
    offset = offset_in(world.senders, thread->address, &number);
    if (offset < 0)
        offset = offset_in(world.receivers, thread->address, &number);
    return offset < 0 || offset <= (int)offsetof(struct mmf_participant_shared, cursor);
}

static void
stir(int but)
{
    for (int i = 0; i < thread_count; i++) {
        if (i == but)
            continue;
        world.threads[i].changed = world.threads[i].tries;
        if (world.threads[i].status == RESTING)
            world.threads[i].status = READY;
    }
}

static void
run_thread(int thread)
{
    struct thread *self = &world.threads[thread];

    coroutine_run(thread, &self->stack);
    if (self->status == ENDED) {
        self->stack = NULL;
        got_on = 1;
    }
}

static void
step(int thread)
{
    struct thread *self = &world.threads[thread];
    int stirs = self->operation != NULL && changes_something(self);

    if (self->begins) {
        self->begins = 0;
        judge_begin(thread);
    }
    self->operation = NULL;
    self->address = NULL;
    run_thread(thread);
    if (stirs)
        stir(thread);
}

static void
kill_thread(int thread)
{
    struct mmf_ring *ring = &world.rings[thread];

    judge_kill(thread);
    memset(&world.threads[thread], 0, sizeof(world.threads[thread]));
    world.threads[thread].status = KILLED;
    memset(&ring->sender, 0, sizeof(*ring) - offsetof(struct mmf_ring, sender));
    world.kills_left--;
    stir(thread);
}

uint64_t
ticket_of(int thread)
{
    return (uint64_t)thread + 1;
}

int
is_alive(uint64_t ticket)
{
    return ticket == ticket_of(PROBER) || world.threads[ticket - 1].status != KILLED;
}

static int
is_ticket_alive(void *context, uint64_t ticket)
{
    (void)context;
    return is_alive(ticket);
}

static const struct mmf_ring_ops ops = {.is_alive = is_ticket_alive};

/*
 * What threads do.
 */

static struct thread *
self(void)
{
    return &world.threads[current];
}

static struct mmf_ring *
own_ring(void)
{
    return &world.rings[current];
}

static void
begin_call(enum call_kind kind)
{
    self()->call = (uint8_t)kind;
    self()->begins = 1;
}

static void
end_call(enum call_kind next)
{
    struct thread *thread = self();

    /* What is not needed any more would only make equal states look different. */
    thread->call = (uint8_t)next;
    thread->begins = 0;
    thread->tries = 0;
    thread->changed = 0;
    thread->was_full = 0;
    thread->was_there = 0;
    thread->message = 0;
    thread->drains = 0;
    thread->target = 0;
    thread->floor = 0;
    thread->has_floor = 0;
    memset(thread->seen, 0, sizeof(thread->seen));
    if (!own_ring()->has_reserved && own_ring()->out.ahead == 0)
        own_ring()->reserved = 0;
    got_on = 1;
}

/* Try for what is waited for; a change from now on is a reason to try again. */
static void
begin_attempt(void)
{
    self()->tries = 1;
    self()->changed = 0;
    self()->was_full = 0;
    self()->was_there = 0;
}

/* The two halves of a message, written and read with a step between them. */
static void
write_content(uint8_t *bytes, uint32_t number)
{
    volatile uint32_t *half = (volatile uint32_t *)(void *)bytes;

    half[0] = number;
    model_point("write", bytes);
    half[1] = ~number;
}

/* The message's number; UINT32_MAX: it is torn. */
static uint32_t
read_content(const struct mmf_ring_message *message)
{
    const volatile uint32_t *half =
        (const volatile uint32_t *)(const void *)message->bytes;
    uint32_t first;

    first = half[0];
    model_point("read", message->bytes);
    return message->length == 8 && half[1] == ~first ? first : UINT32_MAX;
}

static int
a_thread_died(void)
{
    return world.kills_left < plan->kills;
}

/* A subscriber at the reservation of a dead publisher. */
static int
step_over_dead(void)
{
    int has_stepped = 0;

    for (uint32_t i = 0; i < MOST_CALLERS; i++) {
        uint64_t identity = mmf_load_acquire_u64(&world.senders[i].identity);

        if (identity != 0 && !is_alive(mmf_ring_ticket(identity)))
            has_stepped |= mmf_ring_step_over(own_ring(), i, identity);
    }
    return has_stepped;
}

/* Check for the dead that may block the thread; 1: a dead one did. */
static int
recover_dead(int is_sending)
{
    int may_write_slots = plan->kind != MMF_KIND_TOPIC || is_sending;
    int cleared;

    /* If none is dead the answer does not matter; a kill makes the thread try again. */
    if (!a_thread_died())
        return 0;
    cleared = !may_write_slots && step_over_dead();
    return mmf_ring_recover_suspects(own_ring(), is_sending, may_write_slots, &ops) ||
           cleared;
}

/* An entry of the table is a dead one's. */
static int
has_dead_entry(const struct mmf_participant_shared *table)
{
    for (uint32_t i = 0; i < world.rings[0].shape.max_senders; i++) {
        if (table[i].identity != 0 && !is_alive(mmf_ring_ticket(table[i].identity)))
            return 1;
    }
    return 0;
}

static void
rest(void)
{
    if (self()->changed)
        return;
    self()->status = RESTING;
    got_on = 1;
    stand_before("rest", NULL);
}

static uint8_t *
reserve_waiting(int waits)
{
    uint8_t *bytes;

    for (;;) {
        enum mmf_step answer;

        begin_attempt();
        answer = mmf_ring_reserve(own_ring(), 8, &bytes);
        if (answer == MMF_STEP_DONE)
            return bytes;
        if (answer == MMF_STEP_CORRUPT)
            found("a sender finds the words corrupt");
        judge_full(current);
        if (recover_dead(1))
            continue;
        if (!waits)
            return NULL;
        self()->is_sender_waiting = 1;
        rest();
        self()->is_sender_waiting = 0;
    }
}

static struct message *
next_message(void)
{
    self()->sending = (uint8_t)(current * MOST_SENT + self()->sent++);
    return &world.messages[self()->sending];
}

static int
send_waiting(int waits)
{
    struct message *message = next_message();
    uint8_t *bytes;

    begin_call(CALL_RESERVE);
    bytes = reserve_waiting(waits);
    end_call(bytes == NULL ? CALL_NONE : CALL_WRITE);
    if (bytes == NULL)
        return 0;
    message->index = own_ring()->reserved;
    write_content(bytes, self()->sending);
    begin_call(CALL_COMMIT);
    message->sent = SENDING;
    mmf_ring_commit(own_ring(), 8);
    message->sent = SENT;
    end_call(CALL_NONE);
    return 1;
}

int
send(void)
{
    return send_waiting(1);
}

int
send_if_not_full(void)
{
    return send_waiting(0);
}

/* False: another thread commits for the source, or did since ours was reserved, or all of
 * it is there. */
static int
own_source(struct mmf_ring_source *source)
{
    enum mmf_step step;

    begin_call(CALL_OWN);
    step = mmf_ring_own_source(own_ring(), 1, &ops, source);
    if (step == MMF_STEP_CORRUPT)
        found("a sender finds its source corrupt");
    if (step == MMF_STEP_DONE)
        judge_owned(0, source->applied);
    if (step == MMF_STEP_DONE && source->applied < FROM_SOURCE) {
        end_call(CALL_WRITE);
        return 1;
    }
    mmf_ring_abandon(own_ring());
    end_call(CALL_NONE);
    return 0;
}

void
send_from(void)
{
    struct mmf_ring_source source;
    struct message *message;
    uint8_t *bytes;

    begin_call(CALL_RESERVE);
    bytes = reserve_waiting(1);
    end_call(CALL_WRITE);
    if (!own_source(&source))
        return;
    self()->sending = (uint8_t)source.applied;
    message = &world.messages[source.applied];
    message->index = own_ring()->reserved;
    message->has_source = 1;
    write_content(bytes, self()->sending);
    begin_call(CALL_COMMIT);
    message->sent = SENDING;
    mmf_ring_commit_from(own_ring(), 8, &source, source.applied + 1);
    message->sent = SENT;
    end_call(CALL_NONE);
}

void
ask(void)
{
    uint64_t applied;

    begin_call(CALL_ASK);
    if (mmf_ring_applied(own_ring(), 1, &ops, &applied) != MMF_STEP_DONE)
        found("a source is said to be corrupt");
    judge_answer(current, 0, applied);
    end_call(CALL_NONE);
}

void
reserve_and_abandon(void)
{
    uint8_t *bytes;

    begin_call(CALL_RESERVE);
    bytes = reserve_waiting(1);
    end_call(CALL_WRITE);
    write_content(bytes, UINT32_MAX);
    begin_call(CALL_ABANDON);
    mmf_ring_abandon(own_ring());
    end_call(CALL_NONE);
}

void
drain(void)
{
    uint64_t position = 0;
    uint64_t target;

    begin_call(CALL_DRAIN);
    target = mmf_ring_tail(own_ring());
    self()->target = target & MMF_INDEX_MASK;
    for (;;) {
        begin_attempt();
        if (mmf_ring_is_drained(own_ring(), target, &position))
            break;
        if (!recover_dead(1))
            rest();
    }
    if (!is_drained(current))
        found("a queue is said to be drained, and is not");
    end_call(CALL_NONE);
}

/* Without `message` it is a look in place. */
static enum mmf_step
take_or_inspect(struct mmf_ring_message *message)
{
    if (message != NULL)
        return mmf_ring_take(own_ring(), message);
    return mmf_ring_has_message(own_ring()) ? MMF_STEP_DONE : MMF_STEP_WOULD_BLOCK;
}

static int
take_once(struct mmf_ring_message *message)
{
    struct mmf_ring *ring = own_ring();

    for (int dead_checked = 0;;) {
        uint64_t seen;
        enum mmf_step answer = take_or_inspect(message);

        if (answer == MMF_STEP_CORRUPT)
            found("a consumer finds the words corrupt");
        if (answer == MMF_STEP_DONE)
            return 1;
        seen = ring->seen_return_epoch;
        if (dead_checked || plan->is_spsc)
            return 0;
        mmf_ring_rescan_returned(ring);
        if (seen == ring->seen_return_epoch)
            return 0;
        dead_checked = 1;
    }
}

static int
take_waiting(int waits, uint64_t *index)
{
    struct mmf_ring_message message;

    begin_call(CALL_TAKE);
    for (;;) {
        begin_attempt();
        if (take_once(&message))
            break;
        if (recover_dead(0))
            continue;
        if (!waits) {
            end_call(CALL_HOLD);
            return 0;
        }
        rest();
    }
    *index = message.index;
    judge_taken(current, &message, *(const uint32_t *)(const void *)message.bytes);
    end_call(CALL_HOLD);
    if (read_content(&message) != *(const uint32_t *)(const void *)message.bytes)
        found("a taken message is torn");
    return 1;
}

uint64_t
take(void)
{
    uint64_t index;

    take_waiting(1, &index);
    return index;
}

int
take_if_there(uint64_t *index)
{
    return take_waiting(0, index);
}

void
inspect(void)
{
    begin_call(CALL_INSPECT);
    for (;;) {
        begin_attempt();
        if (take_once(NULL))
            break;
        if (!recover_dead(0))
            rest();
    }
    judge_seen(current);
    end_call(CALL_HOLD);
}

static uint8_t
message_of(int thread, uint64_t index)
{
    for (int i = 0; i < MOST_MESSAGES; i++) {
        if (world.messages[i].holder == thread + 1 && world.messages[i].index == index)
            return (uint8_t)i;
    }
    found("a message without an owner is released");
    return 0;
}

void
release(uint64_t index)
{
    self()->message = message_of(current, index);
    begin_call(CALL_RELEASE);
    if (!mmf_ring_release(own_ring(), index))
        found("a message was taken from a living consumer");
    world.messages[self()->message].holder = 0;
    world.messages[self()->message].released = 2;
    end_call(CALL_HOLD);
}

void
return_message(uint64_t index)
{
    self()->message = message_of(current, index);
    world.messages[self()->message].holder = 0;
    world.messages[self()->message].may_return = 1;
    begin_call(CALL_RETURN);
    if (!mmf_ring_return(own_ring(), index))
        found("a message was taken from a living consumer");
    end_call(CALL_HOLD);
}

void
begin_late(void)
{
    mmf_ring_begin(own_ring());
}

void
lag_behind(void)
{
    if (own_ring()->deferred_count != 0)
        return; /* it has been there */
    own_ring()->cursor -= 2 * plan->slots;
    own_ring()->cursor &= MMF_INDEX_MASK;
}

void
succeed(void)
{
    for (;;) {
        begin_attempt();
        if (mmf_ring_join_receiver(own_ring(), true, &ops) == MMF_STEP_DONE)
            return;
        if (!self()->changed && has_dead_entry(world.receivers))
            found("a consumer does not get the entry of a dead one");
        rest();
    }
}

void
succeed_single(void)
{
    for (;;) {
        begin_attempt();
        if (!is_alive(ticket_of(1)))
            break;
        rest();
    }
    mmf_ring_spsc_begin_taking(own_ring());
    world.consumer = current;
}

void
succeed_single_producer(void)
{
    for (;;) {
        begin_attempt();
        if (mmf_ring_join_sender(own_ring(), &ops) == MMF_STEP_DONE)
            break;
        rest();
    }
    world.producer = current;
}

/* A replay may skip what was there before it, and nothing that is still to come. */
static uint64_t
last_skipped(uint64_t replay)
{
    uint64_t last =
        world.shared.tail - (replay < plan->slots ? replay : plan->slots) - 1;
    uint64_t cursor = own_ring()->cursor;

    if (mmf_index_difference(last, cursor) >= 0)
        last = cursor - 1;
    for (int i = 0; i < MOST_MESSAGES; i++) {
        const struct message *message = &world.messages[i];

        if (message->sent != NOT_SENT &&
            mmf_index_difference(message->index, cursor) < 0 &&
            mmf_index_difference(message->index, last) > 0)
            last = message->index;
    }
    return last & MMF_INDEX_MASK;
}

void
subscribe(uint64_t replay)
{
    mmf_ring_subscribe(own_ring(), replay);
    self()->last = last_skipped(replay);
    self()->joined = world.shared.tail & MMF_INDEX_MASK;
    self()->has_subscribed = 1;
    got_on = 1;
}

static int
receive_waiting(int waits)
{
    struct mmf_ring *ring = own_ring();
    struct mmf_ring_message message;

    begin_call(CALL_READ);
    for (int times = 1;;) {
        enum mmf_step answer;
        uint32_t content;

        begin_attempt();
        answer = mmf_ring_next(ring, &message);
        if (answer == MMF_STEP_CORRUPT)
            found("a subscriber finds the words corrupt");
        if (answer == MMF_STEP_WOULD_BLOCK) {
            if (recover_dead(0))
                continue;
            if (!waits) {
                end_call(CALL_NONE);
                return 0;
            }
            rest();
            continue;
        }
        content = read_content(&message);
        if (!mmf_ring_still_valid(ring, message.index)) {
            if (plan->overflow != MMF_OVERFLOW_DROP_OLDEST &&
                mmf_index_difference(message.index, self()->joined) >= 0)
                found("publishers that wait have overwritten a message");
            mmf_ring_overtaken(ring, times);
            times = 2;
            continue;
        }
        judge_received(current, &message, content);
        mmf_ring_advance(ring);
        self()->last = message.index;
        end_call(CALL_NONE);
        return 1;
    }
}

void
receive(void)
{
    receive_waiting(1);
}

void
receive_if_there(void)
{
    receive_waiting(0);
}

void
write_value(void)
{
    if (!send_waiting(0))
        found("a writer is held up");
}

static void
note_read(const struct mmf_ring_message *message, uint32_t content)
{
    judge_read(current, message, content);
    self()->last = message->index;
    self()->has_read = 1;
}

static int
try_read(void)
{
    struct mmf_ring_read seen;
    uint32_t content;

    if (!mmf_ring_try_read(own_ring(), &seen))
        return 0;
    content = read_content(&seen.message);
    if (!mmf_ring_read_still_valid(&seen))
        return 0;
    note_read(&seen.message, content);
    return 1;
}

void
read_value(void)
{
    struct mmf_ring *ring = own_ring();
    struct mmf_ring_message message;

    begin_call(CALL_READ);
    if (try_read()) {
        end_call(CALL_NONE);
        return;
    }
    for (;;) {
        enum mmf_step answer = mmf_ring_newest(ring, &message);
        uint32_t content;

        if (answer == MMF_STEP_CORRUPT)
            found("a reader finds the words corrupt");
        if (answer == MMF_STEP_WOULD_BLOCK) {
            if (self()->has_floor || self()->has_read)
                found("a value has gone");
            break;
        }
        content = read_content(&message);
        if (!mmf_ring_still_valid(ring, message.index))
            continue;
        note_read(&message, content);
        break;
    }
    end_call(CALL_NONE);
}

static int
has_a_dead_one_a_pin(void)
{
    for (uint32_t i = 0; i < plan->pins; i++) {
        uint32_t number = mmf_word_participant(world.pins[i]);

        if (number != 0 && !is_alive(ticket_of((int)number - 1)))
            return 1;
    }
    return 0;
}

/* 0: it is gone, or there is no pin even after a dead reader's was freed. */
static int
pin_and_read(const struct mmf_ring_message *message, enum mmf_step *step)
{
    struct mmf_ring *ring = own_ring();
    uint32_t content;

    begin_attempt();
    *step = mmf_ring_pin(ring, message->index);
    if (*step == MMF_STEP_WOULD_BLOCK && recover_dead(0))
        *step = mmf_ring_pin(ring, message->index);
    if (*step == MMF_STEP_WOULD_BLOCK && !self()->changed && has_a_dead_one_a_pin())
        found("a dead reader's pin is not recovered");
    if (*step != MMF_STEP_DONE)
        return 0;
    content = read_content(message);
    if (content != read_content(message) || content == UINT32_MAX)
        found("a pinned message was overwritten");
    if (plan->kind == MMF_KIND_TOPIC)
        judge_received(current, message, content);
    else
        note_read(message, content);
    mmf_ring_unpin(ring);
    return 1;
}

void
pin_value(void)
{
    struct mmf_ring_message message;
    enum mmf_step step;

    begin_call(CALL_READ);
    do {
        if (mmf_ring_newest(own_ring(), &message) != MMF_STEP_DONE)
            break;
        pin_and_read(&message, &step);
    } while (step == MMF_STEP_AGAIN);
    end_call(CALL_NONE);
}

void
pin_message(void)
{
    struct mmf_ring *ring = own_ring();
    struct mmf_ring_message message;
    enum mmf_step step;

    begin_call(CALL_READ);
    do {
        if (mmf_ring_next(ring, &message) != MMF_STEP_DONE)
            break;
        if (pin_and_read(&message, &step)) {
            mmf_ring_advance(ring);
            self()->last = message.index;
        } else if (step == MMF_STEP_AGAIN) {
            mmf_ring_overtaken(ring, 1);
        }
    } while (step == MMF_STEP_AGAIN);
    end_call(CALL_NONE);
}

/*
 * The end: a process that was not there recovers the dead, and takes what is left.
 */

static void
recover_all(struct mmf_ring *ring)
{
    mmf_ring_recover_all(ring, 0, ring->shape.max_senders, true, &ops);
    mmf_ring_recover_all(ring, MMF_RECEIVERS_FROM, ring->shape.max_receivers, true,
                         &ops);
    if (has_dead_entry(world.senders) || has_dead_entry(world.receivers))
        found("in the end an entry is a dead participant's");
}

/* What is applied of the source is what was sent. */
static void
probe_source(struct mmf_ring *ring)
{
    uint64_t applied;

    if (mmf_ring_applied(ring, 1, &ops, &applied) != MMF_STEP_DONE)
        found("in the end a source is said to be corrupt");
    if (world.shared.sources[0].source != 0)
        judge_owned(0, applied);
}

static void
probe_take_all(struct mmf_ring *ring)
{
    struct mmf_ring_message message;
    struct message *taken;

    while (failure == NULL && mmf_ring_take(ring, &message) == MMF_STEP_DONE) {
        judge_taken(PROBER, &message, *(const uint32_t *)(const void *)message.bytes);
        if (failure != NULL)
            return;
        taken = &world.messages[message_of(PROBER, message.index)];
        taken->holder = 0;
        taken->released = 2;
        if (!mmf_ring_release(ring, message.index))
            found("the last consumer does not have what it took");
    }
}

static int
probe_send(struct mmf_ring *ring, int often)
{
    struct message *message = &world.messages[PROBER * MOST_SENT + often % MOST_SENT];
    uint8_t *bytes;

    if (mmf_ring_reserve(ring, 8, &bytes) != MMF_STEP_DONE)
        return 0;
    memset(message, 0, sizeof(*message));
    message->index = ring->reserved;
    ((uint32_t *)(void *)bytes)[0] = (uint32_t)(message - world.messages);
    ((uint32_t *)(void *)bytes)[1] = ~(uint32_t)(message - world.messages);
    mmf_ring_commit(ring, 8);
    message->sent = SENT;
    return 1;
}

static int
count_in_hand(void)
{
    int in_hand = 0;

    if (plan->is_spsc)
        return (int)mmf_index_difference(world.shared.tail, world.shared.head);
    for (uint64_t i = 0; i < plan->slots; i++) {
        enum mmf_slot_state state = mmf_word_state(world.slots[i].word);

        in_hand += state == MMF_SLOT_RESERVED || state == MMF_SLOT_TAKEN ||
                   state == MMF_SLOT_REDELIVERED;
    }
    return in_hand;
}

/* All slots that no living thread owns are good for a message each. */
static void
probe_slots(struct mmf_ring *ring)
{
    int slots = (int)plan->slots - count_in_hand();

    for (int i = 0; i < slots; i++) {
        world.taken[PROBER] = 0;
        if (!probe_send(ring, i)) {
            found("in the end a free slot is of no use");
            return;
        }
    }
    probe_take_all(ring);
    for (int i = 0; i < slots; i++) {
        if (world.messages[PROBER * MOST_SENT + i].released != 2)
            found("in the end a message does not come through");
    }
}

static void
probe_queue(struct mmf_ring *ring)
{
    mmf_ring_begin(ring);
    probe_take_all(ring);
    if (failure == NULL)
        judge_end();
    if (failure == NULL)
        probe_slots(ring);
}

/* Before it there may be one whose publisher died before it moved the tail. */
static int
probe_receive(struct mmf_ring *ring, uint64_t index)
{
    struct mmf_ring_message message;

    while (mmf_ring_next(ring, &message) == MMF_STEP_DONE) {
        if (message.index == index)
            return 1;
        mmf_ring_advance(ring);
    }
    return 0;
}

static void
probe_topic(struct mmf_ring *ring)
{
    int sent;

    judge_end();
    mmf_ring_subscribe(ring, 0);
    sent = probe_send(ring, 0);
    if (!sent && plan->overflow == MMF_OVERFLOW_DROP_OLDEST)
        found("in the end a publisher is held up");
    if (sent && !probe_receive(ring, world.messages[PROBER * MOST_SENT].index))
        found("in the end a message does not come through");
}

static void
probe_latest(struct mmf_ring *ring)
{
    struct mmf_ring_message message;

    for (int i = 0; i < PROBES && failure == NULL; i++) {
        if (i > 0 && !probe_send(ring, i))
            found("in the end a writer is held up");
        judge_begin(PROBER);
        if (mmf_ring_newest(ring, &message) == MMF_STEP_DONE)
            judge_read(PROBER, &message,
                       *(const uint32_t *)(const void *)message.bytes);
        else if (world.threads[PROBER].has_floor)
            found("in the end the value is gone");
    }
}

/* SPSC: the living one's ring is as good; or one that joins. */
static void
probe_spsc(struct mmf_ring *ring)
{
    int consumer = world.consumer;

    if (is_alive(ticket_of(world.producer)))
        ring->out = world.rings[world.producer].out;
    else if (mmf_ring_join_sender(ring, &ops) != MMF_STEP_DONE)
        found("in the end no producer can join");
    if (is_alive(ticket_of(consumer))) {
        struct mmf_ring *its = &world.rings[consumer];

        for (uint64_t i = world.shared.head; i != its->cursor;
             i = (i + 1) & MMF_INDEX_MASK) {
            struct message *held = &world.messages[message_of(consumer, i)];

            held->holder = 0;
            held->released = 2;
            if (!mmf_ring_release(its, i))
                found("the consumer does not have what it took");
        }
        ring->cursor = its->cursor;
        ring->redelivered_until = its->redelivered_until;
        ring->in = its->in;
    } else {
        mmf_ring_spsc_begin_taking(ring);
    }
    probe_take_all(ring);
    if (failure == NULL)
        judge_end();
    if (failure == NULL)
        probe_slots(ring);
}

/* No thread goes on, so none has a pin. */
static void
judge_pins(const struct mmf_ring *ring)
{
    if (mmf_ring_count_pins(ring) != 0)
        found("in the end a pin is in use");
}

/* Each consumer that goes on has an entry of its own. */
static void
judge_entries(void)
{
    for (int i = 0; i < thread_count && !plan->is_spsc; i++) {
        const struct mmf_ring *ring = &world.rings[i];

        if (world.threads[i].status != KILLED &&
            ring->receiving->identity != ring->identity)
            found("in the end a consumer's entry is another's");
    }
}

/* The dead have been recovered: what they owned first, their entries last. */
static void
judge_owners(const struct mmf_ring *ring)
{
    for (uint64_t i = 0; i < plan->slots && !plan->is_spsc; i++) {
        uint64_t word = mmf_ring_slot(ring, i)->word;
        uint32_t owner = mmf_word_participant(word);

        if (mmf_word_is_owned(word) && mmf_ring_participant(ring, owner)->identity == 0)
            found("in the end a slot is owned by a participant that has gone");
    }
}

static void
check_end(void)
{
    static struct world before;
    struct mmf_ring ring = world.rings[PROBER];

    counts->ends++;
    before = world;
    if (setjmp(probe_is_stuck) != 0) {
        found("the last prober does not get on");
        world = before;
        return;
    }
    probe_steps = MOST_PROBING;
    probe_source(&ring);
    recover_all(&ring);
    judge_pins(&ring);
    judge_owners(&ring);
    judge_entries();
    switch (plan->kind) {
    case MMF_KIND_QUEUE:
        if (plan->is_spsc)
            probe_spsc(&ring);
        else
            probe_queue(&ring);
        break;
    case MMF_KIND_TOPIC:
        probe_topic(&ring);
        break;
    default:
        probe_latest(&ring);
    }
    probe_steps = 0;
    world = before;
}

/*
 * States.
 */

/* Parts of the world that a step can change; the rest is as it was at the start. */
struct part {
    void *bytes;
    size_t size;
};

static struct part parts[13 + 4 * MOST_THREADS + 2 * MOST_SLOTS];
static int part_count;

static void
add_part(void *bytes, size_t size)
{
    parts[part_count++] = (struct part){bytes, size};
}

static void
list_parts(void)
{
    part_count = 0;
    add_part(&world.shared.tail, 8);
    add_part(&world.shared.skipped, 8);
    add_part(&world.shared.head, 16);
    add_part(&world.shared.newest_at_least, 24);
    add_part(&world.shared.retired_sent, 40);
    add_part(world.taken, sizeof(world.taken));
    add_part(&world.kills_left, sizeof(world.kills_left));
    add_part(&world.taker_died, sizeof(world.taker_died));
    add_part(&world.consumer, sizeof(world.consumer));
    add_part(&world.producer, sizeof(world.producer));
    add_part(world.shared.sources, sizeof(world.shared.sources));
    if (plan->pins > 0)
        add_part(world.pins, plan->pins * sizeof(world.pins[0]));
    add_part(world.messages, (size_t)thread_count * MOST_SENT * sizeof(struct message));
    for (int i = 0; i < thread_count; i++) {
        struct mmf_ring *ring = &world.rings[i];

        add_part(&world.senders[i], 64);
        add_part(&world.receivers[i], 64);
        add_part(&world.threads[i], sizeof(world.threads[i]));
        add_part(&ring->sender, sizeof(*ring) - offsetof(struct mmf_ring, sender));
    }
    for (uint64_t i = 0; i < plan->slots; i++) {
        add_part(world.slots[i].payload, 8);
        add_part(&world.slots[i].length, 16);
    }
}

static void
keep_state(void)
{
    for (int i = 0; i < part_count; i++)
        search_keep(parts[i].bytes, parts[i].size);
    for (int i = 0; i < thread_count; i++) {
        const void *stack = world.threads[i].stack;

        if (stack != NULL)
            search_keep(stack, coroutine_stack_size(i, stack));
    }
}

static void
restore_state(void)
{
    for (int i = 0; i < part_count; i++)
        search_restore(parts[i].bytes, parts[i].size);
    for (int i = 0; i < thread_count; i++) {
        void *stack = world.threads[i].stack;

        if (stack != NULL)
            search_restore(stack, coroutine_stack_size(i, stack));
    }
}

/*
 * What can happen.
 */

static int
list_choices(struct choice *choices)
{
    int count = 0;

    for (int i = 0; i < thread_count; i++) {
        if (world.threads[i].status == READY)
            choices[count++] = (struct choice){EVENT_STEP, (int8_t)i, 0};
    }
    for (int i = 0; i < thread_count && world.kills_left > 0; i++) {
        if (world.threads[i].status != KILLED)
            choices[count++] = (struct choice){EVENT_KILL, (int8_t)i, 0};
    }
    return count;
}

static int
is_over(void)
{
    for (int i = 0; i < thread_count; i++) {
        if (world.threads[i].status == READY)
            return 0;
    }
    return 1;
}

static void
happen(struct choice choice)
{
    if (choice.event == EVENT_KILL)
        kill_thread(choice.thread);
    else
        step(choice.thread);
    judge_resting();
}

/* Back in a state on the way here: does the thread get on if all others stand? */
static void
run_alone(struct choice by)
{
    if (by.event == EVENT_KILL)
        return;
    got_on = 0;
    for (int i = 0; i < MOST_ALONE && !got_on && failure == NULL; i++)
        step(by.thread);
    if (!got_on)
        found("a thread that runs alone does not get on");
}

/*
 * The begin.
 */

static void
prepare_ring(int caller)
{
    struct mmf_ring *ring = &world.rings[caller];
    uint64_t first = plan->first == 0 ? MMF_INDEX_FIRST : plan->first;

    ring->shape.kind = plan->kind;
    ring->shape.is_spsc = plan->is_spsc;
    ring->shape.is_single_producer = plan->is_single_producer;
    ring->shape.max_pins = plan->pins;
    ring->pins = world.pins;
    ring->shape.overflow = plan->overflow;
    ring->shape.slots = plan->slots;
    ring->shape.stride = sizeof(struct mmf_slot_shared);
    ring->shape.message_size = 8;
    ring->shape.max_senders = plan->is_spsc ? 1 : MOST_CALLERS;
    ring->shape.max_receivers = ring->shape.max_senders;
    ring->shared = &world.shared;
    ring->senders = world.senders;
    ring->receivers = world.receivers;
    ring->slots = (uint8_t *)world.slots;
    ring->slots_end = ring->slots + plan->slots * sizeof(struct mmf_slot_shared);
    ring->identity = ticket_of(caller) << MMF_IDENTITY_HANDLE_BITS | 1;
    mmf_ring_be_sender(ring, plan->is_spsc ? 0 : (uint32_t)caller);
    mmf_ring_be_receiver(ring, MMF_RECEIVERS_FROM + ring->sender);
    ring->min_cursor = (first - plan->slots) & MMF_INDEX_MASK;
    ring->free_at = first;
    ring->cursor = first;
    ring->scanned = 0; /* nothing was skipped */
    if (plan->is_spsc) {
        mmf_ring_spsc_begin_sending(ring);
        mmf_ring_spsc_begin_taking(ring);
    }
}

static void
start(const struct scenario *scenario)
{
    plan = scenario;
    memset(&world, 0, sizeof(world));
    mmf_ring_init(&world.shared, plan->first == 0 ? MMF_INDEX_FIRST : plan->first);
    world.kills_left = plan->kills;
    world.consumer = 1;
    thread_count = 0;
    while (thread_count < MOST_THREADS && plan->threads[thread_count] != NULL)
        thread_count++;
    for (int i = 0; i < MOST_CALLERS; i++) {
        prepare_ring(i);
        world.senders[i].identity = world.rings[i].identity;
        world.receivers[i].identity = world.rings[i].identity;
    }
    if (plan->is_spsc) {
        world.receivers[0].identity = world.rings[1].identity;
        world.senders[0].cursor = world.shared.tail;
        world.receivers[0].cursor = world.shared.head;
    }
    for (int i = 0; i < thread_count; i++) {
        world.threads[i].stack = coroutine_begin(i, run_body);
        run_thread(i); /* up to its first step */
    }
    list_parts();
}

/*
 * Telling what was found.
 */

static void
print_address(const volatile void *address)
{
    const volatile char *at = address;
    int number;
    int offset = offset_in(world.senders, address, &number);
    static const char *const fields[] = {"identity", "cursor",  "held", "sent",
                                         "received", "dropped", "lost", "redelivered"};

    if (offset >= 0) {
        printf("%s of sender %d", fields[offset / 8], number);
        return;
    }
    offset = offset_in(world.receivers, address, &number);
    if (offset >= 0) {
        printf("%s of receiver %d", fields[offset / 8], number);
        return;
    }
    if (at >= (char *)world.slots && at < (char *)(world.slots + MOST_SLOTS)) {
        number = (int)((at - (char *)world.slots) / (int)sizeof(world.slots[0]));
        printf("%s of slot %d",
               at == (char *)&world.slots[number].word ? "word" : "payload", number);
        return;
    }
    for (int i = 0; i < MOST_PINS; i++) {
        if (address == &world.pins[i]) {
            printf("pin %d", i);
            return;
        }
    }
    if (at >= (char *)world.shared.sources && at < (char *)(&world.shared + 1)) {
        number = (int)(at - (char *)world.shared.sources);
        printf("word %d of source %d", number % 64 / 8, number / 64);
        return;
    }
    if (address == &world.shared.tail)
        printf("tail");
    else if (address == &world.shared.skipped)
        printf("skipped");
    else if (address == &world.shared.head)
        printf("head");
    else if (address == &world.shared.taken)
        printf("taken");
    else if (address == &world.shared.newest_at_least)
        printf("newest");
    else if (address == &world.shared.subscribers)
        printf("subscribers");
    else if (address == &world.shared.return_epoch)
        printf("returned");
    else
        printf("+%d", (int)(at - (char *)&world.shared));
}

static void
print_word(uint64_t word)
{
    static const char *const names[] = {"released", "reserved",    "committed", "taken",
                                        "returned", "redelivered", "?",         "?"};

    if (word == 0)
        printf(" -");
    else
        printf(" %llx.%s%s%d", (unsigned long long)mmf_word_index(word),
               names[mmf_word_state(word)],
               mmf_word_participant(word) >= MMF_RECEIVERS_FROM ? "/r" : "/s",
               (int)(mmf_word_participant(word) % MMF_RECEIVERS_FROM));
}

static void
print_choice(struct choice choice)
{
    const struct thread *thread = &world.threads[choice.thread];

    printf("    T%d  ", choice.thread + 1);
    if (choice.event == EVENT_KILL) {
        printf("killed");
        return;
    }
    printf("%s ", thread->operation != NULL ? thread->operation : "begin");
    if (thread->address != NULL)
        print_address(thread->address);
}

static void
print_after(struct choice choice)
{
    printf("    tail %llx+%d, head %llx, newest %llx:",
           (unsigned long long)(world.shared.tail & MMF_INDEX_MASK),
           (int)(world.shared.tail >> 48), (unsigned long long)world.shared.head,
           (unsigned long long)world.shared.newest_at_least);
    for (uint64_t j = 0; j < plan->slots; j++)
        print_word(world.slots[j].word);
    printf("%s\n", world.threads[choice.thread].status == RESTING ? "; rests" : "");
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
        .came_back = run_alone,
        .print_choice = print_choice,
        .print_after = print_after,
    };

    memset(result, 0, sizeof(*result));
    counts = result;
    start(scenario);
    return search(&what, &counts->search);
}
