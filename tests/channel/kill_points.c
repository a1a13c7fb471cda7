/*
 * kill_points.c - kill a participant of a queue at every instruction of every call.
 *
 *     channel_kill_points [PATTERN [FIRST STRIDE]]
 *
 * PATTERN: only the operations with that in their name. FIRST and STRIDE: from which
 * instruction on, and the step to the next; so a long run can be done in pieces.
 *
 * For each operation a child runs it between two marks, under ptrace. One run
 * single-steps through it and records the instructions of libmmf.so that it executes; then
 * one child for each of these (without MMF_TEST_LONG=1, for some) runs up to it and is
 * killed. The child records in shared memory what it is about to do and what it has done.
 * A survivor then accounts for every message:
 *
 *   - what was committed and not released is received once; it is marked as redelivered if
 *     the victim had taken it
 *   - what the victim was committing or releasing is received once or not at all
 *   - nothing else is received, and all in the order of the commits, except for
 *     redelivered messages
 *   - what it was committing as a source's message is received if its position is applied,
 *     and not if it is not; so a successor that asks sends the rest, and each comes once
 *   - afterwards every slot is available, and every participant's entry
 *   - a sleeper goes on whose waker is killed while it wakes it
 */
#include "killing.h"
#include "site.h"
#include "trace.h"
#include "walk.h"

#include <mmf/mmf.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    MOST_NUMBERS = 64,
    DEFAULT_STRIDE = 23, /* of instructions, unless all are wanted */
    SLOTS = 4,
    PARTICIPANTS = 3,
    LONG_MS = 20000,
    LATE_MS = 1000 /* no survivor waits so long, whatever else the machine does */
};

/* The state of the queue, and the other participants, when the operation runs. */
#define SINGLE 1u        /* MMF_CHANNEL_SPSC */
#define DROP 2u          /* MMF_OVERFLOW_DROP_OLDEST */
#define ONE_SLOT 4u      /* else SLOTS */
#define MESSAGES 8u      /* two of ours are in it */
#define FULL 16u         /* as many as there are slots */
#define IN_HAND 32u      /* we have taken the first slot */
#define SLEEPER 64u      /* another process waits for a message */
#define WRITER 128u      /* another process waits for room */
#define DEAD_HOLDER 256u /* one died with the first two messages in its hands */
#define DEAD_WRITER 512u /* one died with a reservation */
#define ALONE 1024u  /* the victim creates the queue: there is no other participant */
#define LOOKS 2048u  /* the victim waits, and may have looked after the dead */
#define SOURCE 4096u /* the victim commits the messages of a source */
#define DEAD_SOURCE                                                                    \
    8192u /* one died that had committed the first, with a reservation */

struct operation {
    const char *name;
    unsigned flags;
    mmf_role role;         /* the victim's handle; 0: it has none before the run */
    void (*prepare)(void); /* in the victim, before it is watched */
    void (*run)(void);
};

/* What is known of a message; the highest that was reached. */
enum fate { NEVER, COMMITTING, COMMITTED, TAKEN, RELEASING, RELEASED };

/* Shared with the children. */
struct ledger {
    volatile int fates[MOST_NUMBERS];
    volatile int heard;  /* by the sleeper; 0: none yet */
    volatile int may_go; /* the sleeper: it holds the queue until then */
    volatile int wrote;  /* by the writer */
    volatile int failed; /* a call of the victim's, its status */
};

static const struct operation *current;
static struct ledger *ledger;
static int64_t longest_ms; /* that a survivor needed for all its messages */

/*
 * The victim's calls. Its numbers begin with 1, ours with OURS.
 */
enum { OURS = 30 };

static mmf_queue *queue;
static mmf_message held[4];
static size_t held_count;
static void *reserved;

static void
note(uint64_t number, enum fate fate)
{
    ledger->fates[number] = (int)fate;
}

static void
must(int rc)
{
    if (rc != MMF_OK)
        ledger->failed = rc < 0 ? rc : 1000;
}

