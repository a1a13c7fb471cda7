/*
 * victim.c - see victim.h.
 */
#include "victim.h"

#include <stdlib.h>
#include <string.h>

struct ledger *ledger;

void
fill(uint8_t *bytes, uint64_t number)
{
    memcpy(bytes, &number, 8);
    for (size_t i = 8; i < SIZE; i++)
        bytes[i] = (uint8_t)(number * 31 + i * 7);
}

uint64_t
number_of(const void *bytes, size_t length)
{
    uint8_t expected[SIZE];
    uint64_t number = 0;

    if (length < 8 || length > SIZE) {
        kill_fail("a message", "its length was never sent");
        return 0;
    }
    memcpy(&number, bytes, 8);
    fill(expected, number);
    if (number >= MOST_NUMBERS || memcmp(bytes, expected, length) != 0) {
        kill_fail("a message", "it is torn");
        return 0;
    }
    return number;
}

void
note(uint64_t number, enum fate fate)
{
    ledger->fates[number] = (int)fate;
}

void
must(int rc)
{
    if (rc != MMF_OK)
        ledger->failed = rc < 0 ? rc : 1000;
}

/* The call must answer so. */
static void
must_be(int rc, int expected)
{
    if (rc != expected)
        ledger->failed = rc < 0 ? rc : 1001;
}

/*
 * Channels.
 */

#define PICK(queue, topic, latest)                                                     \
    (kill_has(LATEST) ? (latest) : kill_has(TOPIC) ? (topic) : (queue))

int
slots(void)
{
    return kill_has(ONE_SLOT) ? 1 : SLOTS;
}

static mmf_channel_options
options_for(mmf_role role)
{
    mmf_channel_options options = {.size = sizeof(options), .role = role};

    options.max_senders = options.max_receivers = PARTICIPANTS;
    options.strategy = MMF_STRATEGY_WAIT;
    if (kill_has(SINGLE))
        options.flags =
            kill_has(TOPIC) ? MMF_CHANNEL_SINGLE_PRODUCER : MMF_CHANNEL_SPSC;
    options.max_pins = kill_has(LATEST) ? LATEST_PINS : kill_has(PINS) ? TOPIC_PINS : 0;
    return options;
}

int
channel_create(mmf_role role, void **out, int *created)
{
    mmf_channel_options options = options_for(role);
    mmf_overflow overflow =
        kill_has(DROP) ? MMF_OVERFLOW_DROP_OLDEST : MMF_OVERFLOW_BLOCK;
    size_t capacity = (size_t)slots();
    mmf_queue *queue = NULL;
    mmf_topic *topic = NULL;
    mmf_latest *latest = NULL;
    int rc = PICK(mmf_queue_create_or_open("C", SIZE, capacity, overflow, &options,
                                           created, &queue),
                  mmf_topic_create_or_open("C", SIZE, capacity, overflow, &options,
                                           created, &topic),
                  mmf_latest_create_or_open("C", SIZE, &options, created, &latest));

    *out = PICK((void *)queue, (void *)topic, (void *)latest);
    return rc;
}

void *
channel_open(mmf_role role, int32_t replay)
{
    mmf_channel_options options = {.size = sizeof(options), .role = role};
    mmf_queue *queue = NULL;
    mmf_topic *topic = NULL;
    mmf_latest *latest = NULL;

    options.strategy = MMF_STRATEGY_WAIT;
    options.replay = replay;
    if (PICK(mmf_queue_open_existing("C", &options, &queue),
             mmf_topic_open_existing("C", &options, &topic),
             mmf_latest_open_existing("C", &options, &latest)) != MMF_OK)
        return NULL;
    return PICK((void *)queue, (void *)topic, (void *)latest);
}

void
channel_close(void *channel)
{
    PICK(mmf_queue_close(channel), mmf_topic_close(channel), mmf_latest_close(channel));
}

int
channel_send(void *channel, const void *bytes, size_t length, int32_t timeout)
{
    return PICK(mmf_queue_send(channel, bytes, length, timeout, NULL),
                mmf_topic_send(channel, bytes, length, timeout, NULL),
                mmf_latest_send(channel, bytes, length, NULL));
}

int
channel_take(void *channel, int32_t timeout, mmf_message *message)
{
    return PICK(mmf_queue_take(channel, timeout, message),
                mmf_topic_take(channel, timeout, message),
                mmf_latest_take(channel, message));
}

