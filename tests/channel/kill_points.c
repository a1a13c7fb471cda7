/*
 * kill_points.c - kill a participant of a queue, a topic or a latest value at every place
 * of every call.
 *
 * The victim records in shared memory what it is about to do and what it has done. The
 * survivors account for every message. Of a queue:
 *
 *   - what was committed and not released is received once; it is marked as redelivered,
 *     and counted, if the victim had taken it
 *   - what the victim was committing or releasing is received once or not at all
 *   - nothing else is received, and all in the order of the commits, except for
 *     redelivered messages
 *   - what it was committing as a source's message is received if its position is applied,
 *     and not if it is not; so a successor that asks sends the rest, and each comes once
 *
 * Of a topic:
 *
 *   - a subscriber that was there before receives everything committed, once, in order;
 *     what the victim was committing it receives intact, once, or not at all
 *   - under DROP_OLDEST it learns how many messages it lost
 *
 * Of a latest value: a reader sees the newest that was committed, or the one that the
 * victim was committing, never an older one; and each later value is the newest.
 *
 * Of all: every slot is available, every participant's entry, and every pin; a sleeper
 * goes on whose waker is killed while it wakes it.
 */
#include "victim.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    STRIDE = 23,    /* of instructions, unless all are wanted */
    LATE_MS = 1000, /* no survivor waits so long, whatever else the machine does */
    TICKS_MS = 60,
    LAST = 70,      /* the number of our last message in a topic */
    AFTERWARDS = 80 /* the first number when all is well again */
};

static void *our_sender, *our_receiver;
static uint64_t our_version;
static mmf_message in_hand;
static pid_t helper;
static int victim_id; /* for the helper that waits for its sleep */
static mmf_event *our_event;

static int
is_queue(void)
{
    return !kill_has(TOPIC | LATEST);
}

static int
try_to_send(uint64_t number, int32_t timeout)
{
    uint8_t bytes[SIZE];
    int rc;

    fill(bytes, number);
    note(number, COMMITTED);
    rc = channel_send(our_sender, bytes, SIZE, timeout);
    if (rc < 0)
        kill_fail("our own message", mmf_last_message());
    return rc == MMF_OK;
}

static void
send_ours(uint64_t number)
{
    if (!try_to_send(number, LATE_MS))
        kill_fail("our own message", "it is not sent");
}

/*
 * What the others do.
 */

static void
do_nothing(void)
{
}

/* It holds its channel until it may go: a queue redelivers what a process has that ends. */
static void
hear_one(void)
{
    uint8_t bytes[SIZE];
    mmf_message message;
    size_t length = 0;

    if ((kill_has(LATEST) ? mmf_latest_wait(handle, 0, -1) : MMF_OK) == MMF_OK &&
        channel_receive(handle, bytes, SIZE, -1, &length, &message) == MMF_OK)
        ledger->heard = (int)number_of(bytes, length);
    if (is_queue())
        kill_await(&ledger->may_go, LONG_MS);
}

static void
write_one(void)
{
    send_number(MOST_NUMBERS - 1, 8);
    ledger->wrote = 1;
}

/* Or its death. */
static void
await_victims_sleep(void)
{
    while (victim_id != 0 && !ledger->may_go && !kill_is_asleep(victim_id))
        usleep(100);
}

static void
release_later(void)
{
    mmf_message messages[2];

    for (int i = 0; i < 2; i++)
        must(channel_take(handle, LONG_MS, &messages[i]));
    ledger->wrote = 1;
    await_victims_sleep();
    for (int i = 0; i < 2; i++) {
        note(OURS + (uint64_t)i, RELEASING);
        must(channel_release(handle, &messages[i]));
        note(OURS + (uint64_t)i, RELEASED);
    }
}

static void
wake_victim(void)
{
    mmf_event *event = open_event();

    await_victims_sleep();
    if (kill_has(SETTER))
        must(mmf_event_set(event));
    else
        send_number(OURS + 5, 8);
    mmf_event_close(event);
}

/*
 * Before.
 */