static mmf_queue *
open_as(mmf_role role)
{
    mmf_channel_options options;
    mmf_queue *opened = NULL;

    mmf_channel_options_init(&options);
    options.role = role;
    options.strategy = MMF_STRATEGY_WAIT;
    if (mmf_queue_open_existing("Q", &options, &opened) != MMF_OK)
        return NULL;
    return opened;
}

static int
create_as(mmf_role role, mmf_queue **out, int *created)
{
    mmf_channel_options options;

    mmf_channel_options_init(&options);
    options.role = role;
    options.max_senders = options.max_receivers = PARTICIPANTS;
    options.strategy = MMF_STRATEGY_WAIT;
    if (current->flags & SINGLE)
        options.flags = MMF_CHANNEL_SPSC;
    return mmf_queue_create_or_open("Q", 200, current->flags & ONE_SLOT ? 1 : SLOTS,
                                    current->flags & DROP ? MMF_OVERFLOW_DROP_OLDEST
                                                          : MMF_OVERFLOW_BLOCK,
                                    &options, created, out);
}

static void
send_number(uint64_t number, size_t length)
{
    uint8_t bytes[200] = {0};

    memcpy(bytes, &number, 8);
    note(number, COMMITTING);
    must(mmf_queue_send(queue, bytes, length, LONG_MS, NULL));
    note(number, COMMITTED);
}

static void
run_send(void)
{
    send_number(1, 8);
}

static void
run_send_long(void)
{
    send_number(1, 200);
}

static void
run_send_twice(void)
{
    send_number(1, 8);
    send_number(2, 60);
}

static void
run_send_many(void)
{
    uint64_t numbers[3] = {1, 2, 3};
    mmf_buffer buffers[3];
    size_t sent = 0;

    for (int i = 0; i < 3; i++) {
        buffers[i].bytes = &numbers[i];
        buffers[i].length = 8;
        note(numbers[i], COMMITTING);
    }
    must(mmf_queue_send_many(queue, buffers, 3, 0, &sent));
    for (size_t i = 0; i < sent; i++)
        note(numbers[i], COMMITTED);
}

static void
run_reserve(void)
{
    must(mmf_queue_reserve(queue, 100, LONG_MS, &reserved));
}

static void
run_commit(void)
{
    memcpy(reserved, &(uint64_t){1}, 8);
    note(1, COMMITTING);
    must(mmf_queue_commit(queue, 8, NULL));
    note(1, COMMITTED);
}

enum { SOURCES_NUMBER = 7, SOURCES_MESSAGES = 2 };

/* What is reserved, as the source's next message. */
static void
commit_from(uint64_t number)
{
    memcpy(reserved, &number, 8);
    note(number, COMMITTING);
    must(mmf_queue_commit_from(queue, 8, SOURCES_NUMBER, number, NULL));
    note(number, COMMITTED);
}

static void
run_commit_from(void)
{
    commit_from(1);
}

static void
prepare_second_commit_from(void)
{
    run_reserve();
    commit_from(1);
    run_reserve();
}

static void
run_second_commit_from(void)
{
    commit_from(2);
}

static void
run_applied(void)
{
    uint64_t applied;

    must(mmf_queue_applied(queue, SOURCES_NUMBER, &applied));
    must(applied == 1 ? MMF_OK : 1007);
}

static void
run_abandon(void)
{
    must(mmf_queue_abandon(queue));
}

static void
run_take(void)
{
    uint64_t number;

    must(mmf_queue_take(queue, LONG_MS, &held[held_count]));
    memcpy(&number, held[held_count].bytes, 8);
    note(number, TAKEN);
    held_count++;
}

static void
take_twice(void)
{
    run_take();
    run_take();
}

static void
run_take_many(void)
{
    uint64_t number;

    must(mmf_queue_take_many(queue, 3, LONG_MS, held, &held_count));
    for (size_t i = 0; i < held_count; i++) {
        memcpy(&number, held[i].bytes, 8);
        note(number, TAKEN);
    }
}

static void
note_held(enum fate fate)
{
    uint64_t number;

    for (size_t i = 0; i < held_count; i++) {
        memcpy(&number, held[i].bytes, 8);
        note(number, fate);
    }
}