int
channel_release(void *channel, const mmf_message *message)
{
    return PICK(mmf_queue_release(channel, message), mmf_topic_release(channel),
                mmf_latest_release(channel));
}

/* The version of a latest value is its message's sequence. */
int
channel_receive(void *channel, void *bytes, size_t size, int32_t timeout,
                size_t *length, mmf_message *message)
{
    return PICK(mmf_queue_receive(channel, bytes, size, timeout, length, message),
                mmf_topic_receive(channel, bytes, size, timeout, length, message),
                mmf_latest_receive(channel, bytes, size, length, &message->sequence));
}

/*
 * The victim's calls. Of a latest value its number is above all of ours.
 */

void *handle;
static void *reserved;
static mmf_message held[4];
static size_t held_count;
static mmf_poller *poller;

static uint64_t
own_number(void)
{
    return kill_has(LATEST) ? OURS + 10 : 1;
}

void
open_handle(uint32_t role)
{
    handle = channel_open((mmf_role)role, 0);
    must_be(handle != NULL, 1);
}

void
send_number(uint64_t number, size_t length)
{
    uint8_t bytes[SIZE];

    fill(bytes, number);
    note(number, COMMITTING);
    must(channel_send(handle, bytes, length, LONG_MS));
    note(number, COMMITTED);
}

STEP(run_send, send_number(own_number(), 8));
STEP(run_send_long, send_number(own_number(), SIZE));
STEP(run_send_twice, send_number(1, SIZE); send_number(2, 60));

/* A lap and a half: it comes to the newest's slot, too. */
static void
run_send_often(void)
{
    for (size_t i = 0; i < LATEST_SLOTS * 3 / 2; i++)
        send_number(own_number() + i, 8 + i);
}

static void
run_send_many(void)
{
    static uint8_t bytes[3][SIZE];
    mmf_buffer buffers[3];
    size_t sent = 0;

    for (size_t i = 0; i < 3; i++) {
        fill(bytes[i], i + 1);
        buffers[i] = (mmf_buffer){bytes[i], 8 + i};
        note(i + 1, COMMITTING);
    }
    must(PICK(mmf_queue_send_many(handle, buffers, 3, 0, &sent),
              mmf_topic_send_many(handle, buffers, 3, 0, &sent), MMF_E_WRONG_KIND));
    must_be((int)sent, 3);
    for (size_t i = 0; i < sent; i++)
        note(i + 1, COMMITTED);
}

STEP(run_send_in_vain, must_be(channel_send(handle, "x", 1, SHORT_MS), MMF_TIMED_OUT));

void
run_reserve(void)
{
    must(PICK(mmf_queue_reserve(handle, SIZE, LONG_MS, &reserved),
              mmf_topic_reserve(handle, SIZE, LONG_MS, &reserved),
              mmf_latest_reserve(handle, SIZE, &reserved)));
}

/* So that the reservation takes the fast path of a single publisher. */
STEP(send_and_reserve, send_number(own_number(), 8); run_reserve());

static void
commit(uint64_t number)
{
    fill(reserved, number);
    note(number, COMMITTING);
    must(PICK(mmf_queue_commit(handle, SIZE, NULL),
              mmf_topic_commit(handle, SIZE, NULL),
              mmf_latest_commit(handle, SIZE, NULL)));
    note(number, COMMITTED);
}

STEP(run_commit, commit(own_number()));
STEP(run_second_commit, commit(own_number() + 1));

/* What is reserved, as the source's next message. */
static void
commit_from(uint64_t number)
{
    fill(reserved, number);
    note(number, COMMITTING);
    must(mmf_queue_commit_from(handle, 8, SOURCES_NUMBER, number, NULL));
    note(number, COMMITTED);
}

STEP(run_commit_from, commit_from(1));

void
commit_and_reserve(void)
{
    run_reserve();
    commit_from(1);
    run_reserve();
}

STEP(run_second_commit_from, commit_from(2));

static void
run_applied(void)
{
    uint64_t applied = 0;

    must(mmf_queue_applied(handle, SOURCES_NUMBER, &applied));
    must_be((int)applied, 1);
}

STEP(run_abandon, must(PICK(mmf_queue_abandon(handle), mmf_topic_abandon(handle),
                            mmf_latest_abandon(handle))));

