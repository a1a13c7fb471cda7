/*
 * ring_explore.c - see ring_explore.h. Coroutines and the search are explore.c's.
 */
#include "ring_world.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/ring_latest.h"
#include "shared/ring_single.h"

enum {
    STACK_SIZE = 16384,
    STACK_CLEARED = 6144, /* below the part in use: no rest of what was there before */
    MOST_CHOICES = 2 * MOST_THREADS,
    MOST_ALONE = 5000,    /* steps of one thread without an end of a call */
    MOST_PROBING = 50000, /* steps of the one who looks in the end */
    MOST_KNOWN = 12000000 /* states; a third of a gigabyte */
};

struct world world;
const struct scenario *plan;
int thread_count;

static unsigned char stacks[MOST_THREADS][STACK_SIZE] __attribute__((aligned(64)));
static int current = -1; /* the running thread; -1: the explorer */
static void *explorer_stack;
static struct counts *counts;
static const char *failure; /* what has been found */
static int got_on;          /* in this step a call ended */

void
found(const char *what)
{
    if (failure == NULL)
        failure = what;
}

/*
 * Coroutines. Registers that a call must keep are on the stack while a thread stands,
 * so that the stack is all there is to keep of it.
 */

void ring_model_switch(void **from, void *to);

__asm__(".text\n"
        ".globl ring_model_switch\n"
        ".hidden ring_model_switch\n"
        ".type ring_model_switch, @function\n"
        "ring_model_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size ring_model_switch, . - ring_model_switch\n");

static void run_body(void);

/* A stack on which the switch returns into run_body. */
static void *
new_stack(int thread)
{
    void **top = (void **)(void *)(stacks[thread] + STACK_SIZE);
    void (*begin)(void) = run_body;

    memset(stacks[thread], 0, STACK_SIZE);
    memcpy(&top[-2], &begin, sizeof(begin));
    return &top[-8];
}