static void
run_release(void)
{
    note_held(RELEASING);
    for (size_t i = 0; i < held_count; i++)
        must(mmf_queue_release(queue, &held[i]));
    /* The bytes may be another message's by now. */
    for (int i = 0; i < MOST_NUMBERS; i++)
        if (ledger->fates[i] == RELEASING)
            ledger->fates[i] = RELEASED;
}

static void
run_release_many(void)
{
    note_held(RELEASING);
    must(mmf_queue_release_many(queue, held, held_count));
    for (int i = 0; i < MOST_NUMBERS; i++)
        if (ledger->fates[i] == RELEASING)
            ledger->fates[i] = RELEASED;
}

/* The next message is our first. */
static void
run_receive(void)
{
    uint64_t number = 0;
    size_t length;

    note(OURS, RELEASING);
    must(mmf_queue_receive(queue, &number, 8, LONG_MS, &length, NULL));
    note(OURS, RELEASED);
    must(number == OURS ? MMF_OK : 1001);
}

static void
run_receive_too_small(void)
{
    size_t length;
    char byte;

    must(mmf_queue_receive(queue, &byte, 1, LONG_MS, &length, NULL) == MMF_E_RANGE
             ? MMF_OK
             : 1002);
}

/* Two of the dead one's. */
static void
run_receive_returned(void)
{
    uint64_t number = 0;
    size_t length;

    note(OURS, RELEASING);
    note(OURS + 1, RELEASING);
    must(mmf_queue_receive(queue, &number, 8, LONG_MS, &length, NULL));
    note(number, RELEASED);
    must(mmf_queue_receive(queue, &number, 8, LONG_MS, &length, NULL));
    note(number, RELEASED);
}

static void
run_receive_in_vain(void)
{
    uint64_t number;
    size_t length;

    must(mmf_queue_receive(queue, &number, 8, 30, &length, NULL) == MMF_TIMED_OUT
             ? MMF_OK
             : 1003);
}

static void
run_send_in_vain(void)
{
    must(mmf_queue_send(queue, "x", 1, 30, NULL) == MMF_TIMED_OUT ? MMF_OK : 1004);
}

static void
run_close(void)
{
    mmf_queue_close(queue);
}

static void
run_fd(void)
{
    int fd;

    must(mmf_queue_fd(queue, &fd));
}

static void
run_stat(void)
{
    mmf_channel_stats stats;

    must(mmf_channel_stat("Q", &stats));
}

static void
run_open_to_send(void)
{
    queue = open_as(MMF_ROLE_SEND);
    must(queue != NULL ? MMF_OK : 1006);
}

static void
run_open_to_receive(void)
{
    queue = open_as(MMF_ROLE_RECEIVE);
    must(queue != NULL ? MMF_OK : 1006);
}

static void
run_create(void)
{
    must(create_as(MMF_ROLE_SEND, &queue, NULL));
    send_number(1, 8);
}