/* Of a queue alone: what others take and release of a topic is not this one's. */
static void
note_held(enum fate fate)
{
    for (size_t i = 0; i < held_count && !kill_has(TOPIC | LATEST); i++)
        note(number_of(held[i].bytes, held[i].length), fate);
}

static void
note_released(void)
{
    /* The bytes may be another message's by now. */
    for (int i = 0; i < MOST_NUMBERS; i++)
        if (ledger->fates[i] == RELEASING)
            ledger->fates[i] = RELEASED;
}

static void
run_take(void)
{
    must(channel_take(handle, LONG_MS, &held[held_count]));
    held_count++;
    note_held(TAKEN);
}

void
take_twice(void)
{
    run_take();
    run_take();
}

static void
run_take_many(void)
{
    must(mmf_queue_take_many(handle, 3, LONG_MS, held, &held_count));
    note_held(TAKEN);
}

static void
run_release(void)
{
    note_held(RELEASING);
    for (size_t i = 0; i < held_count; i++)
        must(channel_release(handle, &held[i]));
    note_released();
}

static void
run_release_many(void)
{
    note_held(RELEASING);
    must(mmf_queue_release_many(handle, held, held_count));
    note_released();
}

static void
run_return(void)
{
    for (size_t i = 0; i < held_count; i++)
        must(mmf_queue_return(handle, &held[i]));
}

STEP(run_drain, must(mmf_queue_drain(handle, LONG_MS)));
STEP(run_drain_in_vain, must_be(mmf_queue_drain(handle, SHORT_MS), MMF_TIMED_OUT));

/* Messages of ours that the victim, a subscriber by now, has before it. */
static void
send_as_us(uint64_t count)
{
    void *subscriber = handle;

    handle = channel_open(MMF_ROLE_SEND, 0);
    for (uint64_t i = 0; i < count; i++)
        send_number(OURS + i, 8);
    channel_close(handle);
    handle = subscriber;
}

STEP(see_messages, send_as_us(kill_has(FULL) ? SLOTS : 2));
STEP(see_and_take, see_messages(); run_take());

/* Some were overwritten before it came to them. */
STEP(be_overtaken, send_as_us(SLOTS * 2));

/* The next message is our first. */
static void
run_receive(void)
{
    uint8_t bytes[SIZE];
    mmf_message message;
    size_t length = 0;

    if (!kill_has(TOPIC))
        note(OURS, RELEASING);
    must(channel_receive(handle, bytes, SIZE, LONG_MS, &length, &message));
    note_released();
    must_be((int)number_of(bytes, length), OURS);
}

static void
run_receive_newest(void)
{
    uint8_t bytes[SIZE];
    mmf_message message;
    size_t length = 0;

    must(channel_receive(handle, bytes, SIZE, 0, &length, &message));
    must_be((int)number_of(bytes, length), OURS + 1);
}

static void
run_receive_overtaken(void)
{
    uint8_t bytes[SIZE];
    mmf_message message;
    size_t length = 0;

    must(channel_receive(handle, bytes, SIZE, LONG_MS, &length, &message));
    must_be(message.lost == number_of(bytes, length) - OURS && message.lost > 0, 1);
}

static void
run_receive_too_small(void)
{
    mmf_message message;
    size_t length;
    char byte;

    must_be(channel_receive(handle, &byte, 1, LONG_MS, &length, &message), MMF_E_RANGE);
}

/* Two of the dead one's. */
static void
run_receive_returned(void)
{
    uint8_t bytes[SIZE];
    size_t length = 0;

    note(OURS, RELEASING);
    note(OURS + 1, RELEASING);
    for (int i = 0; i < 2; i++) {
        must(mmf_queue_receive(handle, bytes, SIZE, LONG_MS, &length, NULL));
        note(number_of(bytes, length), RELEASED);
    }
}

static void
run_receive_in_vain(void)
{
    uint8_t bytes[SIZE];
    mmf_message message;
    size_t length;

    must_be(channel_receive(handle, bytes, SIZE, SHORT_MS, &length, &message),
            MMF_TIMED_OUT);
}

STEP(run_wait, must(mmf_latest_wait(handle, 0, LONG_MS)));
STEP(run_wait_in_vain, must_be(mmf_latest_wait(handle, 0, SHORT_MS), MMF_TIMED_OUT));
STEP(run_close, channel_close(handle));