/* The victim, or no process, has the only entry of the role. */
static int
is_the_victims(mmf_role role)
{
    const char *opens = strstr(kill_current->name, "open to ");

    if (!kill_has(SINGLE) || (kill_has(TOPIC) && role != MMF_ROLE_SEND))
        return 0;
    if (kill_current->role != 0)
        return kill_current->role == role;
    return (strcmp(opens, "open to send") == 0) == (role == MMF_ROLE_SEND);
}

static void
send_first(void)
{
    uint64_t count = 0;

    if (kill_has(FULL) && (is_queue() || kill_current->role == MMF_ROLE_SEND))
        count = (uint64_t)slots();
    else if (kill_has(MESSAGES | DEAD_HOLDER))
        count = 2;
    else if (kill_has(IN_HAND))
        count = 1;
    for (uint64_t i = 0; i < count; i++)
        send_ours(OURS + i);
    if (kill_has(IN_HAND))
        kill_check("take", channel_take(our_receiver, 0, &in_hand));
}

static void
close_ours(void **channel)
{
    channel_close(*channel);
    *channel = NULL;
}

static void
start_helper(mmf_role role, void (*what)(void))
{
    helper = kill_elsewhere(role, what, 1);
    kill_await_sleep(helper);
}

/* Else, when the victim has the messages. */
static int
sleeps_before(void)
{
    return kill_has(SLEEPER) && !kill_has(MESSAGES);
}

static void
read_version(void)
{
    mmf_message message;
    uint8_t bytes[SIZE];
    size_t length;

    if (!kill_has(LATEST))
        return;
    kill_check("read",
               channel_receive(our_receiver, bytes, SIZE, 0, &length, &message));
    our_version = message.sequence;
}

static int
uses_event(void)
{
    return strstr(kill_current->name, "wait_any") != NULL ||
           strstr(kill_current->name, "poller") != NULL;
}

static void
make_ready(void)
{
    memset((void *)ledger, 0, sizeof(*ledger));
    our_sender = our_receiver = NULL;
    our_version = 0;
    helper = 0;
    if (kill_has(ALONE))
        return;
    kill_check("create", channel_create(MMF_ROLE_RECEIVE, &our_receiver, NULL));
    our_sender = channel_open(MMF_ROLE_SEND, 0);
    kill_check("open", our_sender == NULL ? MMF_E_NOT_FOUND : MMF_OK);
    if (uses_event())
        our_event = open_event();
    if (kill_has(DEAD_READER))
        kill_elsewhere(MMF_ROLE_RECEIVE, do_nothing, 0);
    send_first();
    read_version();
    if (kill_has(DEAD_HOLDER))
        kill_elsewhere(MMF_ROLE_RECEIVE, take_twice, 0);
    if (kill_has(DEAD_WRITER))
        kill_elsewhere(MMF_ROLE_SEND, run_reserve, 0);
    if (kill_has(DEAD_SOURCE))
        kill_elsewhere(MMF_ROLE_SEND, commit_and_reserve, 0);
    if (is_the_victims(MMF_ROLE_RECEIVE) || (is_queue() && kill_has(SLEEPER)))
        close_ours(&our_receiver);
    if (sleeps_before())
        start_helper(MMF_ROLE_RECEIVE, hear_one);
    if (is_the_victims(MMF_ROLE_SEND))
        close_ours(&our_sender);
}

static uint64_t receive_next(int32_t timeout, uint64_t *lost);

/* Only the victim, which stands before its run, holds the publishers. */
static void
fill_for_writer(void)
{
    uint64_t lost = 0;

    for (uint64_t i = 0; i < SLOTS; i++) {
        if (receive_next(LATE_MS, &lost) != OURS + i)
            kill_fail("receive", "what was in the full ring is not all there");
        note(OURS + i, NEVER);
    }
}