static const struct operation operations[] = {
    {"create", ALONE, 0, NULL, run_create},
    {"open to send", MESSAGES, 0, NULL, run_open_to_send},
    {"open to receive", MESSAGES, 0, NULL, run_open_to_receive},
    {"open over a dead one", DEAD_HOLDER, 0, NULL, run_open_to_receive},
    {"stat", MESSAGES, 0, NULL, run_stat},
    {"send", MESSAGES, MMF_ROLE_SEND, NULL, run_send},
    {"send, long", 0, MMF_ROLE_SEND, NULL, run_send_long},
    {"send, twice", 0, MMF_ROLE_SEND, NULL, run_send_twice},
    {"send, one slot", ONE_SLOT, MMF_ROLE_SEND, NULL, run_send},
    {"send past a slot in flight", IN_HAND, MMF_ROLE_SEND, NULL, run_send_twice},
    {"send, dropping the oldest", DROP | FULL, MMF_ROLE_SEND, NULL, run_send_twice},
    {"send to a full queue", FULL | LOOKS, MMF_ROLE_SEND, NULL, run_send_in_vain},
    {"send to a sleeper", SLEEPER, MMF_ROLE_SEND, NULL, run_send},
    {"send over a dead one's slot", ONE_SLOT | DEAD_WRITER, MMF_ROLE_SEND, NULL,
     run_send},
    {"send_many", 0, MMF_ROLE_SEND, NULL, run_send_many},
    {"reserve", MESSAGES, MMF_ROLE_SEND, NULL, run_reserve},
    {"commit", MESSAGES, MMF_ROLE_SEND, run_reserve, run_commit},
    {"commit_from", SOURCE, MMF_ROLE_SEND, run_reserve, run_commit_from},
    {"commit_from, again", SOURCE, MMF_ROLE_SEND, prepare_second_commit_from,
     run_second_commit_from},
    {"commit_from, of a dead one's source", SOURCE | DEAD_SOURCE, MMF_ROLE_SEND,
     run_reserve, run_second_commit_from},
    {"applied, of a dead one's source", SOURCE | DEAD_SOURCE, MMF_ROLE_RECEIVE, NULL,
     run_applied},
    {"abandon", ONE_SLOT, MMF_ROLE_SEND, run_reserve, run_abandon},
    {"close with a reservation", ONE_SLOT, MMF_ROLE_SEND, run_reserve, run_close},
    {"take", MESSAGES, MMF_ROLE_RECEIVE, NULL, run_take},
    {"take_many", MESSAGES, MMF_ROLE_RECEIVE, NULL, run_take_many},
    {"release", MESSAGES, MMF_ROLE_RECEIVE, take_twice, run_release},
    {"release_many", MESSAGES, MMF_ROLE_RECEIVE, take_twice, run_release_many},
    {"release to a sender that waits", FULL | WRITER, MMF_ROLE_RECEIVE, run_take,
     run_release},
    {"receive", MESSAGES, MMF_ROLE_RECEIVE, NULL, run_receive},
    {"receive, too small a buffer", MESSAGES, MMF_ROLE_RECEIVE, NULL,
     run_receive_too_small},
    {"receive from an empty queue", LOOKS, MMF_ROLE_RECEIVE, NULL, run_receive_in_vain},
    {"receive what a dead one had", DEAD_HOLDER, MMF_ROLE_RECEIVE, NULL,
     run_receive_returned},
    {"close with messages in flight", MESSAGES, MMF_ROLE_RECEIVE, take_twice,
     run_close},
    {"fd", MESSAGES, MMF_ROLE_RECEIVE, NULL, run_fd},
    {"single: open to send", SINGLE | MESSAGES, 0, NULL, run_open_to_send},
    {"single: open to receive", SINGLE | MESSAGES, 0, NULL, run_open_to_receive},
    {"single: send", SINGLE, MMF_ROLE_SEND, NULL, run_send_twice},
    {"single: send to a sleeper", SINGLE | SLEEPER, MMF_ROLE_SEND, NULL, run_send},
    {"single: send_many", SINGLE, MMF_ROLE_SEND, NULL, run_send_many},
    {"single: reserve", SINGLE, MMF_ROLE_SEND, NULL, run_reserve},
    {"single: commit", SINGLE, MMF_ROLE_SEND, run_reserve, run_commit},
    {"single: commit_from", SINGLE | SOURCE, MMF_ROLE_SEND, run_reserve,
     run_commit_from},
    {"single: commit_from, again", SINGLE | SOURCE, MMF_ROLE_SEND,
     prepare_second_commit_from, run_second_commit_from},
    {"single: abandon", SINGLE | ONE_SLOT, MMF_ROLE_SEND, run_reserve, run_abandon},
    {"single: close, reserved", SINGLE, MMF_ROLE_SEND, run_reserve, run_close},
    {"single: take", SINGLE | MESSAGES, MMF_ROLE_RECEIVE, NULL, run_take},
    {"single: take_many", SINGLE | MESSAGES, MMF_ROLE_RECEIVE, NULL, run_take_many},
    {"single: release", SINGLE | MESSAGES, MMF_ROLE_RECEIVE, take_twice, run_release},
    {"single: release_many", SINGLE | MESSAGES, MMF_ROLE_RECEIVE, take_twice,
     run_release_many},
    {"single: receive", SINGLE | MESSAGES, MMF_ROLE_RECEIVE, NULL, run_receive},
    {"single: close, messages in flight", SINGLE | MESSAGES, MMF_ROLE_RECEIVE,
     take_twice, run_close},
};

