/*
 * message_fault.c - sending and receiving that has to sleep, to wake, or to ask after
 * the dead, while something fails. Whatever it is, no message is lost or comes twice:
 * a call that cannot sleep looks again, a wake-up that fails is noticed within a tick,
 * and a participant that cannot be asked after is taken for living.
 */
#include "round.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SIZE = 8,
    COUNT = 2,
    IN_VAIN_MS = 30, /* a tick and a half: a sleeper asks after the dead in between */
    DEATH_MS = 200   /* a death shows long before, if the ticket can be asked */
};

/* Options of who waits. */
#define WAITS(...) CHANNEL_OPTIONS(.strategy = MMF_STRATEGY_WAIT, __VA_ARGS__)

/*
 * The other process, which makes the channel. It does its part on request, a
 * moment later, so that as a rule we sleep by then; it does not matter if we do not.
 */

static mmf_queue *their_queue;
static mmf_topic *their_topic;
static mmf_latest *their_latest;
static const uint64_t theirs = 4711; /* what they send */

STEP(wait_a_moment, nap_us(2000));

static void
make_their_queue(void)
{
    CHECK_OK(mmf_queue_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                      WAITS(.role = MMF_ROLE_BOTH), NULL,
                                      &their_queue));
}

static void
make_their_single(mmf_role role)
{
    CHECK_OK(mmf_queue_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                      WAITS(.role = role, .flags = MMF_CHANNEL_SPSC),
                                      NULL, &their_queue));
}

STEP(make_their_producer, make_their_single(MMF_ROLE_SEND));
STEP(make_their_consumer, make_their_single(MMF_ROLE_RECEIVE));

static void
make_their_topic(void)
{
    CHECK_OK(mmf_topic_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK, NULL,
                                      NULL, &their_topic));
}

static void
make_their_latest(void)
{
    CHECK_OK(mmf_latest_create_or_open("Cat", SIZE, NULL, NULL, &their_latest));
}

static void
close_theirs(void)
{
    mmf_queue_close(their_queue);
    mmf_topic_close(their_topic);
    mmf_latest_close(their_latest);
}

STEP(send_theirs, wait_a_moment(); send_number(their_queue, theirs));
STEP(receive_theirs, wait_a_moment(); expect_number(their_queue, 1));

/* It goes to sleep at once, and we send. */
STEP(await_ours, expect_number(their_queue, 1));

static void
publish_theirs(void)
{
    wait_a_moment();
    CHECK_STATUS(mmf_topic_send(their_topic, &theirs, SIZE, LONG_MS, NULL), MMF_OK);
}

STEP(read_theirs, wait_a_moment(); expect_number(their_topic, 1));
STEP(write_theirs, wait_a_moment(); send_number(their_latest, theirs));

/*
 * Arrangements: a life elsewhere, and our handle.
 */

#define BESIDE(name, begin, act, ours)                                                 \
    STEP(name,                                                                         \
         round_live_elsewhere(&(const struct elsewhere){begin, act, close_theirs});    \
         ours)

static void
open_given(mmf_role role)
{
    CHECK_OK(mmf_queue_open_existing("Cat", WAITS(.role = role), &stage.given_queue));
}

static void
open_topic(mmf_role role)
{
    CHECK_OK(mmf_topic_open_existing("Cat", WAITS(.role = role), &stage.given_topic));
}

static void
open_to_read(void)
{
    CHECK_OK(mmf_latest_open_existing("Cat", WAITS(.role = MMF_ROLE_RECEIVE),
                                      &stage.given_latest));
}

/* As many messages as it holds. */
#define FILL(channel)                                                                  \
    do {                                                                               \
        for (uint64_t number = 1; number <= COUNT; number++)                           \
            send_number(channel, number);                                              \
    } while (0)

BESIDE(wait_for_a_message, make_their_queue, send_theirs, open_given(MMF_ROLE_RECEIVE));
BESIDE(wait_for_the_producer, make_their_producer, send_theirs,
       open_given(MMF_ROLE_RECEIVE));
BESIDE(wait_for_room, make_their_queue, receive_theirs, open_given(MMF_ROLE_BOTH);
       FILL(stage.given_queue));
BESIDE(wait_for_the_consumer, make_their_consumer, receive_theirs,
       open_given(MMF_ROLE_SEND);
       FILL(stage.given_queue));
BESIDE(let_them_sleep, make_their_queue, await_ours, open_given(MMF_ROLE_BOTH);
       round_act_elsewhere(); wait_a_moment());
BESIDE(wait_with_a_descriptor, make_their_queue, send_theirs,
       open_given(MMF_ROLE_RECEIVE);
       CHECK_OK(mmf_queue_fd(stage.given_queue, &(int){-1})));
BESIDE(wait_for_a_publisher, make_their_topic, publish_theirs,
       open_topic(MMF_ROLE_RECEIVE));