static void
run_fd(void)
{
    int fd;

    must(PICK(mmf_queue_fd(handle, &fd), mmf_topic_fd(handle, &fd),
              mmf_latest_fd(handle, &fd)));
}

static void
run_stat(void)
{
    mmf_channel_stats stats;

    must(mmf_channel_stat("C", &stats));
}

STEP(run_open_to_send, open_handle(MMF_ROLE_SEND));
STEP(run_open_to_receive, open_handle(MMF_ROLE_RECEIVE));

static void
run_open_with_replay(void)
{
    handle = channel_open(MMF_ROLE_RECEIVE, 2);
    must_be(handle != NULL, 1);
}

static void
run_create(void)
{
    must(channel_create(kill_has(TOPIC | LATEST) ? MMF_ROLE_BOTH : MMF_ROLE_SEND,
                        &handle, NULL));
    run_send();
}

/*
 * Together with other objects.
 */

static mmf_event *event;

mmf_event *
open_event(void)
{
    mmf_event *opened = NULL;

    kill_check("the event", mmf_event_create_or_open("E", 0, MMF_EVENT_AUTO_RESET, NULL,
                                                     NULL, &opened));
    return opened;
}

static mmf_waitable *
waitable(void)
{
    return PICK(mmf_queue_waitable(handle), mmf_topic_waitable(handle),
                mmf_latest_waitable(handle));
}

STEP(open_both, event = open_event());
STEP(see_and_open, see_messages(); open_both());

static void
wait_for_both(int32_t timeout, int expected, int expected_index)
{
    mmf_waitable *objects[] = {mmf_event_waitable(event), waitable()};
    int index = -1;

    must_be(mmf_wait_any(objects, 2, timeout, &index), expected);
    must_be(index, expected_index);
}

STEP(run_wait_any, wait_for_both(LONG_MS, MMF_OK, kill_has(SETTER) ? 0 : 1));
STEP(run_wait_any_in_vain, wait_for_both(SHORT_MS, MMF_TIMED_OUT, -1));
STEP(run_poller_create, must(mmf_poller_create(&poller)));

static void
run_poller_add(void)
{
    must(mmf_poller_add(poller, waitable(), handle));
    must(mmf_poller_add(poller, mmf_event_waitable(event), event));
}

STEP(open_poller, open_both(); run_poller_create());
STEP(fill_poller, open_poller(); run_poller_add());

static void
run_poller_ready(void)
{
    void *data[2];
    size_t count;

    must(mmf_poller_ready(poller, data, 2, &count));
}

static void
run_poller_remove(void)
{
    must(mmf_poller_remove(poller, waitable()));
    must(mmf_poller_remove(poller, mmf_event_waitable(event)));
}

STEP(run_poller_close, mmf_poller_close(poller));

#define SEND MMF_ROLE_SEND
#define RECEIVE MMF_ROLE_RECEIVE
#define CREATES (ALONE | KILL_CREATES)
#define WAITS (LOOKS | KILL_SLOW)
#define TO_SLEEPER (SLEEPER | KILL_SLOW)
#define TO_WRITER (FULL | WRITER | KILL_SLOW)
#define OVER_HOLDER (DEAD_HOLDER | KILL_SLOW)
#define OVER_WRITER (DEAD_WRITER | KILL_SLOW)
#define SLEEPS (LOOKS | WAKER | KILL_ASLEEP | KILL_SLOW)