/*
 * Before: what we, and others, do.
 */

static mmf_queue *our_sender, *our_receiver;
static mmf_message in_hand;
static pid_t helper;
static uint64_t next_of_ours;

static int
slots(void)
{
    return current->flags & ONE_SLOT ? 1 : SLOTS;
}

/* 1 if the victim, or no process, has the only entry of the role. */
static int
is_the_victims(mmf_role role)
{
    if (!(current->flags & SINGLE))
        return 0;
    if (current->role != 0)
        return current->role == role;
    return (current->run == run_open_to_send) == (role == MMF_ROLE_SEND);
}

static void
send_ours(mmf_queue *through)
{
    uint64_t number = next_of_ours++;
    int rc = mmf_queue_send(through, &number, 8, LATE_MS, NULL);

    if (rc != MMF_OK)
        site_fail("our own message", rc < 0 ? mmf_last_message() : "timed out");
    else
        note(number, COMMITTED);
}

static void
open_handle(uint32_t role)
{
    queue = open_as(role);
}

static void
hear_one(void)
{
    uint64_t number = 0;
    size_t length;

    if (mmf_queue_receive(queue, &number, 8, -1, &length, NULL) == MMF_OK)
        ledger->heard = (int)number;
    while (!ledger->may_go)
        usleep(200);
}

static void
write_one(void)
{
    uint64_t number = MOST_NUMBERS - 1;

    note(number, COMMITTING);
    if (mmf_queue_send(queue, &number, 8, -1, NULL) == MMF_OK) {
        note(number, COMMITTED);
        ledger->wrote = 1;
    }
}

static void
make_ready(void)
{
    memset((void *)ledger, 0, sizeof(*ledger));
    next_of_ours = OURS;
    our_sender = our_receiver = NULL;
    helper = 0;
    if (current->flags & ALONE)
        return;
    if (create_as(MMF_ROLE_RECEIVE, &our_receiver, NULL) != MMF_OK)
        site_fail("create", mmf_last_message());
    if ((our_sender = open_as(MMF_ROLE_SEND)) == NULL)
        site_fail("open", mmf_last_message());
    for (int i = 0; i < slots(); i++)
        if ((current->flags & FULL) ||
            ((current->flags & (MESSAGES | DEAD_HOLDER)) && i < 2))
            send_ours(our_sender);
    if (current->flags & IN_HAND) {
        send_ours(our_sender);
        if (mmf_queue_take(our_receiver, 0, &in_hand) != MMF_OK)
            site_fail("take", "nothing to take");
    }
    if (current->flags & DEAD_HOLDER)
        kill_run_elsewhere(open_handle, MMF_ROLE_RECEIVE, take_twice, 0);
    if (current->flags & DEAD_WRITER)
        kill_run_elsewhere(open_handle, MMF_ROLE_SEND, run_reserve, 0);
    if (current->flags & DEAD_SOURCE)
        kill_run_elsewhere(open_handle, MMF_ROLE_SEND, prepare_second_commit_from, 0);
    if (is_the_victims(MMF_ROLE_RECEIVE) || (current->flags & SLEEPER)) {
        mmf_queue_close(our_receiver);
        our_receiver = NULL;
    }
    if (current->flags & SLEEPER)
        helper = kill_run_elsewhere(open_handle, MMF_ROLE_RECEIVE, hear_one, 1);
    if (current->flags & WRITER)
        helper = kill_run_elsewhere(open_handle, MMF_ROLE_SEND, write_one, 1);
    if (helper != 0)
        kill_await_sleep(helper);
    if (is_the_victims(MMF_ROLE_SEND)) {
        mmf_queue_close(our_sender);
        our_sender = NULL;
    }
}

static void
victim(void *argument)
{
    (void)argument;
    queue = NULL;
    held_count = 0;
    if (current->role != 0 && (queue = open_as(current->role)) == NULL)
        ledger->failed = 1005;
    if (current->prepare != NULL)
        current->prepare();
    trace_begin();
    current->run();
    trace_end();
}

/*
 * After: the survivors.
 */