BESIDE(wait_for_a_subscriber, make_their_topic, read_theirs, open_topic(MMF_ROLE_SEND);
       FILL(stage.given_topic));
BESIDE(wait_for_a_value, make_their_latest, write_theirs, open_to_read());

/*
 * Those that die with something in flight, when the call is about to begin.
 */

static void
take_both(void)
{
    mmf_message message;
    mmf_queue *queue;

    CHECK_OK(mmf_queue_open_existing("Cat", WAITS(.role = MMF_ROLE_RECEIVE), &queue));
    for (int i = 0; i < COUNT; i++)
        CHECK_STATUS(mmf_queue_take(queue, LONG_MS, &message), MMF_OK);
}

static void
reserve_both(void)
{
    mmf_queue *queue;
    void *bytes;

    for (int i = 0; i < COUNT; i++) {
        CHECK_OK(mmf_queue_open_existing("Cat", WAITS(.role = MMF_ROLE_SEND), &queue));
        CHECK_STATUS(mmf_queue_reserve(queue, SIZE, LONG_MS, &bytes), MMF_OK);
    }
}

static void
create_given(void)
{
    CHECK_OK(mmf_queue_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                      WAITS(.role = MMF_ROLE_BOTH), NULL,
                                      &stage.given_queue));
}

STEP(let_a_consumer_die, create_given(); FILL(stage.given_queue);
     round_live_until_killed(take_both));
STEP(let_a_producer_die, create_given(); round_live_until_killed(reserve_both));

static void
let_a_subscriber_die(void)
{
    mmf_topic *topic;

    CHECK_OK(mmf_topic_open_existing("Cat", WAITS(.role = MMF_ROLE_RECEIVE), &topic));
}

static void
hold_topic_by_the_dying(void)
{
    CHECK_OK(mmf_topic_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                      WAITS(.role = MMF_ROLE_SEND), NULL,
                                      &stage.given_topic));
    round_live_until_killed(let_a_subscriber_die);
    FILL(stage.given_topic);
}

STEP(create_full, create_given(); FILL(stage.given_queue));

/*
 * The calls. What they received is in stage.stats.sent, which has no other use here.
 */

static int
receive(int32_t timeout_ms)
{
    size_t length;

    return mmf_queue_receive(stage.given_queue, &stage.stats.sent, SIZE, timeout_ms,
                             &length, NULL);
}

static int
subscribe(int32_t timeout_ms)
{
    size_t length;

    return mmf_topic_receive(stage.given_topic, &stage.stats.sent, SIZE, timeout_ms,
                             &length, NULL);
}

static int
send(uint64_t number, int32_t timeout_ms)
{
    return mmf_queue_send(stage.given_queue, &number, SIZE, timeout_ms, NULL);
}

static int
publish(uint64_t number, int32_t timeout_ms)
{
    return mmf_topic_send(stage.given_topic, &number, SIZE, timeout_ms, NULL);
}

CALL(send_to_sleeper, send(1, 0));
CALL(receive_in_vain, receive(IN_VAIN_MS));
CALL(send_in_vain, send(theirs, IN_VAIN_MS));

/* While the other process does its part. */
#define CALL_WHEN_ASKED(name, call) CALL(name, (round_act_elsewhere(), (call)))

CALL_WHEN_ASKED(receive_when_asked, receive(LONG_MS));
CALL_WHEN_ASKED(send_when_asked, send(COUNT + 1, LONG_MS));
CALL_WHEN_ASKED(subscribe_when_asked, subscribe(LONG_MS));
CALL_WHEN_ASKED(publish_when_asked, publish(COUNT + 1, LONG_MS));
CALL_WHEN_ASKED(await_version_when_asked,
                mmf_latest_wait(stage.given_latest, 0, LONG_MS));

/* Right after its death. */
#define CALL_AFTER_DEATH(name, call) CALL(name, (round_kill_child(), (call)))

CALL_AFTER_DEATH(receive_from_the_dead, receive(DEATH_MS));
CALL_AFTER_DEATH(send_over_the_dead, send(theirs, DEATH_MS));
CALL_AFTER_DEATH(publish_over_the_dead, publish(theirs, DEATH_MS));

/*
 * Is all there?
 */

static void
has_heard_theirs(void)
{
    CHECK_INT(stage.stats.sent, theirs);
    expect_none(stage.given_queue);
    round_act_elsewhere();
    expect_number(stage.given_queue, theirs);
}

static void
has_sent(void)
{
    for (uint64_t number = 2; number <= COUNT + 1; number++)
        expect_number(stage.given_queue, number);
    expect_none(stage.given_queue);
}

/* The handle only sends: the consumer takes them, one on request, and again. */
static void
has_sent_to_consumer(void)
{
    mmf_channel_stats stats;

    CHECK_OK(mmf_queue_stat(stage.given_queue, &stats));
    CHECK_INT(stats.sent, COUNT + 1);
    CHECK_INT(stats.depth, COUNT);
}