static void
meet(pid_t victim)
{
    victim_id = (int)victim;
    if (kill_has(WRITER) && kill_has(TOPIC))
        fill_for_writer();
    if (kill_has(WRITER))
        start_helper(MMF_ROLE_SEND, write_one);
    if (kill_has(SLEEPER) && !sleeps_before())
        start_helper(MMF_ROLE_RECEIVE, hear_one);
    if (kill_has(RELEASER)) {
        helper = kill_elsewhere(MMF_ROLE_RECEIVE, release_later, 1);
        kill_await(&ledger->wrote, LONG_MS);
    }
    if (kill_has(WAKER))
        helper = kill_elsewhere(MMF_ROLE_SEND, wake_victim, 1);
}

/*
 * After: a queue.
 */

/* Each message that must be there has been seen. */
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
    return kill_has(SLEEPER | WRITER | DEAD_HOLDER | DEAD_WRITER | LOOKS) ? 45 : 0;
}

/* What a queue has given. */
struct received {
    int seen[MOST_NUMBERS];
    uint64_t last[2]; /* of the victim's numbers, and of ours */
};

static void
account_for(struct received *received, uint64_t number, const mmf_message *message)
{
    int is_redelivered = (message->flags & MMF_MESSAGE_REDELIVERED) != 0;

    if (ledger->fates[number] == NEVER)
        kill_fail("receive", "a message that was never sent");
    if (ledger->fates[number] == RELEASED || received->seen[number]++)
        kill_fail("receive", "a message comes twice");
    if (is_redelivered != (message->deliveries > 1))
        kill_fail("receive", "it is marked as redelivered, or counted, but not both");
    if (ledger->fates[number] == TAKEN && !is_redelivered)
        kill_fail("receive", "it is not marked as redelivered");
    if (is_redelivered || number == MOST_NUMBERS - 1)
        return;
    if (number < received->last[number >= OURS])
        kill_fail("receive", "the order of commits is not kept");
    received->last[number >= OURS] = number;
}

static void
receive_queue(void)
{
    int64_t begin = now_ms(), all_seen = 0;
    struct received received = {.last = {0, 0}};
    int done = 0;

    for (;;) {
        uint8_t bytes[SIZE];
        mmf_message message;
        size_t length;
        int rc = mmf_queue_receive(our_receiver, bytes, sizeof(bytes), done ? 0 : 5,
                                   &length, &message);

        if (rc == MMF_OK) {
            account_for(&received, number_of(bytes, length), &message);
        } else if (rc < 0 || now_ms() - begin > LONG_MS / 4) {
            kill_fail("receive", rc < 0 ? mmf_last_message() : "a message is lost");
            return;
        } else if (done) {
            break;
        } else if (all_musts_are_seen(received.seen)) {
            all_seen = all_seen == 0 ? now_ms() : all_seen;
            done = now_ms() - begin >= quiet_time();
        }
    }
    kill_late(all_seen - begin);
}

/* A dropped message is no loss. */
static void
forgive_dropped(void)
{
    for (int i = 0; i < MOST_NUMBERS; i++)
        if (kill_has(DROP) && ledger->fates[i] == COMMITTED)
            ledger->fates[i] = COMMITTING;
}

/* What the victim was committing is in the queue, or it is not, as the queue says. */
static void
settle_source(void *through, uint64_t *applied)
{
    kill_check("applied", mmf_queue_applied(through, SOURCES_NUMBER, applied));
    for (uint64_t i = 1; i <= SOURCES_MESSAGES; i++) {
        if (ledger->fates[i] == (*applied < i ? COMMITTED : NEVER))
            kill_fail("applied", "not the position that was committed");
        if (ledger->fates[i] == COMMITTING)
            note(i, *applied < i ? NEVER : COMMITTED);
    }
}

static void
send_from(uint64_t number, int expected)
{
    void *bytes;

    if (mmf_queue_reserve(our_sender, SIZE, LATE_MS, &bytes) != MMF_OK) {
        kill_fail("reserve", "no slot is free");
        return;
    }
    fill(bytes, number);
    if (mmf_queue_commit_from(our_sender, SIZE, SOURCES_NUMBER, number, NULL) !=
        expected)
        kill_fail("commit_from", mmf_last_message());
    if (expected == MMF_OK)
        note(number, COMMITTED);
    else
        mmf_queue_abandon(our_sender);
}