/* Everything must be there; `seen` counts. */
static int
all_musts_are_seen(const int *seen)
{
    for (int i = 0; i < MOST_NUMBERS; i++) {
        int fate = ledger->fates[i];

        if ((fate == COMMITTED || fate == TAKEN) && seen[i] == 0)
            return 0;
    }
    return 1;
}

/*
 * A participant checks for dead ones at once, unless another one has done so within the
 * tick; then what the victim was releasing may come late.
 */
static int64_t
quiet_time(void)
{
    return current->flags & (SLEEPER | WRITER | DEAD_HOLDER | DEAD_WRITER | LOOKS) ? 45
                                                                                   : 0;
}

static void
receive_all(mmf_queue *through)
{
    int64_t begin = kill_now_ms(), all_seen = 0;
    int seen[MOST_NUMBERS] = {0};
    uint64_t last[2] = {0, 0};
    int done = 0;

    for (;;) {
        uint8_t bytes[200];
        uint64_t number;
        mmf_message message;
        size_t length;
        int rc = mmf_queue_receive(through, bytes, sizeof(bytes), done ? 0 : 5, &length,
                                   &message);

        if (rc < 0) {
            site_fail("receive", mmf_last_message());
            return;
        }
        if (rc == MMF_TIMED_OUT) {
            if (done)
                break;
            if (kill_now_ms() - begin > LONG_MS / 4) {
                site_fail("receive", "a message is lost");
                return;
            }
            if (all_musts_are_seen(seen)) {
                all_seen = all_seen == 0 ? kill_now_ms() : all_seen;
                done = kill_now_ms() - begin >= quiet_time();
            }
            continue;
        }
        memcpy(&number, bytes, 8);
        if (length < 8 || number >= MOST_NUMBERS || ledger->fates[number] == NEVER) {
            site_fail("receive", "a message that was never sent");
            return;
        }
        if (ledger->fates[number] == RELEASED || seen[number]++)
            site_fail("receive", "a message comes twice");
        if (ledger->fates[number] == TAKEN &&
            !(message.flags & MMF_MESSAGE_REDELIVERED))
            site_fail("receive", "it is not marked as redelivered");
        if (!(message.flags & MMF_MESSAGE_REDELIVERED)) {
            if (number < last[number >= OURS])
                site_fail("receive", "the order of commits is not kept");
            last[number >= OURS] = number;
        }
    }
    if (all_seen - begin > longest_ms)
        longest_ms = all_seen - begin;
}

/* As receive_all, but a dropped message is no loss. */
static void
forgive_dropped(void)
{
    if (!(current->flags & DROP))
        return;
    for (int i = 0; i < MOST_NUMBERS; i++)
        if (ledger->fates[i] == COMMITTED)
            ledger->fates[i] = COMMITTING;
}

/* Every slot is available, and what is sent is received. */
static void
check_slots(mmf_queue *sender, mmf_queue *receiver)
{
    for (int lap = 0; lap < 2; lap++) {
        uint64_t first = next_of_ours;

        for (int i = 0; i < slots(); i++)
            send_ours(sender);
        for (int i = 0; i < slots(); i++) {
            uint64_t number = 0;
            size_t length;
            int rc = mmf_queue_receive(receiver, &number, 8, LATE_MS, &length, NULL);

            if (rc != MMF_OK || number != first + (uint64_t)i) {
                site_fail("afterwards", rc < 0 ? mmf_last_message()
                                               : "not every slot carries a message");
                return;
            }
        }
        next_of_ours = OURS;
    }
}

static void
check_entries(mmf_role role, int taken)
{
    mmf_queue *opened[PARTICIPANTS] = {NULL};
    int count = current->flags & SINGLE ? 1 : PARTICIPANTS;

    for (int i = 0; i < count - taken; i++) {
        opened[i] = open_as(role);
        if (opened[i] == NULL)
            site_fail("a dead one's place", mmf_last_message());
    }
    for (int i = 0; i < count; i++)
        mmf_queue_close(opened[i]);
}