const struct kill_operation operations[] = {
    {"queue: create", CREATES, 0, NULL, run_create},
    {"queue: open to send", MESSAGES, 0, NULL, run_open_to_send},
    {"queue: open to receive", MESSAGES, 0, NULL, run_open_to_receive},
    {"queue: open over a dead one", OVER_HOLDER, 0, NULL, run_open_to_receive},
    {"queue: stat", MESSAGES, 0, NULL, run_stat},
    {"queue: send", MESSAGES, SEND, NULL, run_send},
    {"queue: send, long", 0, SEND, NULL, run_send_long},
    {"queue: send, twice", 0, SEND, NULL, run_send_twice},
    {"queue: send, one slot", ONE_SLOT, SEND, NULL, run_send},
    {"queue: send past a slot in flight", IN_HAND, SEND, NULL, run_send_twice},
    {"queue: send, dropping the oldest", DROP | FULL, SEND, NULL, run_send_twice},
    {"queue: send to a full queue", FULL | WAITS, SEND, NULL, run_send_in_vain},
    {"queue: send to a sleeper", TO_SLEEPER, SEND, NULL, run_send},
    {"queue: send over a dead one's slot", ONE_SLOT | OVER_WRITER, SEND, NULL,
     run_send},
    {"queue: send_many", 0, SEND, NULL, run_send_many},
    {"queue: reserve", MESSAGES, SEND, NULL, run_reserve},
    {"queue: commit", MESSAGES, SEND, run_reserve, run_commit},
    {"queue: commit_from", SOURCE, SEND, run_reserve, run_commit_from},
    {"queue: commit_from, again", SOURCE, SEND, commit_and_reserve,
     run_second_commit_from},
    {"queue: commit_from, of a dead one's source", SOURCE | DEAD_SOURCE, SEND,
     run_reserve, run_second_commit_from},
    {"queue: applied, of a dead one's source", SOURCE | DEAD_SOURCE, RECEIVE, NULL,
     run_applied},
    {"queue: abandon", ONE_SLOT, SEND, run_reserve, run_abandon},
    {"queue: close with a reservation", ONE_SLOT, SEND, run_reserve, run_close},
    {"queue: take", MESSAGES, RECEIVE, NULL, run_take},
    {"queue: take_many", MESSAGES, RECEIVE, NULL, run_take_many},
    {"queue: release", MESSAGES, RECEIVE, take_twice, run_release},
    {"queue: release_many", MESSAGES, RECEIVE, take_twice, run_release_many},
    {"queue: release to a sender that waits", TO_WRITER, RECEIVE, run_take,
     run_release},
    {"queue: return", MESSAGES, RECEIVE, take_twice, run_return},
    {"queue: return to a sleeper", MESSAGES | TO_SLEEPER, RECEIVE, take_twice,
     run_return},
    {"queue: drain of nothing", 0, SEND, NULL, run_drain},
    {"queue: drain in vain", MESSAGES | WAITS, SEND, NULL, run_drain_in_vain},
    {"queue: drain, sleeps", MESSAGES | RELEASER | KILL_ASLEEP | WAITS, SEND, NULL,
     run_drain},
    {"queue: receive", MESSAGES, RECEIVE, NULL, run_receive},
    {"queue: receive, too small a buffer", MESSAGES, RECEIVE, NULL,
     run_receive_too_small},
    {"queue: receive from an empty queue", WAITS, RECEIVE, NULL, run_receive_in_vain},
    {"queue: receive what a dead one had", OVER_HOLDER, RECEIVE, NULL,
     run_receive_returned},
    {"queue: close with messages in flight", MESSAGES, RECEIVE, take_twice, run_close},
    {"queue: fd", MESSAGES, RECEIVE, NULL, run_fd},
    {"queue: wait_any", MESSAGES, RECEIVE, open_both, run_wait_any},
    {"queue: wait_any in vain", WAITS, RECEIVE, open_both, run_wait_any_in_vain},
    {"queue: wait_any, sleeps", SLEEPS, RECEIVE, open_both, run_wait_any},
    {"queue: wait_any, sleeps, event", SETTER | SLEEPS, RECEIVE, open_both,
     run_wait_any},
    {"queue: poller_create", MESSAGES, RECEIVE, open_both, run_poller_create},
    {"queue: poller_add", MESSAGES, RECEIVE, open_poller, run_poller_add},
    {"queue: poller_ready", MESSAGES, RECEIVE, fill_poller, run_poller_ready},
    {"queue: poller_remove", MESSAGES, RECEIVE, fill_poller, run_poller_remove},
    {"queue: poller_close", MESSAGES, RECEIVE, fill_poller, run_poller_close},
    {"SPSC: open to send", SINGLE | MESSAGES, 0, NULL, run_open_to_send},
    {"SPSC: open to receive", SINGLE | MESSAGES, 0, NULL, run_open_to_receive},
    {"SPSC: send", SINGLE, SEND, NULL, run_send_twice},
    {"SPSC: send to a sleeper", SINGLE | TO_SLEEPER, SEND, NULL, run_send},
    {"SPSC: send_many", SINGLE, SEND, NULL, run_send_many},
    {"SPSC: reserve", SINGLE, SEND, NULL, run_reserve},
    {"SPSC: commit", SINGLE, SEND, run_reserve, run_commit},
    {"SPSC: commit_from", SINGLE | SOURCE, SEND, run_reserve, run_commit_from},
    {"SPSC: commit_from, again", SINGLE | SOURCE, SEND, commit_and_reserve,
     run_second_commit_from},
    {"SPSC: abandon", SINGLE | ONE_SLOT, SEND, run_reserve, run_abandon},
    {"SPSC: close with a reservation", SINGLE, SEND, run_reserve, run_close},
    {"SPSC: drain in vain", SINGLE | MESSAGES | WAITS, SEND, NULL, run_drain_in_vain},
    {"SPSC: take", SINGLE | MESSAGES, RECEIVE, NULL, run_take},
    {"SPSC: take_many", SINGLE | MESSAGES, RECEIVE, NULL, run_take_many},
    {"SPSC: release", SINGLE | MESSAGES, RECEIVE, take_twice, run_release},
    {"SPSC: release_many", SINGLE | MESSAGES, RECEIVE, take_twice, run_release_many},
    {"SPSC: receive", SINGLE | MESSAGES, RECEIVE, NULL, run_receive},
    {"SPSC: close with messages in flight", SINGLE | MESSAGES, RECEIVE, take_twice,
     run_close},
    {"SPSC: wait_any in vain", SINGLE | WAITS, RECEIVE, open_both,
     run_wait_any_in_vain},
    {"topic: create", TOPIC | CREATES, 0, NULL, run_create},
    {"topic: open to send", TOPIC | MESSAGES, 0, NULL, run_open_to_send},
    {"topic: open to receive", TOPIC | MESSAGES, 0, NULL, run_open_to_receive},
    {"topic: open with replay", TOPIC | MESSAGES, 0, NULL, run_open_with_replay},
    {"topic: open over a dead one", TOPIC | MESSAGES | DEAD_READER | KILL_SLOW, 0, NULL,
     run_open_to_receive},
    {"topic: send", TOPIC | MESSAGES, SEND, NULL, run_send},
    {"topic: send, twice", TOPIC, SEND, NULL, run_send_twice},
    {"topic: send, dropping the oldest", TOPIC | DROP | FULL, SEND, NULL,
     run_send_twice},
    {"topic: send to a full topic", TOPIC | FULL | WAITS, SEND, NULL, run_send_in_vain},
    {"topic: send to a sleeper", TOPIC | TO_SLEEPER, SEND, NULL, run_send},
    {"topic: send_many over a dead one's slot", TOPIC | OVER_WRITER, SEND, NULL,
     run_send_many},
    {"topic: send_many", TOPIC, SEND, NULL, run_send_many},
    {"topic: one publisher, open to send", TOPIC | SINGLE | MESSAGES, 0, NULL,
     run_open_to_send},
    {"topic: one publisher, send, twice", TOPIC | SINGLE, SEND, NULL, run_send_twice},
    {"topic: one publisher, send to a sleeper", TOPIC | SINGLE | TO_SLEEPER, SEND, NULL,
     run_send},
    {"topic: one publisher, send, dropping the oldest", TOPIC | SINGLE | DROP, SEND,
     NULL, run_send_twice},
    {"topic: one publisher, commit", TOPIC | SINGLE, SEND, send_and_reserve,
     run_second_commit},
    {"topic: one publisher, abandon", TOPIC | SINGLE, SEND, send_and_reserve,
     run_abandon},
    {"topic: reserve", TOPIC | MESSAGES, SEND, NULL, run_reserve},
    {"topic: commit", TOPIC | MESSAGES, SEND, run_reserve, run_commit},
    {"topic: abandon", TOPIC | MESSAGES, SEND, run_reserve, run_abandon},
    {"topic: abandon to a sleeper", TOPIC | TO_SLEEPER, SEND, run_reserve, run_abandon},
    {"topic: close with a reservation", TOPIC | MESSAGES, SEND, run_reserve, run_close},
    {"topic: reserve, dropping the oldest", TOPIC | DROP | FULL, SEND, NULL,
     run_reserve},
    {"topic: commit, dropping the oldest", TOPIC | DROP | FULL, SEND, run_reserve,
     run_commit},
    {"topic: abandon, dropping the oldest", TOPIC | DROP | FULL, SEND, run_reserve,
     run_abandon},
    {"topic: send over pins", TOPIC | DROP | PINS | FULL, SEND, NULL, run_send_twice},
    {"topic: take", TOPIC, RECEIVE, see_messages, run_take},
    {"topic: take with a pin", TOPIC | DROP | PINS, RECEIVE, see_messages, run_take},
    {"topic: release", TOPIC, RECEIVE, see_and_take, run_release},
    {"topic: release of a pin", TOPIC | DROP | PINS, RECEIVE, see_and_take,
     run_release},
    {"topic: release to a sender that waits", TOPIC | TO_WRITER, RECEIVE, see_and_take,
     run_release},
    {"topic: receive", TOPIC, RECEIVE, see_messages, run_receive},
    {"topic: receive, overtaken", TOPIC | DROP, RECEIVE, be_overtaken,
     run_receive_overtaken},
    {"topic: receive, overtaken, pins", TOPIC | DROP | PINS, RECEIVE, be_overtaken,
     run_receive_overtaken},
    {"topic: receive, too small a buffer", TOPIC, RECEIVE, see_messages,
     run_receive_too_small},
    {"topic: receive from an empty topic", TOPIC | WAITS, RECEIVE, NULL,
     run_receive_in_vain},
    {"topic: receive past a dead one", TOPIC | OVER_WRITER, RECEIVE, see_messages,
     run_receive},
    {"topic: close with a message", TOPIC, RECEIVE, see_and_take, run_close},
    {"topic: close with a pin", TOPIC | DROP | PINS, RECEIVE, see_and_take, run_close},
    {"topic: wait_any", TOPIC, RECEIVE, see_and_open, run_wait_any},
    {"topic: wait_any, sleeps", TOPIC | SLEEPS, RECEIVE, open_both, run_wait_any},
    {"topic: poller_add", TOPIC, RECEIVE, open_poller, run_poller_add},
    {"topic: fd", TOPIC, RECEIVE, see_messages, run_fd},
    {"topic: stat", TOPIC | MESSAGES, RECEIVE, NULL, run_stat},
    {"latest: create", LATEST | CREATES, 0, NULL, run_create},
    {"latest: open to send", LATEST | MESSAGES, 0, NULL, run_open_to_send},
    {"latest: open to receive", LATEST | MESSAGES, 0, NULL, run_open_to_receive},
    {"latest: send", LATEST | MESSAGES, SEND, NULL, run_send_long},
    {"latest: send the first", LATEST, SEND, NULL, run_send_long},
    {"latest: send a lap and a half", LATEST | MESSAGES, SEND, NULL, run_send_often},
    {"latest: send to a sleeper", LATEST | TO_SLEEPER, SEND, NULL, run_send_long},
    {"latest: send over a dead one's slot", LATEST | MESSAGES | DEAD_WRITER, SEND, NULL,
     run_send_often},
    {"latest: reserve", LATEST | MESSAGES, SEND, NULL, run_reserve},
    {"latest: commit", LATEST | MESSAGES, SEND, run_reserve, run_commit},
    {"latest: abandon", LATEST | MESSAGES, SEND, run_reserve, run_abandon},
    {"latest: close with a reservation", LATEST | MESSAGES, SEND, run_reserve,
     run_close},
    {"latest: receive", LATEST | MESSAGES, RECEIVE, NULL, run_receive_newest},
    {"latest: receive behind a dead one", LATEST | MESSAGES | DEAD_WRITER, RECEIVE,
     NULL, run_receive_newest},
    {"latest: take", LATEST | MESSAGES, RECEIVE, NULL, run_take},
    {"latest: release", LATEST | MESSAGES, RECEIVE, run_take, run_release},
    {"latest: wait", LATEST | MESSAGES, RECEIVE, NULL, run_wait},
    {"latest: wait in vain", LATEST | WAITS, RECEIVE, NULL, run_wait_in_vain},
    {"latest: wait_any", LATEST | MESSAGES, RECEIVE, open_both, run_wait_any},
    {"latest: wait_any, sleeps", LATEST | SLEEPS, RECEIVE, open_both, run_wait_any},
    {"latest: poller_add", LATEST | MESSAGES, RECEIVE, open_poller, run_poller_add},
    {"latest: close with a value", LATEST | MESSAGES, RECEIVE, run_take, run_close},
    {"latest: fd", LATEST | MESSAGES, RECEIVE, NULL, run_fd},
    {"latest: stat", LATEST | MESSAGES, RECEIVE, NULL, run_stat},
};

const size_t operation_count = sizeof(operations) / sizeof(operations[0]);