/* A successor of the victim sends what is not applied. */
static void
succeed_at_source(void)
{
    uint64_t applied = 0;

    settle_source(our_sender, &applied);
    while (++applied <= SOURCES_MESSAGES)
        send_from(applied, MMF_OK);
}

/* Every slot is available, and what is sent is received. */
static void
check_queue_slots(void)
{
    for (int lap = 0; lap < 2; lap++) {
        for (int i = 0; i < slots(); i++)
            send_ours(AFTERWARDS + (uint64_t)i);
        for (int i = 0; i < slots(); i++) {
            uint64_t lost = 0;

            if (receive_next(LATE_MS, &lost) != AFTERWARDS + (uint64_t)i)
                kill_fail("afterwards", "not every slot carries a message");
        }
    }
}

static void
check_queue(void)
{
    if (kill_has(IN_HAND)) {
        kill_check("release", mmf_queue_release(our_receiver, &in_hand));
        note(OURS, RELEASED);
    }
    if (kill_has(SOURCE))
        succeed_at_source();
    forgive_dropped();
    receive_queue();
    if (kill_has(SOURCE))
        send_from(SOURCES_MESSAGES, MMF_E_EXISTS);
    if (kill_has(WRITER)) {
        kill_await_end(helper);
        for (int i = 0; i < MOST_NUMBERS - 1; i++)
            note((uint64_t)i, NEVER);
        /* Its message came with the others, or comes now. */
        note(MOST_NUMBERS - 1, COMMITTING);
        receive_queue();
    }
    check_queue_slots();
    if (!kill_has(SINGLE))
        kill_check("drain", mmf_queue_drain(our_sender, 0));
}

/*
 * After: a topic.
 */

/* The next message that our receiver sees. 0: none. */
static uint64_t
receive_next(int32_t timeout, uint64_t *lost)
{
    uint8_t bytes[SIZE];
    mmf_message message = {.lost = 0};
    size_t length;
    int rc = channel_receive(our_receiver, bytes, SIZE, timeout, &length, &message);

    if (rc == MMF_TIMED_OUT)
        return 0;
    kill_check("receive", rc);
    if (rc != MMF_OK)
        return 0;
    *lost += message.lost;
    return number_of(bytes, length);
}

/* What our subscriber has seen. */
struct account {
    int seen[MOST_NUMBERS];
    uint64_t highest[2]; /* of the victim's, and of ours */
    uint64_t lost;
};

/* 0: no message. */
static uint64_t
take_into_account(struct account *account)
{
    uint64_t number = receive_next(LATE_MS, &account->lost);

    if (number == 0) {
        kill_fail("receive", "a message is lost");
        return 0;
    }
    if (ledger->fates[number] == NEVER)
        kill_fail("receive", "a message that was never sent");
    if (account->seen[number]++)
        kill_fail("receive", "a message comes twice");
    if (number == MOST_NUMBERS - 1) /* the helper's: anywhere */
        return number;
    if (number <= account->highest[number >= OURS])
        kill_fail("receive", "the order of commits is not kept");
    account->highest[number >= OURS] = number;
    return number;
}

static uint64_t
count_missing(const struct account *account)
{
    uint64_t missing = 0;

    for (int i = 0; i < MOST_NUMBERS; i++)
        missing += ledger->fates[i] == COMMITTED && !account->seen[i];
    return missing;
}

/* All up to one last message, for which there may be no slot before we have read. */
static void
receive_topic(void)
{
    struct account account = {.lost = 0};
    uint64_t number;

    while (!try_to_send(LAST, 25))
        if (take_into_account(&account) == 0)
            return;
    do
        number = take_into_account(&account);
    while (number != 0 && number != LAST);
    if (count_missing(&account) > account.lost)
        kill_fail("receive", "what was committed is neither seen nor counted as lost");
    if (!kill_has(DROP) && account.lost != 0)
        kill_fail("receive", "something is counted as lost");
}