static void
check_sleeper(void)
{
    if (our_sender == NULL)
        our_sender = open_as(MMF_ROLE_SEND);
    if (our_sender == NULL) {
        site_fail("open", mmf_last_message());
        return;
    }
    /* It hears what was committed, if only in a tick; else what we send now. */
    if (ledger->fates[1] != COMMITTED) {
        int64_t end = kill_now_ms() + 60;

        while (ledger->fates[1] == COMMITTING && ledger->heard == 0 &&
               kill_now_ms() < end)
            usleep(200);
        if (ledger->heard == 0)
            send_ours(our_sender);
    }
    for (int64_t end = kill_now_ms() + LONG_MS / 4;
         ledger->heard == 0 && kill_now_ms() < end;)
        usleep(200);
    ledger->may_go = 1;
    kill_await_end(helper);
    if (ledger->heard != 0)
        note((uint64_t)ledger->heard, RELEASED);
    else
        site_fail("a helper", "it has heard nothing");
}

/* What the victim was committing is in the queue, or it is not, as the queue says. */
static void
settle_source(mmf_queue *through, uint64_t *applied)
{
    if (mmf_queue_applied(through, SOURCES_NUMBER, applied) != MMF_OK)
        site_fail("applied", mmf_last_message());
    for (uint64_t i = 1; i <= SOURCES_MESSAGES; i++) {
        if (ledger->fates[i] == (*applied < i ? COMMITTED : NEVER))
            site_fail("applied", "not the position that was committed");
        if (ledger->fates[i] == COMMITTING)
            note(i, *applied < i ? NEVER : COMMITTED);
    }
}

static void
send_from(mmf_queue *through, uint64_t number, int expected)
{
    if (mmf_queue_reserve(through, 8, LATE_MS, &reserved) != MMF_OK) {
        site_fail("reserve", "no slot is free");
        return;
    }
    memcpy(reserved, &number, 8);
    if (mmf_queue_commit_from(through, 8, SOURCES_NUMBER, number, NULL) != expected)
        site_fail("commit_from", mmf_last_message());
    if (expected == MMF_OK)
        note(number, COMMITTED);
    else
        mmf_queue_abandon(through);
}

/* A successor of the victim sends what is not applied. */
static void
succeed_at_source(mmf_queue *through)
{
    uint64_t applied = 0;

    settle_source(through, &applied);
    while (++applied <= SOURCES_MESSAGES)
        send_from(through, applied, MMF_OK);
}

static void
check_survivors(void)
{
    static unsigned turn; /* one time before another sender joins, one time after */
    uint64_t applied = 0;

    if (ledger->failed != 0)
        site_fail("the victim", mmf_status_name(ledger->failed));
    if (current->flags & ALONE) {
        /* No process has the name open: its contents are gone. */
        int created = 0;

        memset((void *)ledger, 0, sizeof(*ledger));
        if (create_as(MMF_ROLE_RECEIVE, &our_receiver, &created) != MMF_OK || !created)
            site_fail("create a new one",
                      created ? mmf_last_message() : "it was there");
    }
    if (current->flags & IN_HAND)
        if (mmf_queue_release(our_receiver, &in_hand) != MMF_OK)
            site_fail("release", mmf_last_message());
    if (current->flags & IN_HAND)
        note(OURS, RELEASED);
    if (current->flags & SLEEPER)
        check_sleeper();
    if (our_receiver == NULL)
        our_receiver = open_as(MMF_ROLE_RECEIVE);
    if ((current->flags & SOURCE) && our_receiver != NULL && turn++ % 2 == 0)
        settle_source(our_receiver, &applied);
    if (our_sender == NULL)
        our_sender = open_as(MMF_ROLE_SEND);
    if (our_sender == NULL || our_receiver == NULL) {
        site_fail("open", mmf_last_message());
        mmf_queue_close(our_sender);
        mmf_queue_close(our_receiver);
        return;
    }
    if (current->flags & SOURCE)
        succeed_at_source(our_sender);
    forgive_dropped();
    receive_all(our_receiver);
    if (current->flags & SOURCE)
        send_from(our_sender, SOURCES_MESSAGES, MMF_E_EXISTS);
    if (current->flags & WRITER) {
        kill_await_end(helper);
        if (!ledger->wrote)
            site_fail("a helper", "it has not sent");
        for (int i = 0; i < MOST_NUMBERS - 1; i++)
            ledger->fates[i] = NEVER;
        /* Its message came with the others, or comes now. */
        ledger->fates[MOST_NUMBERS - 1] = COMMITTING;
        receive_all(our_receiver);
    }
    next_of_ours = OURS;
    check_slots(our_sender, our_receiver);
    check_entries(MMF_ROLE_SEND, 1);
    check_entries(MMF_ROLE_RECEIVE, 1);
    mmf_queue_close(our_sender);
    mmf_queue_close(our_receiver);
}