static void
to_explorer(void)
{
    ring_model_switch(&world.threads[current].stack, explorer_stack);
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

/* The field's place in an entry of the tables; -1: it is in none. */
static int
place_in(const struct mmf_participant_shared *table, const volatile void *address,
         int *number)
{
    const volatile char *from = (const volatile char *)table;
    ptrdiff_t at = (const volatile char *)address - from;

    if (at < 0 || at >= (ptrdiff_t)(MOST_CALLERS * sizeof(*table)))
        return -1;
    *number = (int)((size_t)at / sizeof(*table));
    return (int)((size_t)at % sizeof(*table));
}

/* Nobody else can tell whether this was done before or after what others do. */
static int
is_own_business(const char *operation, const volatile void *address)
{
    const struct mmf_ring *ring = &world.rings[current];
    int number;
    int place = place_in(world.senders, address, &number);

    if (place < 0 || (uint32_t)number != ring->sender) {
        place = place_in(world.receivers, address, &number);
        if (place < 0 || (uint32_t)number + MMF_RECEIVERS_FROM != ring->receiver)
            return 0;
    }
    if (place == offsetof(struct mmf_participant_shared, identity))
        return 0;
    return operation[0] == 'l' ||
           place >= (int)offsetof(struct mmf_participant_shared, sent);
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

/* Whether those who rest must look again. */
static int
changes_something(const struct thread *thread)
{
    int number;
    int place;

    if (thread->operation[0] != 's' && thread->operation[0] != 'e' &&
        thread->operation[0] != 'a')
        return 0;
    place = place_in(world.senders, thread->address, &number);
    if (place < 0)
        place = place_in(world.receivers, thread->address, &number);
    return place < 0 || place <= (int)offsetof(struct mmf_participant_shared, cursor);
}

static void
stir(int but)
{
    for (int i = 0; i < thread_count; i++) {
        if (i == but)
            continue;
        world.threads[i].changed = world.threads[i].looks;
        if (world.threads[i].status == RESTING)
            world.threads[i].status = READY;
    }
}

static void
run_thread(int thread)
{
    struct thread *self = &world.threads[thread];
    unsigned char *used;
    size_t room;

    current = thread;
    ring_model_switch(&explorer_stack, self->stack);
    current = -1;
    used = self->stack;
    room = (size_t)(used - stacks[thread]);
    if (used < stacks[thread] + 1024) {
        fprintf(stderr, "model: a stack is too small\n");
        exit(EXIT_FAILURE);
    }
    if (room > STACK_CLEARED)
        room = STACK_CLEARED;
    memset(used - room, 0, room);
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
    thread->looks = 0;
    thread->changed = 0;
    thread->message = 0;
    thread->floor = 0;
    thread->has_floor = 0;
    memset(thread->seen, 0, sizeof(thread->seen));
    if (!own_ring()->has_reserved)
        own_ring()->reserved = 0;
    got_on = 1;
}

/* Look for what is waited for; a change from now on is a reason to look again. */
static void
begin_look(void)
{
    self()->looks = 1;
    self()->changed = 0;
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
somebody_died(void)
{
    return world.kills_left < plan->kills;
}

/* Ask after those who may hold us up; 1: somebody dead did. */
static int
clear_up_dead(int is_sending)
{
    struct mmf_ring *ring = own_ring();
    uint32_t numbers[2 * MOST_CALLERS];
    uint32_t count;
    int cleared = 0;

    /* Without anybody dead the answer does not matter; a kill makes us look again. */
    if (!somebody_died())
        return 0;
    count = mmf_ring_suspects(ring, is_sending, numbers, 2 * MOST_CALLERS);
    for (uint32_t i = 0; i < count; i++) {
        struct mmf_participant_shared *entry = mmf_ring_participant(ring, numbers[i]);
        uint64_t identity = mmf_load_acquire_u64(&entry->identity);

        if (identity == 0 || is_alive(mmf_ring_ticket(identity)))
            continue;
        if (plan->kind == MMF_RING_TOPIC && !is_sending &&
            numbers[i] < MMF_RECEIVERS_FROM) {
            cleared |= mmf_ring_step_over(ring, numbers[i], identity);
        } else {
            mmf_ring_clear_up(ring, numbers[i], identity,
                              plan->kind != MMF_RING_TOPIC || is_sending);
            cleared = 1;
        }
    }
    return cleared;
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
        enum mmf_ring_answer answer;

        begin_look();
        answer = mmf_ring_reserve(own_ring(), 8, &bytes);
        if (answer == MMF_RING_DONE)
            return bytes;
        if (answer == MMF_RING_CORRUPT)
            found("a sender finds the words corrupt");
        if (clear_up_dead(1))
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

static int
take_once(struct mmf_ring_message *message)
{
    struct mmf_ring *ring = own_ring();

    for (int looked = 0;;) {
        uint64_t seen;
        enum mmf_ring_answer answer = mmf_ring_take(ring, message);

        if (answer == MMF_RING_CORRUPT)
            found("a consumer finds the words corrupt");
        if (answer == MMF_RING_DONE)
            return 1;
        seen = ring->seen_returned;
        if (looked || plan->kind == MMF_RING_SINGLE)
            return 0;
        mmf_ring_look_for_returned(ring);
        if (seen == ring->seen_returned)
            return 0;
        looked = 1;
    }
}

static int
take_waiting(int waits, uint64_t *index)
{
    struct mmf_ring_message message;

    begin_call(CALL_TAKE);
    for (;;) {
        begin_look();
        if (take_once(&message))
            break;
        if (clear_up_dead(0))
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
        found("a message in hand is torn");
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

static uint8_t
message_of(int thread, uint64_t index)
{
    for (int i = 0; i < MOST_MESSAGES; i++) {
        if (world.messages[i].holder == thread + 1 && world.messages[i].index == index)
            return (uint8_t)i;
    }
    found("a message that nobody has is released");
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
hand_on(uint64_t index)
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
    if (own_ring()->passed_count != 0)
        return; /* it has been there */
    own_ring()->cursor -= 2 * plan->cells;
    own_ring()->cursor &= MMF_INDEX_MASK;
}

void
succeed(void)
{
    struct mmf_ring *ring = own_ring();

    for (;;) {
        begin_look();
        for (uint32_t i = 0; i < MOST_THREADS; i++) {
            uint32_t number = i + MMF_RECEIVERS_FROM;
            struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
            uint64_t identity = mmf_load_acquire_u64(&entry->identity);

            if (identity != 0 && is_alive(mmf_ring_ticket(identity)))
                continue;
            if (identity != 0)
                mmf_ring_clear_up(ring, number, identity, 1);
            identity = 0;
            if (!mmf_exchange_if_u64(&entry->identity, &identity, ring->identity))
                continue;
            mmf_ring_be_receiver(ring, number);
            mmf_ring_begin(ring);
            return;
        }
        rest();
    }
}

void
subscribe(uint64_t replay)
{
    mmf_ring_subscribe(own_ring(), replay);
    self()->last = (own_ring()->cursor - 1) & MMF_INDEX_MASK;
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
    for (;;) {
        enum mmf_ring_answer answer;
        uint32_t content;

        begin_look();
        answer = mmf_ring_next(ring, &message);
        if (answer == MMF_RING_CORRUPT)
            found("a subscriber finds the words corrupt");
        if (answer == MMF_RING_NOT_NOW) {
            if (clear_up_dead(0))
                continue;
            if (!waits) {
                end_call(CALL_NONE);
                return 0;
            }
            rest();
            continue;
        }
        content = read_content(&message);
        if (!mmf_ring_is_whole(ring, message.index)) {
            if (plan->overflow != MMF_RING_DROP &&
                mmf_index_difference(message.index, self()->joined) >= 0)
                found("publishers that wait have overwritten a message");
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
read_at_a_glance(void)
{
    struct mmf_ring_glance seen;
    uint32_t content;

    if (!mmf_ring_glance(own_ring(), &seen))
        return 0;
    content = read_content(&seen.message);
    if (!mmf_ring_is_same(&seen))
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
    if (read_at_a_glance()) {
        end_call(CALL_NONE);
        return;
    }
    for (;;) {
        enum mmf_ring_answer answer = mmf_ring_newest(ring, &message);
        uint32_t content;

        if (answer == MMF_RING_CORRUPT)
            found("a reader finds the words corrupt");
        if (answer == MMF_RING_NOT_NOW) {
            if (self()->has_floor || self()->has_read)
                found("a value has gone");
            break;
        }
        content = read_content(&message);
        if (!mmf_ring_is_whole(ring, message.index))
            continue;
        note_read(&message, content);
        break;
    }
    end_call(CALL_NONE);
}

/*
 * The end: one who was not there clears up, and takes what is left.
 */

static void
clear_up_all(struct mmf_ring *ring)
{
    for (uint32_t i = 0; i < 2 * MOST_CALLERS; i++) {
        uint32_t number = i < MOST_CALLERS ? i : i - MOST_CALLERS + MMF_RECEIVERS_FROM;
        uint64_t identity = mmf_ring_participant(ring, number)->identity;

        if (identity != 0 && !is_alive(mmf_ring_ticket(identity)))
            mmf_ring_clear_up(ring, number, identity, 1);
    }
}

static void
probe_take_all(struct mmf_ring *ring)
{
    struct mmf_ring_message message;
    struct message *taken;

    while (failure == NULL && mmf_ring_take(ring, &message) == MMF_RING_DONE) {
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

    if (mmf_ring_reserve(ring, 8, &bytes) != MMF_RING_DONE)
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

    if (plan->kind == MMF_RING_SINGLE)
        return (int)mmf_index_difference(world.shared.tail, world.shared.head);
    for (uint64_t i = 0; i < plan->cells; i++) {
        enum mmf_cell_state state = mmf_word_state(world.cells[i].word);

        in_hand += state == MMF_CELL_RESERVED || state == MMF_CELL_TAKEN ||
                   state == MMF_CELL_RETAKEN;
    }
    return in_hand;
}

/* All cells that nobody living has in hand are good for a message each. */
static void
probe_cells(struct mmf_ring *ring)
{
    int cells = (int)plan->cells - count_in_hand();

    for (int i = 0; i < cells; i++) {
        world.taken[PROBER] = 0;
        if (!probe_send(ring, i)) {
            found("in the end a free cell is of no use");
            return;
        }
    }
    probe_take_all(ring);
    for (int i = 0; i < cells; i++) {
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
        probe_cells(ring);
}

static void
probe_topic(struct mmf_ring *ring)
{
    struct mmf_ring_message message;
    int sent;

    judge_end();
    mmf_ring_subscribe(ring, 0);
    sent = probe_send(ring, 0);
    if (!sent && plan->overflow == MMF_RING_DROP)
        found("in the end a publisher is held up");
    if (sent && (mmf_ring_next(ring, &message) != MMF_RING_DONE ||
                 message.index != world.messages[PROBER * MOST_SENT].index))
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
        if (mmf_ring_newest(ring, &message) == MMF_RING_DONE)
            judge_read(PROBER, &message,
                       *(const uint32_t *)(const void *)message.bytes);
        else if (world.threads[PROBER].has_floor)
            found("in the end the value is gone");
    }
}

/* SINGLE: the living one's grip is as good; or one that joins as ring_join.c does. */
static void
probe_single(struct mmf_ring *ring)
{
    if (is_alive(ticket_of(0))) {
        ring->out = world.rings[0].out;
    } else {
        while (mmf_ring_cell(ring, world.shared.tail)->word ==
               mmf_word_make(world.shared.tail, 0, MMF_CELL_COMMITTED))
            world.shared.tail = (world.shared.tail + 1) & MMF_INDEX_MASK;
        mmf_ring_single_begin_sending(ring);
    }
    if (is_alive(ticket_of(1))) {
        for (uint64_t i = world.shared.head; i != world.rings[1].cursor;
             i = (i + 1) & MMF_INDEX_MASK) {
            struct message *held = &world.messages[message_of(1, i)];

            held->holder = 0;
            held->released = 2;
            if (!mmf_ring_release(&world.rings[1], i))
                found("the consumer does not have what it took");
        }
        ring->cursor = world.rings[1].cursor;
        ring->seen_returned = world.rings[1].seen_returned;
        ring->in = world.rings[1].in;
    } else {
        mmf_ring_single_begin_taking(ring);
    }
    probe_take_all(ring);
    if (failure == NULL)
        judge_end();
    if (failure == NULL)
        probe_cells(ring);
}

static void
check_end(void)
{
    static struct world before;
    struct mmf_ring ring = world.rings[PROBER];

    counts->ends++;
    before = world;
    if (setjmp(probe_is_stuck) != 0) {
        found("one who looks in the end does not get on");
        return;
    }
    probe_steps = MOST_PROBING;
    clear_up_all(&ring);
    switch (plan->kind) {
    case MMF_RING_QUEUE:
        probe_queue(&ring);
        break;
    case MMF_RING_SINGLE:
        probe_single(&ring);
        break;
    case MMF_RING_TOPIC:
        probe_topic(&ring);
        break;
    default:
        probe_latest(&ring);
    }
    probe_steps = 0;
    if (failure == NULL)
        world = before;
}

/*
 * States: kept on a stack along the way, and known again by a hash of 128 bits.
 */

struct choice {
    uint8_t is_kill;
    uint8_t thread;
};

static unsigned char *arena;
static size_t arena_size;
static size_t arena_used;

static void *
grow(void *old, size_t size)
{
    void *larger = realloc(old, size);

    if (larger == NULL) {
        fprintf(stderr, "model: no memory\n");
        exit(EXIT_FAILURE);
    }
    return larger;
}

static void
keep(const void *bytes, size_t size)
{
    size_t padded = (size + 7) & ~(size_t)7;

    if (arena_used + padded > arena_size) {
        arena_size = 2 * (arena_used + padded);
        arena = grow(arena, arena_size);
    }
    memcpy(arena + arena_used, bytes, size);
    memset(arena + arena_used + size, 0, padded - size);
    arena_used += padded;
}

static size_t
stack_size(int thread)
{
    if (world.threads[thread].stack == NULL)
        return 0;
    return (size_t)(stacks[thread] + STACK_SIZE -
                    (unsigned char *)world.threads[thread].stack);
}

/* Parts of the world that a step can change; the rest is as it was at the start. */
struct part {
    void *bytes;
    size_t size;
};

static struct part parts[8 + 4 * MOST_THREADS + 2 * MOST_CELLS];
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
    add_part(&world.shared.head, 16);
    add_part(&world.shared.newest, 16);
    add_part(&world.shared.retired_sent, 40);
    add_part(world.taken, sizeof(world.taken));
    add_part(&world.kills_left, sizeof(world.kills_left));
    add_part(&world.taker_died, sizeof(world.taker_died));
    add_part(world.messages, (size_t)thread_count * MOST_SENT * sizeof(struct message));
    for (int i = 0; i < thread_count; i++) {
        struct mmf_ring *ring = &world.rings[i];

        add_part(&world.senders[i], 64);
        add_part(&world.receivers[i], 64);
        add_part(&world.threads[i], sizeof(world.threads[i]));
        add_part(&ring->sender, sizeof(*ring) - offsetof(struct mmf_ring, sender));
    }
    for (uint64_t i = 0; i < plan->cells; i++) {
        add_part(world.cells[i].payload, 8);
        add_part(&world.cells[i].length, 16);
    }
}

static size_t
keep_state(void)
{
    size_t at = arena_used;

    for (int i = 0; i < part_count; i++)
        keep(parts[i].bytes, parts[i].size);
    for (int i = 0; i < thread_count; i++)
        keep(world.threads[i].stack, stack_size(i));
    return at;
}

static void
restore_state(size_t at)
{
    const unsigned char *from = arena + at;

    for (int i = 0; i < part_count; i++) {
        memcpy(parts[i].bytes, from, parts[i].size);
        from += (parts[i].size + 7) & ~(size_t)7;
    }
    for (int i = 0; i < thread_count; i++) {
        if (stack_size(i) > 0)
            memcpy(world.threads[i].stack, from, stack_size(i));
        from += (stack_size(i) + 7) & ~(size_t)7;
    }
}

struct known {
    uint64_t key[2];  /* 0, 0: free */
    double schedules; /* from here on; -1: on the way here */
};

static struct known *known;
static size_t known_size;
static size_t known_count;

static uint64_t
rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t
finish(uint64_t x)
{
    x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93u;
    x = (x ^ (x >> 29)) * 0xA0761D6478BD642Fu;
    return x ^ (x >> 32);
}

static void
hash_state(size_t at, uint64_t key[2])
{
    uint64_t a = 0x243F6A8885A308D3u;
    uint64_t b = 0x13198A2E03707344u;

    for (; at < arena_used; at += 8) {
        uint64_t word;

        memcpy(&word, arena + at, 8);
        a = rotate((a ^ word) * 0x9E3779B97F4A7C15u, 31);
        b = (rotate(b, 23) + word) * 0xC2B2AE3D27D4EB4Fu ^ a;
    }
    key[0] = finish(a);
    key[1] = finish(b) | 1;
}

static struct known *
find_known(const uint64_t key[2])
{
    size_t i = (size_t)key[0] & (known_size - 1);

    while (known[i].key[1] != 0 &&
           (known[i].key[0] != key[0] || known[i].key[1] != key[1]))
        i = (i + 1) & (known_size - 1);
    return &known[i];
}

static void
make_room(void)
{
    struct known *old = known;
    size_t old_size = known_size;

    if (known_count * 3 < known_size * 2)
        return;
    known_size = known_size == 0 ? 1 << 16 : 2 * known_size;
    known = grow(NULL, known_size * sizeof(*known));
    memset(known, 0, known_size * sizeof(*known));
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].key[1] != 0)
            *find_known(old[i].key) = old[i];
    }
    free(old);
}

/*
 * The search.
 */

struct frame {
    size_t state;
    uint64_t key[2];
    double schedules;
    int count;
    int next;
    struct choice choices[MOST_CHOICES];
};

static struct frame *frames;
static int frames_size;
static int depth; /* frames in use */

static int
list_choices(struct choice *choices)
{
    int count = 0;

    for (int i = 0; i < thread_count; i++) {
        if (world.threads[i].status == READY)
            choices[count++] = (struct choice){0, (uint8_t)i};
    }
    for (int i = 0; i < thread_count && world.kills_left > 0; i++) {
        if (world.threads[i].status != KILLED)
            choices[count++] = (struct choice){1, (uint8_t)i};
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
    if (choice.is_kill)
        kill_thread(choice.thread);
    else
        step(choice.thread);
    judge_resting();
}

/* Back in a state on the way here: does the thread get on if all others stand? */
static void
run_alone(int thread)
{
    got_on = 0;
    for (int i = 0; i < MOST_ALONE && !got_on && failure == NULL; i++)
        step(thread);
    if (!got_on)
        found("a thread that runs alone does not get on");
}

/* Enter the present state, unless it was met before; answers how many schedules. */
static double
enter(struct choice by)
{
    struct frame *frame;
    struct known *seen;
    uint64_t key[2];
    size_t at = keep_state();

    hash_state(at, key);
    make_room();
    seen = find_known(key);
    if (seen->key[1] != 0) {
        arena_used = at;
        if (seen->schedules >= 0)
            return seen->schedules;
        counts->loops++;
        if (!by.is_kill)
            run_alone(by.thread);
        return 0;
    }
    seen->key[0] = key[0];
    seen->key[1] = key[1];
    seen->schedules = -1;
    known_count++;
    counts->states++;
    if (depth == frames_size) {
        frames_size = frames_size == 0 ? 256 : 2 * frames_size;
        frames = grow(frames, (size_t)frames_size * sizeof(*frames));
    }
    frame = &frames[depth++];
    if (depth > counts->deepest)
        counts->deepest = depth;
    frame->state = at;
    frame->key[0] = key[0];
    frame->key[1] = key[1];
    frame->schedules = 0;
    frame->next = 0;
    frame->count = list_choices(frame->choices);
    if (is_over()) {
        check_end();
        frame->schedules = 1;
    }
    return -1;
}

static void
leave(void)
{
    struct frame *frame = &frames[--depth];

    find_known(frame->key)->schedules = frame->schedules;
    arena_used = frame->state;
    if (depth > 0)
        frames[depth - 1].schedules += frame->schedules;
    else
        counts->schedules = frame->schedules;
}

static void
prepare_ring(int caller)
{
    struct mmf_ring *ring = &world.rings[caller];
    int is_single = plan->kind == MMF_RING_SINGLE;
    uint64_t first = plan->first == 0 ? MMF_INDEX_FIRST : plan->first;

    ring->shape.kind = plan->kind;
    ring->shape.overflow = plan->overflow;
    ring->shape.cells = plan->cells;
    ring->shape.stride = sizeof(struct mmf_cell_shared);
    ring->shape.message_size = 8;
    ring->shape.participants = MOST_CALLERS;
    ring->shared = &world.shared;
    ring->senders = world.senders;
    ring->receivers = world.receivers;
    ring->cells = (uint8_t *)world.cells;
    ring->cells_end = ring->cells + plan->cells * sizeof(struct mmf_cell_shared);
    ring->identity = ticket_of(caller) << MMF_IDENTITY_HANDLE_BITS | 1;
    mmf_ring_be_sender(ring, is_single ? 0 : (uint32_t)caller);
    mmf_ring_be_receiver(ring, MMF_RECEIVERS_FROM + ring->sender);
    ring->gate = (first - plan->cells) & MMF_INDEX_MASK;
    ring->cursor = first;
    ring->searched = first;
    if (is_single) {
        mmf_ring_single_begin_sending(ring);
        mmf_ring_single_begin_taking(ring);
    }
}

static void
start(const struct scenario *scenario)
{
    plan = scenario;
    memset(&world, 0, sizeof(world));
    mmf_ring_init(&world.shared, plan->first == 0 ? MMF_INDEX_FIRST : plan->first);
    world.kills_left = plan->kills;
    thread_count = 0;
    while (thread_count < MOST_THREADS && plan->threads[thread_count] != NULL)
        thread_count++;
    for (int i = 0; i < MOST_CALLERS; i++) {
        prepare_ring(i);
        world.senders[i].identity = world.rings[i].identity;
        world.receivers[i].identity = world.rings[i].identity;
    }
    if (plan->kind == MMF_RING_SINGLE) {
        world.senders[0].cursor = world.shared.tail;
        world.receivers[0].cursor = world.shared.head;
    }
    for (int i = 0; i < thread_count; i++) {
        world.threads[i].stack = new_stack(i);
        run_thread(i); /* up to its first step */
    }
    list_parts();
    arena_used = 0;
    depth = 0;
    failure = NULL;
    free(known);
    known = NULL;
    known_size = 0;
    known_count = 0;
}

/*
 * Telling what was found.
 */

static void
print_address(const volatile void *address)
{
    const volatile char *at = address;
    int number;
    int place = place_in(world.senders, address, &number);
    static const char *const fields[] = {"identity", "cursor",  "held", "sent",
                                         "received", "dropped", "lost", "redelivered"};

    if (place >= 0) {
        printf("%s of sender %d", fields[place / 8], number);
        return;
    }
    place = place_in(world.receivers, address, &number);
    if (place >= 0) {
        printf("%s of receiver %d", fields[place / 8], number);
        return;
    }
    if (at >= (char *)world.cells && at < (char *)(world.cells + MOST_CELLS)) {
        number = (int)((at - (char *)world.cells) / (int)sizeof(world.cells[0]));
        printf("%s of cell %d",
               at == (char *)&world.cells[number].word ? "word" : "payload", number);
        return;
    }
    if (address == &world.shared.tail)
        printf("tail");
    else if (address == &world.shared.leaving)
        printf("leaving");
    else if (address == &world.shared.left_out)
        printf("left_out");
    else if (address == &world.shared.head)
        printf("head");
    else if (address == &world.shared.taken)
        printf("taken");
    else if (address == &world.shared.newest)
        printf("newest");
    else if (address == &world.shared.returned)
        printf("returned");
    else
        printf("+%d", (int)(at - (char *)&world.shared));
}

static void
print_word(uint64_t word)
{
    static const char *const names[] = {"released", "reserved", "committed", "taken",
                                        "returned", "retaken",  "?",         "?"};

    if (word == 0)
        printf(" -");
    else
        printf(" %llx.%s%s%d", (unsigned long long)mmf_word_index(word),
               names[mmf_word_state(word)],
               mmf_word_participant(word) >= MMF_RECEIVERS_FROM ? "/r" : "/s",
               (int)(mmf_word_participant(word) % MMF_RECEIVERS_FROM));
}

/* Go the way once more, and say what happens. */
static void
tell(void)
{
    const char *what = failure;

    printf("  %s: %s\n", plan->name, what);
    restore_state(frames[0].state);
    for (int i = 0; i < depth; i++) {
        const struct thread *thread;
        struct choice choice;

        if (frames[i].next == 0)
            break; /* found at the end of the way */
        choice = frames[i].choices[frames[i].next - 1];
        thread = &world.threads[choice.thread];
        printf("    T%d  ", choice.thread + 1);
        if (choice.is_kill)
            printf("killed");
        else
            printf("%s ", thread->operation != NULL ? thread->operation : "begin");
        if (!choice.is_kill && thread->address != NULL)
            print_address(thread->address);
        happen(choice);
        printf("    tail %llx+%d, head %llx, newest %llx:",
               (unsigned long long)(world.shared.tail & MMF_INDEX_MASK),
               (int)(world.shared.tail >> 48), (unsigned long long)world.shared.head,
               (unsigned long long)world.shared.newest);
        for (uint64_t j = 0; j < plan->cells; j++)
            print_word(world.cells[j].word);
        printf("%s\n", world.threads[choice.thread].status == RESTING ? "; rests" : "");
    }
}

int
explore(const struct scenario *scenario, struct counts *result)
{
    memset(result, 0, sizeof(*result));
    counts = result;
    start(scenario);
    enter((struct choice){1, 0});
    while (depth > 0 && failure == NULL) {
        struct frame *frame = &frames[depth - 1];
        double schedules;
        struct choice choice;

        if (known_count >= MOST_KNOWN) {
            counts->stopped = 1;
            break;
        }
        if (frame->next == frame->count) {
            leave();
            continue;
        }
        restore_state(frame->state);
        counts->steps++;
        choice = frame->choices[frame->next++];
        counts->kills += choice.is_kill;
        happen(choice);
        if (failure != NULL)
            break;
        schedules = enter(choice);
        if (schedules >= 0)
            frames[depth - 1].schedules += schedules;
    }
    if (failure == NULL)
        return 0;
    tell();
    return 1;
}
