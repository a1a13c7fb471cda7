/*
 * service_model.c - the calls of clients and servers, in every order: the code of
 * src/shared/service/ and of the queue below it as it is, two or three threads, and a
 * switch before every atomic operation. In every state each thread may be killed, as
 * often as the scenario says.
 *
 *     service_model [PATTERN]    only the scenarios whose name begins with PATTERN
 *
 * What is judged:
 *
 *   - A client gets the answers to its call and no others, each whole, in their order and
 *     once; if `deliveries` rises they begin anew.
 *   - No two living servers have one request. One that is answered, or was given up while
 *     a server had it, is not delivered again.
 *   - A server that is told that its request is not wanted has no client that waits.
 *   - In the end a server that comes then answers all that is open, and every lane is free
 *     that no living server may write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coroutine.h"
#include "search.h"
#include "shared/ring/inner.h"
#include "shared/ring/shape.h"
#include "shared/service/service.h"

enum {
    MOST_THREADS = 3,
    PROBER = MOST_THREADS,
    CALLERS = MOST_THREADS + 1,
    CLIENTS = 2,
    MOST_CALLS = 2,
    MOST_NUMBERS = 8, /* of calls: two of each thread */
    SLOTS = 2,
    MEMORY = 4096,
    MOST_ALONE = 5000
};

enum status { READY, RESTING, ENDED, KILLED };
enum call_kind { CALL_NONE, CALL_TAKE, CALL_SEND, CALL_ANSWER };

struct scenario {
    const char *name;
    void (*threads[MOST_THREADS])(void);
    uint32_t calls;
    uint32_t answers; /* slots of a lane */
    int replies;      /* answers to each request */
    int kills;
    int only_long;
};

struct thread {
    uint8_t status;
    uint8_t call;
    uint8_t begins;
    uint8_t tries;
    uint8_t changed;
    uint8_t started;  /* calls of this thread */
    uint8_t answered; /* those that were answered before its take began, a bit each */
    uint8_t left;     /* those that were given up */
    uint8_t number;   /* client: the call that it waits for */
    uint8_t waits;    /* it does */
    const char *operation;
    const volatile void *address;
    void *stack;
};

/* What is known of a call. */
struct known {
    uint8_t holder; /* thread + 1 of the server that has its request */
    uint8_t is_answered;
    uint8_t is_left;
    uint8_t is_ended;
};

struct world {
    struct mmf_ring_shared shared;
    struct mmf_participant_shared senders[CLIENTS];
    struct mmf_participant_shared receivers[CALLERS];
    _Alignas(128) uint8_t memory[MEMORY]; /* the requests' slots, then the parts */
    struct mmf_ring rings[CALLERS];
    struct mmf_call calls[CALLERS][MOST_CALLS];
    struct thread threads[CALLERS];
    struct known known[MOST_NUMBERS];
    int32_t kills_left;
};

static struct world world;
static const struct scenario *plan;
static int thread_count;
static int got_on;

/*
 * Threads.
 */

static struct thread *
self(void)
{
    return &world.threads[current];
}

static struct mmf_ring *
own_ring(void)
{
    return &world.rings[current >= 0 ? current : PROBER];
}

static struct mmf_lanes
own_lanes(void)
{
    return mmf_lanes_of(own_ring());
}

static void
stand_before(const char *operation, const volatile void *address)
{
    self()->operation = operation;
    self()->address = address;
    coroutine_stand(&self()->stack);
}

/* An entry's counters, and what only its owner writes and reads. */
static int
is_own_business(const char *operation, const volatile void *address)
{
    const struct mmf_ring *ring = own_ring();
    const volatile char *at = address;
    const struct mmf_participant_shared *entries[] = {ring->sending, ring->receiving};

    for (int i = 0; i < 2; i++) {
        ptrdiff_t offset = at - (const volatile char *)entries[i];

        if (entries[i] == NULL || offset < 0 || offset >= (ptrdiff_t)sizeof(**entries))
            continue;
        if (offset == offsetof(struct mmf_participant_shared, identity))
            return 0;
        return operation[0] == 'l' ||
               offset >= (ptrdiff_t)offsetof(struct mmf_participant_shared, sent);
    }
    return 0;
}