static pid_t
start_victim(void)
{
    make_ready();
    return trace_fork(victim, NULL);
}

/*
 * The kills.
 */

/* From the command line; 0 and 0: as it is for each operation. */
static size_t wanted_first, wanted_stride;

static void
kill_all_along(size_t first, struct kill_counts *counts)
{
    const char *count = getenv("MMF_TEST_LONG");
    int all = count != NULL && strcmp(count, "1") == 0;
    struct kill_operation operation = {.start = start_victim, .check = check_survivors};
    size_t stride = all ? 1 : DEFAULT_STRIDE;

    if (quiet_time() > 0 && !all)
        stride *= 3; /* these take long */
    operation.first = wanted_stride > 0 ? wanted_first : first % stride;
    operation.stride = wanted_stride > 0 ? wanted_stride : stride;
    operation.walks = current->flags & ALONE ? 8 : 1;
    kill_along(&operation, counts);
    if (counts->missed > 2 + counts->killed / 20)
        site_fail("coverage", "too many places were missed");
}

static double
seconds(void)
{
    return (double)kill_now_ms() / 1000;
}

int
main(int argc, char **argv)
{
    static char dir[] = "/dev/shm/mmf-test-XXXXXX";
    const char *only = argc > 1 ? argv[1] : NULL;
    unsigned run = 0, failed = 0;
    unsigned long killed = 0, all_points = 0;
    char own[64];

    /* The linker's lazy work would be in the way of the count of instructions. */
    if (getenv("LD_BIND_NOW") == NULL) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", argv);
    }
    if (argc > 3) {
        wanted_first = strtoul(argv[2], NULL, 10);
        wanted_stride = strtoul(argv[3], NULL, 10);
    }
    if (!trace_possible() || !trace_knows_instructions()) {
        printf("SKIPPED: no tracing of instructions here\n"
               "SUITE: 0 passed, 0 failed, 1 skipped\n");
        return EXIT_SUCCESS;
    }
    ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!walk_find_code() || ledger == MAP_FAILED || mkdtemp(dir) == NULL) {
        perror("channel_kill_points");
        return EXIT_FAILURE;
    }
    setenv("MMF_DIR", dir, 1);
    site_begin("channel_kill_points");
    printf("%-36s %8s %8s %8s %8s\n", "operation", "places", "killed", "missed",
           "seconds");
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        unsigned long failures_before = site_failures();
        struct kill_counts counts = {0};
        double begin = seconds();

        current = &operations[i];
        if (only != NULL && strstr(current->name, only) == NULL)
            continue;
        site_operation(current->name);
        kill_all_along(i, &counts);
        printf("%-36s %8lu %8lu %8lu %8.1f\n", current->name, counts.places,
               counts.killed, counts.missed, seconds() - begin);
        fflush(stdout);
        run++;
        failed += site_failures() != failures_before;
        site_count(site_call_of(current->name), counts.killed);
        killed += counts.killed;
        all_points += counts.places;
    }
    snprintf(own, sizeof(own), "%s/mmf-%u", dir, (unsigned)geteuid());
    /* What the last of the killed had is dead, and goes with a call that comes by. */
    mmf_gc(0, NULL);
    if ((rmdir(own) < 0 && errno != ENOENT) || rmdir(dir) < 0) {
        printf("FAILED: something is left in %s\n", own);
        run++;
        failed++;
    }
    printf("killed at %lu of %lu places; all was well after %lld ms at most\n", killed,
           all_points, (long long)longest_ms);
    site_print_counts("");
    printf("SUITE: %u passed, %u failed, 0 skipped\n", run - failed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