static void
has_been_heard(void)
{
    mmf_channel_stats stats;
    int64_t waited_ms = 0;

    /* Within a tick, even if no process could wake it. */
    do {
        wait_a_moment();
        CHECK_OK(mmf_queue_stat(stage.given_queue, &stats));
    } while (stats.received == 0 && (waited_ms += 2) < LONG_MS);
    CHECK_INT(stats.received, 1);
    CHECK_INT(stats.depth, 0);
}

static void
is_empty(void)
{
    expect_none(stage.given_queue);
    send_number(stage.given_queue, 5);
    expect_number(stage.given_queue, 5);
}

static void
is_full(void)
{
    for (uint64_t number = 1; number <= COUNT; number++)
        expect_number(stage.given_queue, number);
    is_empty();
}

static void
has_seen_theirs(void)
{
    CHECK_INT(stage.stats.sent, theirs);
    expect_none(stage.given_topic);
}

static void
has_published(void)
{
    mmf_channel_stats stats;

    CHECK_OK(mmf_topic_stat(stage.given_topic, &stats));
    CHECK_INT(stats.sent, COUNT + 1);
}

static void
has_their_value(void)
{
    uint64_t got, version;
    size_t length;

    CHECK_OK(mmf_latest_receive(stage.given_latest, &got, SIZE, &length, &version));
    CHECK_INT(got, theirs);
    CHECK_STATUS(mmf_latest_wait(stage.given_latest, version, 0), MMF_TIMED_OUT);
}

/* Both of the dead producer's messages come, if only afterwards. */
static void
has_what_the_dead_had(void)
{
    uint64_t first = stage.stats.sent;

    if (first != 1 && first != 2) {
        CHECK_STATUS(receive(LONG_MS), MMF_OK);
        first = stage.stats.sent;
    }
    CHECK(first == 1 || first == 2);
    expect_number(stage.given_queue, 3 - first);
    is_empty();
}

/* Every slot is free. */
static void
has_the_dead_one_s_room(void)
{
    uint64_t got;
    size_t length;

    while (mmf_queue_receive(stage.given_queue, &got, SIZE, 0, &length, NULL) == MMF_OK)
        CHECK_INT(got, theirs);
    for (uint64_t number = 1; number <= COUNT; number++)
        CHECK_STATUS(mmf_queue_send(stage.given_queue, &number, SIZE, LONG_MS, NULL),
                     MMF_OK);
    for (uint64_t number = 1; number <= COUNT; number++)
        expect_number(stage.given_queue, number);
}

static void
has_no_holder(void)
{
    for (uint64_t number = 1; number <= 2 * COUNT; number++)
        CHECK_STATUS(mmf_topic_send(stage.given_topic, &number, SIZE, LONG_MS, NULL),
                     MMF_OK);
}

static struct scenario scenarios[] = {
    {"receive_sleeping", receive_when_asked, .arrange = wait_for_a_message,
     .inspect = has_heard_theirs},
    {"receive_sleeping_single", receive_when_asked, .arrange = wait_for_the_producer,
     .inspect = has_heard_theirs},
    {"receive_with_descriptor", receive_when_asked, .arrange = wait_with_a_descriptor,
     .inspect = has_heard_theirs},
    {"send_sleeping", send_when_asked, .arrange = wait_for_room, .inspect = has_sent},
    {"send_sleeping_single", send_when_asked, .arrange = wait_for_the_consumer,
     .inspect = has_sent_to_consumer},
    {"send_to_sleeper", send_to_sleeper, .arrange = let_them_sleep,
     .inspect = has_been_heard},
    {"receive_in_vain", receive_in_vain, .arrange = create_given, .inspect = is_empty,
     .expected = MMF_TIMED_OUT},
    {"send_in_vain", send_in_vain, .arrange = create_full, .inspect = is_full,
     .expected = MMF_TIMED_OUT},
    {"subscribe_sleeping", subscribe_when_asked, .arrange = wait_for_a_publisher,
     .inspect = has_seen_theirs},
    {"publish_sleeping", publish_when_asked, .arrange = wait_for_a_subscriber,
     .inspect = has_published},
    {"await_version", await_version_when_asked, .arrange = wait_for_a_value,
     .inspect = has_their_value},
    {"receive_from_the_dead", receive_from_the_dead, .arrange = let_a_consumer_die,
     .inspect = has_what_the_dead_had, .or_else = MMF_TIMED_OUT},
    {"send_over_the_dead", send_over_the_dead, .arrange = let_a_producer_die,
     .inspect = has_the_dead_one_s_room, .or_else = MMF_TIMED_OUT},
    {"publish_over_the_dead", publish_over_the_dead, .arrange = hold_topic_by_the_dying,
     .inspect = has_no_holder, .or_else = MMF_TIMED_OUT},
};

SCENARIOS(round_no_statuses);