void
model_point(const char *operation, const volatile void *address)
{
    if (current >= 0 && !is_own_business(operation, address))
        stand_before(operation, address);
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
run_body(void)
{
    plan->threads[current]();
    self()->status = ENDED;
    coroutine_stand(&self()->stack);
    abort();
}

static uint8_t
mask_of(int left)
{
    uint8_t mask = 0;

    for (int i = 0; i < MOST_NUMBERS; i++)
        if (left ? world.known[i].is_left : world.known[i].is_answered)
            mask |= (uint8_t)(1 << i);
    return mask;
}

static void
run_thread(int number)
{
    struct thread *thread = &world.threads[number];

    coroutine_run(number, &thread->stack);
    if (thread->status == ENDED) {
        thread->stack = NULL;
        got_on = 1;
    }
}

static void
step(int number)
{
    struct thread *thread = &world.threads[number];
    int stirs =
        thread->operation != NULL && strchr("sea", thread->operation[0]) != NULL;

    if (thread->begins) {
        thread->begins = 0;
        thread->answered = mask_of(0);
        thread->left = mask_of(1);
    }
    thread->operation = NULL;
    thread->address = NULL;
    run_thread(number);
    if (stirs)
        stir(number);
}

static uint64_t
ticket_of(int thread)
{
    return (uint64_t)thread + 1;
}

static int
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

static void
kill_thread(int number)
{
    struct mmf_ring *ring = &world.rings[number];

    for (int i = 0; i < MOST_NUMBERS; i++)
        if (world.known[i].holder == number + 1)
            world.known[i].holder = 0;
    memset(&world.threads[number], 0, sizeof(world.threads[number]));
    memset(world.calls[number], 0, sizeof(world.calls[number]));
    world.threads[number].status = KILLED;
    memset(&ring->sender, 0, sizeof(*ring) - offsetof(struct mmf_ring, sender));
    world.kills_left--;
    stir(number);
}

static void
begin_call(enum call_kind kind)
{
    self()->call = (uint8_t)kind;
    self()->begins = 1;
}

static void
end_call(void)
{
    struct thread *thread = self();

    thread->call = CALL_NONE;
    thread->begins = thread->tries = thread->changed = 0;
    thread->answered = thread->left = 0;
    if (!own_ring()->has_reserved)
        own_ring()->reserved = 0;
    got_on = 1;
}

static void
begin_attempt(void)
{
    self()->tries = 1;
    self()->changed = 0;
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

/* As ring_explore.c has it: what a sleeper does at its tick. */
static int
recover_dead(int is_sending)
{
    return world.kills_left != plan->kills &&
           mmf_ring_recover_suspects(own_ring(), is_sending, true, &ops);
}

static void
recover_one(struct mmf_ring *ring, uint32_t number, uint64_t identity)
{
    mmf_ring_recover(ring, &(struct mmf_ring_dead){number, 1, &identity}, true);
}

/*
 * Contents, written and read in two halves.
 */

static void
write_content(uint8_t *bytes, uint32_t content)
{
    volatile uint32_t *half = (volatile uint32_t *)(void *)bytes;

    half[0] = content;
    model_point("write", bytes);
    half[1] = ~content;
}

static uint32_t
read_content(const struct mmf_service_message *message, const char *torn)
{
    const volatile uint32_t *half =
        (const volatile uint32_t *)(const void *)message->bytes;
    uint32_t first = half[0];

    model_point("read", message->bytes);
    if (message->length != 8 || half[1] != ~first)
        found(torn);
    return first;
}

static uint32_t
content_of(uint32_t number, uint32_t reply, uint32_t deliveries)
{
    return number | reply << 8 | deliveries << 16;
}

/*
 * Clients.
 */

static uint32_t
free_lane(void)
{
    struct mmf_lanes lanes = own_lanes();

    for (uint32_t i = 0; i < plan->calls; i++) {
        struct mmf_call *call = &world.calls[current][i];

        if (call->state == MMF_CALL_FREE ||
            (call->state == MMF_CALL_LEFT && mmf_call_settle(&lanes, call)))
            return i;
    }
    return UINT32_MAX;
}

/* Send the next request; the number of its lane. */
static uint32_t
send(void)
{
    uint32_t number = (uint32_t)(current * 2 + self()->started++);
    struct mmf_lanes lanes = own_lanes();
    enum mmf_step step = MMF_STEP_WOULD_BLOCK;
    uint8_t *bytes;
    uint32_t lane;

    begin_call(CALL_SEND);
    for (;;) {
        begin_attempt();
        lane = free_lane();
        if (lane != UINT32_MAX)
            step = mmf_call_reserve(own_ring(), 8, &bytes);
        if (step == MMF_STEP_DONE)
            break;
        if (step != MMF_STEP_WOULD_BLOCK)
            found("a client finds the words corrupt");
        if (!recover_dead(1))
            rest();
    }
    write_content(bytes, number);
    self()->number = (uint8_t)number;
    mmf_call_open(&lanes, world.calls[current], lane);
    self()->waits = 1;
    mmf_ring_commit(own_ring(), 8);
    end_call();
    return lane;
}

static enum mmf_step
await_answer(uint32_t lane, struct mmf_service_message *answer)
{
    struct mmf_lanes lanes = own_lanes();

    begin_call(CALL_ANSWER);
    for (;;) {
        enum mmf_step step;

        begin_attempt();
        step = mmf_call_next(&lanes, world.calls[current], lane, answer);
        if (step != MMF_STEP_WOULD_BLOCK) {
            end_call();
            return step;
        }
        if (!recover_dead(1))
            rest();
    }
}

/* All answers to the call, judged. */
static void
receive_all(uint32_t lane)
{
    struct mmf_lanes lanes = own_lanes();
    struct mmf_service_message answer;
    uint32_t reply = 0, deliveries = 0;

    do {
        if (await_answer(lane, &answer) != MMF_STEP_DONE) {
            found("a client finds its answers corrupt");
            return;
        }
        if (answer.deliveries < deliveries)
            found("an answer of an earlier delivery comes later");
        if (answer.deliveries > deliveries)
            reply = 0;
        deliveries = answer.deliveries;
        if (read_content(&answer, "an answer is torn") !=
            content_of(self()->number, reply, deliveries))
            found("an answer is another call's, or out of order");
        if (answer.is_last != (reply + 1 == (uint32_t)plan->replies))
            found("the wrong answer is the last");
        reply++;
        if (answer.is_last) {
            self()->waits = 0;
            world.known[self()->number].is_ended = 1;
        }
        mmf_call_release(&lanes, world.calls[current], lane, answer.is_last);
    } while (!answer.is_last && failure == NULL);
}

static void
call_once(void)
{
    receive_all(send());
}

static void
call_twice(void)
{
    call_once();
    call_once();
}

static void
give_up(void)
{
    uint32_t lane = send();
    struct mmf_lanes lanes = own_lanes();
    uint32_t number = self()->number;

    self()->waits = 0;
    mmf_call_leave(&lanes, world.calls[current], lane);
    world.known[number].is_left = 1;
}

static void
give_up_and_call(void)
{
    give_up();
    call_once();
}

/* As a client that is killed when it has sent its request, and its successor. */
static void
forget_and_call(void)
{
    struct mmf_lanes lanes = own_lanes();

    send();
    self()->waits = 0;
    memset(world.calls[current], 0, sizeof(world.calls[current]));
    mmf_calls_begin(&lanes, world.calls[current]);
    call_once();
}

/* Take over the entry of a client that was killed, once there is one. */
static void
succeed_and_call(void)
{
    struct mmf_ring *ring = own_ring();
    struct mmf_lanes lanes = own_lanes();

    for (;;) {
        uint64_t identity;

        begin_attempt();
        identity = mmf_load_acquire_u64(&world.senders[0].identity);
        if (identity == 0 || !is_alive(mmf_ring_ticket(identity))) {
            if (identity != 0)
                recover_one(ring, 0, identity);
            identity = 0;
            if (mmf_exchange_if_u64(&world.senders[0].identity, &identity,
                                    ring->identity))
                break;
        }
        rest();
    }
    mmf_store_relaxed_u64(&world.senders[0].held, 0);
    mmf_ring_be_sender(ring, 0);
    mmf_calls_begin(&lanes, world.calls[current]);
    call_once();
}

/*
 * Servers.
 */

static enum mmf_step
take_once(const struct mmf_lanes *lanes, struct mmf_request *request,
          struct mmf_service_message *message)
{
    enum mmf_step step = mmf_request_take(lanes, request, message);

    if (step != MMF_STEP_WOULD_BLOCK)
        return step;
    mmf_ring_rescan_returned(lanes->ring);
    return mmf_request_take(lanes, request, message);
}

static void
judge_taken(const struct mmf_request *request, uint32_t number)
{
    struct known *known = &world.known[number % MOST_NUMBERS];

    if (known->holder != 0)
        found("two servers have one request");
    if (self()->answered & 1 << number)
        found("a request is delivered again that is answered");
    if (request->deliveries > 1 && (self()->left & 1 << number))
        found("a request is delivered again that was given up");
    known->holder = (uint8_t)(current + 1);
}

/* Take a request; its number. */
static uint32_t
take(struct mmf_request *request)
{
    struct mmf_lanes lanes = own_lanes();
    struct mmf_service_message message;
    uint32_t number;

    begin_call(CALL_TAKE);
    for (;;) {
        enum mmf_step step;

        begin_attempt();
        step = take_once(&lanes, request, &message);
        if (step == MMF_STEP_DONE)
            break;
        if (step != MMF_STEP_WOULD_BLOCK)
            found("a server finds the words corrupt");
        if (!recover_dead(0))
            rest();
    }
    judge_taken(request, *(const uint32_t *)(const void *)message.bytes);
    end_call();
    number = read_content(&message, "a request is torn") % MOST_NUMBERS;
    self()->number = (uint8_t)number;
    return number;
}

/* The client waits for it, and lives. */
static int
is_waited_for(uint32_t number)
{
    const struct thread *client = &world.threads[number / 2];

    return client->status != KILLED && client->waits && client->number == number;
}

static enum mmf_step
reserve_answer(struct mmf_request *request, uint32_t number, uint8_t **bytes)
{
    struct mmf_lanes lanes = own_lanes();

    begin_call(CALL_ANSWER);
    for (;;) {
        uint64_t client;
        int could_want = is_waited_for(number);

        begin_attempt();
        if (mmf_request_reserve(&lanes, request, 8, bytes) == MMF_STEP_DONE) {
            end_call();
            return MMF_STEP_DONE;
        }
        client = mmf_request_client(&lanes, request);
        if (!mmf_request_is_wanted(&lanes, request) || client == 0 ||
            !is_alive(mmf_ring_ticket(client))) {
            if (could_want && is_waited_for(number))
                found("a request is not wanted whose client waits");
            end_call();
            return MMF_STEP_GONE;
        }
        rest();
    }
}

static void
finish(const struct mmf_request *request, uint32_t number)
{
    world.known[number].holder = 0;
    if (!mmf_ring_release(own_ring(), request->index))
        found("a request was taken from a living server");
}

/* `replies` answers; then the request is done, or a server stops in the middle. */
static void
answer(struct mmf_request *request, uint32_t number, int replies)
{
    struct mmf_lanes lanes = own_lanes();

    for (int i = 0; i < replies; i++) {
        bool is_last = i + 1 == plan->replies;
        uint8_t *bytes;

        if (reserve_answer(request, number, &bytes) != MMF_STEP_DONE)
            break;
        write_content(bytes, content_of(number, (uint32_t)i, request->deliveries));
        mmf_request_commit(&lanes, request, 8, is_last);
        if (is_last)
            world.known[number].is_answered = 1;
    }
}

static void
serve_one(void)
{
    struct mmf_request request;
    uint32_t number = take(&request);

    answer(&request, number, plan->replies);
    finish(&request, number);
    got_on = 1;
}

static void
serve_two(void)
{
    serve_one();
    serve_one();
}

/* The first one is returned, after as many answers as that. */
static void
return_after(int replies)
{
    struct mmf_lanes lanes = own_lanes();
    struct mmf_request request;
    uint32_t number = take(&request);

    answer(&request, number, replies);
    world.known[number].holder = 0;
    mmf_request_return(&lanes, &request);
    got_on = 1;
}

static void
return_one(void)
{
    return_after(0);
    serve_one();
}

static void
return_one_in_the_middle(void)
{
    return_after(1);
    serve_one();
}

/*
 * The end: a server that was not there.
 */

static void
recover_all(struct mmf_ring *ring)
{
    for (uint32_t i = 0; i < CLIENTS + CALLERS; i++) {
        uint32_t number = i < CLIENTS ? i : i - CLIENTS + MMF_RECEIVERS_FROM;
        uint64_t identity = mmf_ring_participant(ring, number)->identity;

        if (identity != 0 && !is_alive(mmf_ring_ticket(identity)))
            recover_one(ring, number, identity);
    }
}

static int is_server(int thread);

static int
a_server_waits(void)
{
    for (int i = 0; i < thread_count; i++)
        if (world.threads[i].status == RESTING && world.threads[i].call == CALL_TAKE)
            return 1;
    return 0;
}

/* Take what is there; give each the last answer, as far as its lane has space. */
static void
probe_serve(struct mmf_ring *ring)
{
    struct mmf_lanes lanes = mmf_lanes_of(ring);
    struct mmf_service_message message;
    struct mmf_request request;
    uint8_t *bytes;

    while (take_once(&lanes, &request, &message) == MMF_STEP_DONE) {
        uint32_t number = *(const uint32_t *)(const void *)message.bytes;

        if (a_server_waits())
            found("in the end a server sleeps beside a request");
        if (world.known[number % MOST_NUMBERS].holder != 0)
            found("in the end two servers have one request");
        if (mmf_request_reserve(&lanes, &request, 8, &bytes) == MMF_STEP_DONE)
            mmf_request_commit(&lanes, &request, 8, true);
        else
            /* Its client has not read what is there: it rests for no answer. */
            world.known[number % MOST_NUMBERS].is_answered = 1;
        if (!mmf_ring_release(ring, request.index))
            found("in the end a server does not have what it took");
    }
}

static int
is_served_by_the_living(const struct mmf_ring *ring, uint64_t index)
{
    uint64_t word = mmf_ring_slot(ring, index)->word;

    return mmf_word_index(word) == index && mmf_word_is_owned(word);
}

/* All answers that its open call can have are there. */
static void
probe_client(int thread)
{
    struct mmf_ring *ring = &world.rings[thread];
    struct mmf_lanes lanes;
    struct mmf_service_message answer;

    if (ring->sending == NULL || world.threads[thread].status == KILLED)
        return;
    lanes = mmf_lanes_of(ring);
    for (uint32_t i = 0; i < plan->calls; i++) {
        struct mmf_call *call = &world.calls[thread][i];
        int is_served = is_served_by_the_living(ring, call->request);
        bool is_last = false;

        while (call->state == MMF_CALL_OPEN && !is_last &&
               mmf_call_next(&lanes, world.calls[thread], i, &answer) ==
                   MMF_STEP_DONE) {
            is_last = answer.is_last;
            mmf_call_release(&lanes, world.calls[thread], i, is_last);
        }
        if (call->state == MMF_CALL_OPEN &&
            world.known[world.threads[thread].number].holder == 0)
            found("in the end a call is not answered");
        if (call->state == MMF_CALL_LEFT && !is_served &&
            !mmf_call_settle(&lanes, call))
            found("in the end a lane is not free");
    }
}

/* Each of two threads waits for the other, or one for nothing. */
static void
check_sleepers(void)
{
    for (int i = 0; i < thread_count; i++) {
        const struct thread *thread = &world.threads[i];

        if (thread->status != RESTING)
            continue;
        for (uint32_t j = 0; thread->call == CALL_SEND && j < plan->calls; j++)
            if (world.calls[i][j].state == MMF_CALL_LEFT &&
                !is_served_by_the_living(&world.rings[i], world.calls[i][j].request))
                found("in the end a client waits for a lane that no server has");
        if (thread->call == CALL_ANSWER && is_server(i) &&
            is_waited_for(thread->number) &&
            world.threads[thread->number / 2].status == RESTING)
            found("in the end a client and its server wait for each other");
    }
}

/* Servers have the requests that they know of, and no others. */
static void
check_holders(void)
{
    for (int i = 0; i < thread_count; i++) {
        int balance = 0;

        for (uint64_t j = 0; j < SLOTS; j++) {
            uint64_t word = mmf_ring_slot(&world.rings[0], j)->word;

            balance += mmf_word_is_owned(word) &&
                       mmf_word_participant(word) == MMF_RECEIVERS_FROM + (uint32_t)i;
        }
        for (int j = 0; j < MOST_NUMBERS; j++)
            balance -= world.known[j].holder == i + 1;
        if (balance != 0)
            found("in the end a server has a request that it does not know of");
    }
}

static void
check_end(void)
{
    static struct world before;
    struct mmf_ring *ring = &world.rings[PROBER];

    check_sleepers();
    before = world;
    recover_all(ring);
    check_holders();
    mmf_ring_begin(ring);
    probe_serve(ring);
    for (int i = 0; i < thread_count && failure == NULL; i++)
        probe_client(i);
    world = before;
}

/*
 * States.
 */

static void
for_each_part(void (*visit)(void *bytes, size_t size))
{
    const struct mmf_ring_shape *shape = &world.rings[0].shape;

    visit(&world.shared, offsetof(struct mmf_ring_shared, message_doorbell));
    visit(world.senders, sizeof(world.senders));
    visit(world.receivers, sizeof(world.receivers));
    visit(world.memory, (size_t)mmf_ring_slots_size(shape));
    visit(world.calls, sizeof(world.calls));
    visit(world.threads, sizeof(world.threads));
    visit(world.known, sizeof(world.known));
    visit(&world.kills_left, sizeof(world.kills_left));
    for (int i = 0; i < thread_count; i++) {
        struct mmf_ring *ring = &world.rings[i];

        visit(&ring->sender, sizeof(*ring) - offsetof(struct mmf_ring, sender));
    }
}

static void
keep(void *bytes, size_t size)
{
    search_keep(bytes, size);
}

static void
keep_state(void)
{
    for_each_part(keep);
    for (int i = 0; i < thread_count; i++)
        if (world.threads[i].stack != NULL)
            search_keep(world.threads[i].stack,
                        coroutine_stack_size(i, world.threads[i].stack));
}

static void
restore_state(void)
{
    for_each_part(search_restore);
    for (int i = 0; i < thread_count; i++)
        if (world.threads[i].stack != NULL)
            search_restore(world.threads[i].stack,
                           coroutine_stack_size(i, world.threads[i].stack));
}

static int
list_choices(struct choice *choices)
{
    int count = 0;

    for (int i = 0; i < thread_count; i++)
        if (world.threads[i].status == READY)
            choices[count++] = (struct choice){EVENT_STEP, (int8_t)i, 0};
    for (int i = 0; i < thread_count && world.kills_left > 0; i++)
        if (world.threads[i].status != KILLED)
            choices[count++] = (struct choice){EVENT_KILL, (int8_t)i, 0};
    return count;
}

static int
is_over(void)
{
    for (int i = 0; i < thread_count; i++)
        if (world.threads[i].status == READY)
            return 0;
    return 1;
}

static void
happen(struct choice choice)
{
    if (choice.event == EVENT_KILL)
        kill_thread(choice.thread);
    else
        step(choice.thread);
}

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

static int
is_client(int thread)
{
    void (*body)(void) = plan->threads[thread];

    return body == call_once || body == call_twice || body == give_up_and_call ||
           body == forget_and_call;
}

static int
is_server(int thread)
{
    return thread == PROBER ||
           (!is_client(thread) && plan->threads[thread] != succeed_and_call);
}

static void
prepare(int caller)
{
    struct mmf_ring_shape shape = {
        .kind = MMF_KIND_QUEUE,
        .overflow = MMF_OVERFLOW_BLOCK,
        .slots = SLOTS,
        .stride = sizeof(struct mmf_slot_shared),
        .message_size = 8,
        .answer_size = 8,
        .calls = plan->calls,
        .answers = plan->answers,
        .max_senders = CLIENTS,
        .max_receivers = CALLERS,
    };
    struct mmf_ring *ring = &world.rings[caller];

    ring->shape = shape;
    ring->shared = &world.shared;
    ring->senders = world.senders;
    ring->receivers = world.receivers;
    ring->slots = world.memory;
    ring->slots_end = world.memory + SLOTS * sizeof(struct mmf_slot_shared);
    ring->identity = ticket_of(caller) << MMF_IDENTITY_HANDLE_BITS | 1;
    ring->sender = ring->receiver = UINT32_MAX;
    ring->min_cursor = (MMF_INDEX_FIRST - SLOTS) & MMF_INDEX_MASK;
    ring->cursor = MMF_INDEX_FIRST;
    if (mmf_ring_slots_size(&shape) > MEMORY)
        abort();
    if (is_server(caller)) {
        mmf_ring_be_receiver(ring, MMF_RECEIVERS_FROM + (uint32_t)caller);
        world.receivers[caller].identity = ring->identity;
    } else if (is_client(caller)) {
        struct mmf_lanes lanes;

        mmf_ring_be_sender(ring, (uint32_t)caller);
        world.senders[caller].identity = ring->identity;
        lanes = mmf_lanes_of(ring);
        mmf_calls_begin(&lanes, world.calls[caller]);
    }
}

static void
start(const struct scenario *scenario)
{
    plan = scenario;
    memset(&world, 0, sizeof(world));
    mmf_ring_init(&world.shared, MMF_INDEX_FIRST);
    world.kills_left = plan->kills;
    for (thread_count = 0; thread_count < MOST_THREADS; thread_count++)
        if (plan->threads[thread_count] == NULL)
            break;
    for (int i = 0; i < thread_count; i++)
        prepare(i);
    prepare(PROBER);
    for (int i = 0; i < thread_count; i++) {
        world.threads[i].stack = coroutine_begin(i, run_body);
        run_thread(i); /* up to its first step */
    }
}

/*
 * Printing.
 */

static void
print_choice(struct choice choice)
{
    const struct thread *thread = &world.threads[choice.thread];
    const volatile char *at = thread->address;

    printf("    T%d  ", choice.thread + 1);
    if (choice.event == EVENT_KILL)
        printf("killed");
    else if (at >= (char *)world.memory && at < (char *)world.memory + MEMORY)
        printf("%s memory+%d", thread->operation, (int)(at - (char *)world.memory));
    else
        printf("%s +%d", thread->operation != NULL ? thread->operation : "begin",
               at == NULL ? 0 : (int)(at - (char *)&world));
}

static void
print_after(struct choice choice)
{
    printf(": tail %llx;", (unsigned long long)(world.shared.tail & MMF_INDEX_MASK));
    for (uint64_t i = 0; i < SLOTS; i++) {
        uint64_t word = mmf_ring_slot(&world.rings[0], i)->word;

        printf(" %llx.%d", (unsigned long long)mmf_word_index(word),
               (int)mmf_word_state(word));
    }
    printf("%s\n", world.threads[choice.thread].status == RESTING ? "; rests" : "");
}

static const struct scenario scenarios[] = {
    {"two clients, one server", {call_once, call_once, serve_two}, 1, 1, 1, 0, 0},
    {"one client, two servers", {call_twice, serve_one, serve_one}, 1, 1, 1, 0, 0},
    {"several answers, one slot", {call_once, serve_one}, 1, 1, 3, 0, 0},
    {"several answers, two slots", {call_once, serve_one}, 1, 2, 4, 0, 0},
    {"two calls, several answers", {call_twice, serve_two}, 1, 2, 2, 0, 0},
    {"given up", {give_up_and_call, serve_two}, 1, 1, 1, 0, 0},
    {"given up, two lanes", {give_up_and_call, serve_two}, 2, 1, 2, 0, 0},
    {"given up, two servers", {give_up_and_call, serve_one, serve_one}, 1, 1, 1, 0, 0},
    {"given up, no server", {give_up_and_call}, 1, 1, 1, 0, 0},
    {"left behind", {forget_and_call, serve_one, serve_one}, 1, 1, 1, 0, 0},
    {"returned", {call_once, return_one, serve_one}, 1, 1, 1, 0, 0},
    {"returned in the middle", {call_once, return_one_in_the_middle}, 1, 1, 3, 0, 0},
    {"given up, returned, one server", {give_up_and_call, return_one}, 1, 1, 1, 0, 0},
    {"given up and returned", {give_up_and_call, return_one, serve_one}, 1, 1, 1, 0, 1},
    {"one killed", {call_once, serve_two, serve_two}, 1, 1, 1, 1, 0},
    {"one killed, two answers", {call_once, serve_two, serve_two}, 1, 2, 2, 1, 0},
    {"one killed, one slot", {call_once, serve_one, serve_one}, 1, 1, 2, 1, 0},
    {"one killed, two calls", {call_twice, serve_two, serve_two}, 1, 1, 1, 1, 1},
    {"both killed", {call_once, serve_one, serve_one}, 1, 1, 1, 2, 0},
    {"given up, one killed", {give_up_and_call, serve_two, serve_two}, 1, 1, 1, 1, 1},
    {"given up, killed, one server", {give_up_and_call, serve_two}, 1, 1, 1, 1, 0},
    {"a successor", {call_once, serve_two, succeed_and_call}, 1, 1, 1, 1, 0},
    {"a successor, several answers",
     {call_once, serve_two, succeed_and_call},
     1,
     1,
     2,
     1,
     0},
    {"two clients, one killed", {call_once, call_once, serve_two}, 1, 1, 1, 1, 1},
};

int
main(int argc, char **argv)
{
    const char *pattern = argc > 1 ? argv[1] : "";
    const char *value = getenv("MMF_TEST_LONG");
    int is_long = value != NULL && strcmp(value, "1") == 0;
    const struct search_world what = {
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
    int passed = 0, failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0); /* a broken copy may end early, having told */
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        const struct scenario *scenario = &scenarios[i];
        struct search_world named = what;
        struct search_counts counts = {0};

        if (strncmp(scenario->name, pattern, strlen(pattern)) != 0 ||
            (scenario->only_long && !is_long && *pattern == '\0'))
            continue;
        named.name = scenario->name;
        failure = NULL;
        start(scenario);
        if (search(&named, &counts) != 0 || counts.stopped) {
            failed++;
            continue;
        }
        passed++;
        printf("%-34s %9llu states, %8llu kills\n", scenario->name,
               (unsigned long long)counts.states, (unsigned long long)counts.kills);
        fflush(stdout);
    }
    printf("SUITE: %d passed, %d failed, 0 skipped\n", passed, failed);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