/* Fill the topic, and empty it: whether all slots were available. */
static int
go_round(void)
{
    /* Under DROP_OLDEST a whole lap would be the edge of being overtaken. */
    int most = kill_has(DROP) ? SLOTS / 2 : SLOTS;
    uint64_t lost = 0;
    int count = 0;

    while (count < most && try_to_send(AFTERWARDS + (uint64_t)count, 25))
        count++;
    for (int i = 0; i < count; i++)
        if (receive_next(LATE_MS, &lost) != AFTERWARDS + (uint64_t)i)
            kill_fail("afterwards", "a subscriber does not see what is published");
    if (receive_next(0, &lost) != 0 || lost != 0)
        kill_fail("afterwards", "there is more, or less, than what was published");
    return count == most;
}

/*
 * Every slot carries a message again. The index of a slot that the victim had is
 * skipped until a participant has to wait and checks: so a lap or two have one less.
 */
static void
check_topic(void)
{
    int64_t begin = now_ms();
    int whole = 0;

    receive_topic();
    kill_late(now_ms() - begin);
    for (int64_t end = now_ms() + LATE_MS; whole < 2 && now_ms() < end;)
        whole = go_round() ? whole + 1 : 0;
    if (whole < 2)
        kill_fail("afterwards", "not every slot carries a message");
}

/*
 * After: a latest value.
 */

/* The newest value, whole, never an older one. 0: none. */
static uint64_t
read_newest(void)
{
    uint8_t bytes[SIZE];
    mmf_message message = {.sequence = 0};
    size_t length;
    int rc = channel_receive(our_receiver, bytes, SIZE, 0, &length, &message);

    kill_check("read", rc);
    if (rc != MMF_OK || message.sequence == 0)
        return 0;
    if ((int64_t)(message.sequence - our_version) < 0)
        kill_fail("read", "an older version than before");
    our_version = message.sequence;
    return number_of(bytes, length);
}

static void
check_latest(void)
{
    int64_t begin = now_ms();
    uint64_t newest = 0, number = read_newest();

    for (uint64_t i = 0; i < MOST_NUMBERS; i++)
        if (ledger->fates[i] == COMMITTED)
            newest = i;
    if (number < newest)
        kill_fail("read", "an older value than the newest");
    if (number > newest && ledger->fates[number] != COMMITTING)
        kill_fail("read", "a value that was never written");
    if (read_newest() != number)
        kill_fail("read", "another value, without a write");
    for (uint64_t i = 0; i < (uint64_t)LATEST_SLOTS * 3; i++) {
        uint64_t before = our_version;

        send_ours(AFTERWARDS + i);
        kill_check("wait", mmf_latest_wait(our_receiver, before, LATE_MS));
        if (read_newest() != AFTERWARDS + i)
            kill_fail("afterwards", "the value written is not the newest");
        if (mmf_latest_wait(our_receiver, our_version, 0) != MMF_TIMED_OUT)
            kill_fail("afterwards", "a version newer than the newest");
    }
    kill_late(now_ms() - begin);
}

/*
 * After: all of them.
 */

static void
check_entries(mmf_role role)
{
    void *opened[PARTICIPANTS] = {NULL};
    int count = kill_has(SINGLE) ? 0 : PARTICIPANTS - 1;

    for (int i = 0; i < count; i++) {
        opened[i] = channel_open(role, 0);
        if (opened[i] == NULL)
            kill_fail("a dead one's place", mmf_last_message());
    }
    for (int i = 0; i < count; i++)
        channel_close(opened[i]);
}

/* All pins are available together: the dead one's is free. */
static void
check_pins(void)
{
    void *readers[LATEST_PINS] = {our_receiver};
    int pins = kill_has(LATEST) ? LATEST_PINS : TOPIC_PINS;
    mmf_message message;

    for (int i = 1; i < pins; i++)
        readers[i] = channel_open(MMF_ROLE_RECEIVE, 0);
    send_ours(AFTERWARDS);
    for (int i = 0; i < pins; i++)
        kill_check("afterwards: a pin", channel_take(readers[i], LATE_MS, &message));
    for (int i = 0; i < pins; i++)
        kill_check("afterwards: a pin", channel_release(readers[i], &message));
    for (int i = 1; i < pins; i++)
        channel_close(readers[i]);
}

/*
 * It hears what was committed, if only in a tick, or what the victim had; else what we
 * send now.
 */
static void
check_sleeper(void)
{
    uint64_t number = kill_has(LATEST) ? OURS + 10 : 1;
    int has_some = ledger->fates[number] == COMMITTED || !sleeps_before();

    if (!has_some && ledger->fates[number] == COMMITTING)
        kill_await(&ledger->heard, TICKS_MS);
    if (!has_some && ledger->heard == 0)
        send_ours(LAST - 1);
    kill_await(&ledger->heard, LONG_MS / 4);
    if (ledger->heard == 0)
        kill_fail("a helper", "it has heard nothing");
    else if (has_some && sleeps_before() && ledger->heard != (int)number)
        kill_fail("a helper", "it has heard something else than the first");
    ledger->may_go = 1;
    kill_await_end(helper);
    if (ledger->heard != 0 && is_queue())
        note((uint64_t)ledger->heard, RELEASED);
}

static void
check_event(void)
{
    /* What the setter gave, or a dead process had been given. */
    if (mmf_event_wait(our_event, 0) < 0)
        kill_fail("the event", mmf_last_message());
    kill_check("the event", mmf_event_set(our_event));
    kill_check("the event", mmf_event_wait(our_event, 0));
    if (mmf_event_wait(our_event, 0) != MMF_TIMED_OUT)
        kill_fail("the event", "is set twice");
    mmf_event_close(our_event);
}

/* No process has the name open: its contents are gone. */
static void
create_again(void)
{
    int created = 0;

    memset((void *)ledger, 0, sizeof(*ledger));
    kill_check("create a new one",
               channel_create(MMF_ROLE_RECEIVE, &our_receiver, &created));
    if (!created)
        kill_fail("create a new one", "it was there");
}

static void
check_helper(void)
{
    ledger->may_go = !kill_has(SLEEPER);
    if (kill_has(SLEEPER))
        check_sleeper();
    else if (helper != 0 && !(is_queue() && kill_has(WRITER)))
        kill_await_end(helper);
}

static void
check(void)
{
    static unsigned turn; /* one time before another sender joins, one time after */
    uint64_t applied = 0;

    if (ledger->failed != 0)
        kill_fail("the victim", mmf_status_name(ledger->failed));
    if (kill_has(ALONE))
        create_again();
    if (kill_has(SOURCE) && our_receiver != NULL && turn++ % 2 == 0)
        settle_source(our_receiver, &applied);
    if (our_sender == NULL)
        our_sender = channel_open(MMF_ROLE_SEND, 0);
    check_helper();
    if (our_receiver == NULL)
        our_receiver = channel_open(MMF_ROLE_RECEIVE, 0);
    if (our_sender == NULL || our_receiver == NULL) {
        kill_fail("open", mmf_last_message());
    } else {
        (kill_has(LATEST)  ? check_latest
         : kill_has(TOPIC) ? check_topic
                           : check_queue)();
        if (kill_has(LATEST | PINS))
            check_pins();
        check_entries(MMF_ROLE_SEND);
        check_entries(MMF_ROLE_RECEIVE);
    }
    if (uses_event())
        check_event();
    if (kill_has(WRITER) && !ledger->wrote)
        kill_fail("a helper", "it has not sent");
    channel_close(our_sender);
    channel_close(our_receiver);
}

static void
begin(void)
{
    ledger = kill_shared(sizeof(*ledger));
}

int
main(int argc, char **argv)
{
    const struct kill_suite suite = {
        .program = "channel_kill_points",
        .operations = operations,
        .count = operation_count,
        .begin = begin,
        .make_ready = make_ready,
        .open = open_handle,
        .meet = meet,
        .check = check,
        .stride = STRIDE,
        .walks = 1,
        .tries = 20,
        .rare_tries = 4,
        .spare = 20,
    };

    return kill_main(argc, argv, &suite);
}
