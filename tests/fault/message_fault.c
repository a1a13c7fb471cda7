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
    SOON_MS = 120000,
    IN_VAIN_MS = 30, /* a tick and a half: a sleeper asks after the dead in between */
    DEATH_MS = 200   /* a death shows long before, if the ticket can be asked */
};

static mmf_channel_options
options_for(mmf_role role)
{
    mmf_channel_options options;

    mmf_channel_options_init(&options);
    options.role = role;
    options.strategy = MMF_STRATEGY_WAIT;
    return options;
}

static void
send_number(mmf_queue *queue, uint64_t number)
{
    CHECK_STATUS(mmf_queue_send(queue, &number, SIZE, 0, NULL), MMF_OK);
}

static void
expect_number(mmf_queue *queue, uint64_t number)
{
    uint64_t got = 0;
    size_t length;

    CHECK_STATUS(mmf_queue_receive(queue, &got, SIZE, SOON_MS, &length, NULL), MMF_OK);
    CHECK_INT(got, number);
}

static void
expect_none(mmf_queue *queue)
{
    uint64_t got;
    size_t length;

    CHECK_STATUS(mmf_queue_receive(queue, &got, SIZE, 0, &length, NULL), MMF_TIMED_OUT);
}

/*
 * The other process, which makes the channel. It does its part on request, a
 * moment later, so that as a rule we sleep by then; it does not matter if we do not.
 */

static mmf_queue *their_queue;
static mmf_topic *their_topic;
static mmf_latest *their_latest;
static const uint64_t theirs = 4711;

static void
wait_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};

    nanosleep(&moment, NULL);
}

static void
make_their_queue(void)
{
    mmf_channel_options options = options_for(MMF_ROLE_BOTH);

    CHECK_OK(mmf_queue_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK, &options,
                                      NULL, &their_queue));
}

static void
make_their_single(mmf_role role)
{
    mmf_channel_options options = options_for(role);

    options.flags = MMF_CHANNEL_SPSC;
    CHECK_OK(mmf_queue_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK, &options,
                                      NULL, &their_queue));
}

static void
make_their_producer(void)
{
    make_their_single(MMF_ROLE_SEND);
}

static void
make_their_consumer(void)
{
    make_their_single(MMF_ROLE_RECEIVE);
}

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

static void
send_theirs(void)
{
    wait_a_moment();
    send_number(their_queue, theirs);
}

static void
receive_theirs(void)
{
    wait_a_moment();
    expect_number(their_queue, 1);
}

/* It goes to sleep at once, and we send. */
static void
await_ours(void)
{
    expect_number(their_queue, 1);
}

static void
publish_theirs(void)
{
    wait_a_moment();
    CHECK_STATUS(mmf_topic_send(their_topic, &theirs, SIZE, SOON_MS, NULL), MMF_OK);
}

static void
read_theirs(void)
{
    uint64_t got;
    size_t length;

    wait_a_moment();
    CHECK_STATUS(mmf_topic_receive(their_topic, &got, SIZE, SOON_MS, &length, NULL),
                 MMF_OK);
    CHECK_INT(got, 1);
}

static void
write_theirs(void)
{
    wait_a_moment();
    CHECK_OK(mmf_latest_send(their_latest, &theirs, SIZE, NULL));
}

/*
 * Arrangements: a life elsewhere, and our handle.
 */

static void
open_given(struct stage *stage, mmf_role role)
{
    mmf_channel_options options = options_for(role);

    CHECK_OK(mmf_queue_open_existing("Cat", &options, &stage->given_queue));
}

static void
wait_for_a_message(struct stage *stage)
{
    static const struct elsewhere life = {make_their_queue, send_theirs, close_theirs};

    round_live_elsewhere(&life);
    open_given(stage, MMF_ROLE_RECEIVE);
}

static void
wait_for_the_producer(struct stage *stage)
{
    static const struct elsewhere life = {make_their_producer, send_theirs,
                                          close_theirs};

    round_live_elsewhere(&life);
    open_given(stage, MMF_ROLE_RECEIVE);
}

static void
fill_given(struct stage *stage)
{
    for (uint64_t number = 1; number <= COUNT; number++)
        send_number(stage->given_queue, number);
}

static void
wait_for_room(struct stage *stage)
{
    static const struct elsewhere life = {make_their_queue, receive_theirs,
                                          close_theirs};

    round_live_elsewhere(&life);
    open_given(stage, MMF_ROLE_BOTH);
    fill_given(stage);
}

static void
wait_for_the_consumer(struct stage *stage)
{
    static const struct elsewhere life = {make_their_consumer, receive_theirs,
                                          close_theirs};

    round_live_elsewhere(&life);
    open_given(stage, MMF_ROLE_SEND);
    fill_given(stage);
}

static void
let_them_sleep(struct stage *stage)
{
    static const struct elsewhere life = {make_their_queue, await_ours, close_theirs};

    round_live_elsewhere(&life);
    open_given(stage, MMF_ROLE_BOTH);
    round_act_elsewhere();
    wait_a_moment();
}

static void
wait_with_a_descriptor(struct stage *stage)
{
    int fd;

    wait_for_a_message(stage);
    CHECK_OK(mmf_queue_fd(stage->given_queue, &fd));
}

static void
wait_for_a_publisher(struct stage *stage)
{
    static const struct elsewhere life = {make_their_topic, publish_theirs,
                                          close_theirs};
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE);

    round_live_elsewhere(&life);
    CHECK_OK(mmf_topic_open_existing("Cat", &options, &stage->given_topic));
}

static void
wait_for_a_subscriber(struct stage *stage)
{
    static const struct elsewhere life = {make_their_topic, read_theirs, close_theirs};
    mmf_channel_options options = options_for(MMF_ROLE_SEND);

    round_live_elsewhere(&life);
    CHECK_OK(mmf_topic_open_existing("Cat", &options, &stage->given_topic));
    for (uint64_t number = 1; number <= COUNT; number++)
        CHECK_STATUS(mmf_topic_send(stage->given_topic, &number, SIZE, 0, NULL),
                     MMF_OK);
}

static void
wait_for_a_value(struct stage *stage)
{
    static const struct elsewhere life = {make_their_latest, write_theirs,
                                          close_theirs};
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE);

    round_live_elsewhere(&life);
    CHECK_OK(mmf_latest_open_existing("Cat", &options, &stage->given_latest));
}

/*
 * Those that die with something in flight, when the call is about to begin.
 */

static void
live_until_killed(struct stage *stage, void (*live)(void))
{
    int ready[2];
    uint8_t byte;

    CHECK(pipe2(ready, O_CLOEXEC) == 0);
    stage->child = fork();
    if (stage->child == 0) {
        close(ready[0]);
        live();
        close(ready[1]);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 0);
    close(ready[0]);
}

static void
kill_child(struct stage *stage)
{
    if (stage->child == 0)
        return;
    CHECK(kill(stage->child, SIGKILL) == 0);
    CHECK(waitpid(stage->child, NULL, 0) == stage->child);
    stage->child = 0;
}

static void
take_both(void)
{
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE);
    mmf_message message;
    mmf_queue *queue;

    CHECK_OK(mmf_queue_open_existing("Cat", &options, &queue));
    for (int i = 0; i < COUNT; i++)
        CHECK_STATUS(mmf_queue_take(queue, SOON_MS, &message), MMF_OK);
}

static void
reserve_both(void)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND);
    mmf_queue *queue;
    void *bytes;

    for (int i = 0; i < COUNT; i++) {
        CHECK_OK(mmf_queue_open_existing("Cat", &options, &queue));
        CHECK_STATUS(mmf_queue_reserve(queue, SIZE, SOON_MS, &bytes), MMF_OK);
    }
}

static void
create_given(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_BOTH);

    CHECK_OK(mmf_queue_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK, &options,
                                      NULL, &stage->given_queue));
}

static void
let_a_consumer_die(struct stage *stage)
{
    create_given(stage);
    fill_given(stage);
    live_until_killed(stage, take_both);
}

static void
let_a_producer_die(struct stage *stage)
{
    create_given(stage);
    live_until_killed(stage, reserve_both);
}

static void
let_a_subscriber_die(void)
{
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE);
    mmf_topic *topic;

    CHECK_OK(mmf_topic_open_existing("Cat", &options, &topic));
}

static void
hold_topic_by_the_dying(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND);

    CHECK_OK(mmf_topic_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK, &options,
                                      NULL, &stage->given_topic));
    live_until_killed(stage, let_a_subscriber_die);
    for (uint64_t number = 1; number <= COUNT; number++)
        CHECK_STATUS(mmf_topic_send(stage->given_topic, &number, SIZE, 0, NULL),
                     MMF_OK);
}

static void
create_empty(struct stage *stage)
{
    create_given(stage);
}

static void
create_full(struct stage *stage)
{
    create_given(stage);
    fill_given(stage);
}

/*
 * The calls. What they received is in stage->stats.sent, which has no other use here.
 */

static int
receive(struct stage *stage, int32_t timeout_ms)
{
    size_t length;

    return mmf_queue_receive(stage->given_queue, &stage->stats.sent, SIZE, timeout_ms,
                             &length, NULL);
}

static int
receive_when_asked(struct stage *stage)
{
    round_act_elsewhere();
    return receive(stage, SOON_MS);
}

static int
send_when_asked(struct stage *stage)
{
    static const uint64_t number = COUNT + 1;

    round_act_elsewhere();
    return mmf_queue_send(stage->given_queue, &number, SIZE, SOON_MS, NULL);
}

static int
send_to_sleeper(struct stage *stage)
{
    static const uint64_t number = 1;

    return mmf_queue_send(stage->given_queue, &number, SIZE, 0, NULL);
}

static int
receive_in_vain(struct stage *stage)
{
    return receive(stage, IN_VAIN_MS);
}

static int
send_in_vain(struct stage *stage)
{
    return mmf_queue_send(stage->given_queue, &theirs, SIZE, IN_VAIN_MS, NULL);
}

static int
subscribe_when_asked(struct stage *stage)
{
    size_t length;

    round_act_elsewhere();
    return mmf_topic_receive(stage->given_topic, &stage->stats.sent, SIZE, SOON_MS,
                             &length, NULL);
}

static int
publish_when_asked(struct stage *stage)
{
    static const uint64_t number = COUNT + 1;

    round_act_elsewhere();
    return mmf_topic_send(stage->given_topic, &number, SIZE, SOON_MS, NULL);
}

static int
await_version_when_asked(struct stage *stage)
{
    round_act_elsewhere();
    return mmf_latest_wait(stage->given_latest, 0, SOON_MS);
}

static int
receive_from_the_dead(struct stage *stage)
{
    kill_child(stage);
    return receive(stage, DEATH_MS);
}

static int
send_over_the_dead(struct stage *stage)
{
    kill_child(stage);
    return mmf_queue_send(stage->given_queue, &theirs, SIZE, DEATH_MS, NULL);
}

static int
publish_over_the_dead(struct stage *stage)
{
    kill_child(stage);
    return mmf_topic_send(stage->given_topic, &theirs, SIZE, DEATH_MS, NULL);
}

/*
 * Is all there?
 */

static void
has_heard_theirs(struct stage *stage)
{
    CHECK_INT(stage->stats.sent, theirs);
    expect_none(stage->given_queue);
    round_act_elsewhere();
    expect_number(stage->given_queue, theirs);
}

static void
has_sent(struct stage *stage)
{
    for (uint64_t number = 2; number <= COUNT + 1; number++)
        expect_number(stage->given_queue, number);
    expect_none(stage->given_queue);
}

/* The handle only sends: the consumer takes them, one on request, and again. */
static void
has_sent_to_consumer(struct stage *stage)
{
    mmf_channel_stats stats;

    CHECK_OK(mmf_queue_stat(stage->given_queue, &stats));
    CHECK_INT(stats.sent, COUNT + 1);
    CHECK_INT(stats.depth, COUNT);
}

static void
has_been_heard(struct stage *stage)
{
    mmf_channel_stats stats;
    int64_t waited_ms = 0;

    /* Within a tick, even if no process could wake it. */
    do {
        wait_a_moment();
        CHECK_OK(mmf_queue_stat(stage->given_queue, &stats));
    } while (stats.received == 0 && (waited_ms += 2) < SOON_MS);
    CHECK_INT(stats.received, 1);
    CHECK_INT(stats.depth, 0);
}

static void
is_empty(struct stage *stage)
{
    expect_none(stage->given_queue);
    send_number(stage->given_queue, 5);
    expect_number(stage->given_queue, 5);
}

static void
is_full(struct stage *stage)
{
    for (uint64_t number = 1; number <= COUNT; number++)
        expect_number(stage->given_queue, number);
    is_empty(stage);
}

static void
has_seen_theirs(struct stage *stage)
{
    uint64_t got;
    size_t length;

    CHECK_INT(stage->stats.sent, theirs);
    CHECK_STATUS(mmf_topic_receive(stage->given_topic, &got, SIZE, 0, &length, NULL),
                 MMF_TIMED_OUT);
}

static void
has_published(struct stage *stage)
{
    mmf_channel_stats stats;

    CHECK_OK(mmf_topic_stat(stage->given_topic, &stats));
    CHECK_INT(stats.sent, COUNT + 1);
}

static void
has_their_value(struct stage *stage)
{
    uint64_t got, version;
    size_t length;

    CHECK_OK(mmf_latest_receive(stage->given_latest, &got, SIZE, &length, &version));
    CHECK_INT(got, theirs);
    CHECK_STATUS(mmf_latest_wait(stage->given_latest, version, 0), MMF_TIMED_OUT);
}

/* Both of the dead producer's messages come, if only afterwards. */
static void
has_what_the_dead_had(struct stage *stage)
{
    uint64_t first = stage->stats.sent;

    if (first != 1 && first != 2) {
        CHECK_STATUS(receive(stage, SOON_MS), MMF_OK);
        first = stage->stats.sent;
    }
    CHECK(first == 1 || first == 2);
    expect_number(stage->given_queue, 3 - first);
    is_empty(stage);
}

/* Every slot is free. */
static void
has_the_dead_one_s_room(struct stage *stage)
{
    uint64_t got;
    size_t length;

    while (mmf_queue_receive(stage->given_queue, &got, SIZE, 0, &length, NULL) ==
           MMF_OK)
        CHECK_INT(got, theirs);
    for (uint64_t number = 1; number <= COUNT; number++)
        CHECK_STATUS(mmf_queue_send(stage->given_queue, &number, SIZE, SOON_MS, NULL),
                     MMF_OK);
    for (uint64_t number = 1; number <= COUNT; number++)
        expect_number(stage->given_queue, number);
}

static void
has_no_holder(struct stage *stage)
{
    for (uint64_t number = 1; number <= 2 * COUNT; number++)
        CHECK_STATUS(mmf_topic_send(stage->given_topic, &number, SIZE, SOON_MS, NULL),
                     MMF_OK);
}

static void
close_given(struct stage *stage)
{
    kill_child(stage);
    mmf_queue_close(stage->given_queue);
    mmf_topic_close(stage->given_topic);
    mmf_latest_close(stage->given_latest);
}

static void
close_given_and_theirs(struct stage *stage)
{
    close_given(stage);
    step_close_elsewhere(stage);
}

static struct scenario scenarios[] = {
    {.name = "receive_sleeping",
     .act = receive_when_asked,
     .arrange = wait_for_a_message,
     .inspect = has_heard_theirs,
     .disarrange = close_given_and_theirs},
    {.name = "receive_sleeping_single",
     .act = receive_when_asked,
     .arrange = wait_for_the_producer,
     .inspect = has_heard_theirs,
     .disarrange = close_given_and_theirs},
    {.name = "receive_with_descriptor",
     .act = receive_when_asked,
     .arrange = wait_with_a_descriptor,
     .inspect = has_heard_theirs,
     .disarrange = close_given_and_theirs},
    {.name = "send_sleeping",
     .act = send_when_asked,
     .arrange = wait_for_room,
     .inspect = has_sent,
     .disarrange = close_given_and_theirs},
    {.name = "send_sleeping_single",
     .act = send_when_asked,
     .arrange = wait_for_the_consumer,
     .inspect = has_sent_to_consumer,
     .disarrange = close_given_and_theirs},
    {.name = "send_to_sleeper",
     .act = send_to_sleeper,
     .arrange = let_them_sleep,
     .inspect = has_been_heard,
     .disarrange = close_given_and_theirs},
    {.name = "receive_in_vain",
     .act = receive_in_vain,
     .expected = MMF_TIMED_OUT,
     .arrange = create_empty,
     .inspect = is_empty,
     .disarrange = close_given},
    {.name = "send_in_vain",
     .act = send_in_vain,
     .expected = MMF_TIMED_OUT,
     .arrange = create_full,
     .inspect = is_full,
     .disarrange = close_given},
    {.name = "subscribe_sleeping",
     .act = subscribe_when_asked,
     .arrange = wait_for_a_publisher,
     .inspect = has_seen_theirs,
     .disarrange = close_given_and_theirs},
    {.name = "publish_sleeping",
     .act = publish_when_asked,
     .arrange = wait_for_a_subscriber,
     .inspect = has_published,
     .disarrange = close_given_and_theirs},
    {.name = "await_version",
     .act = await_version_when_asked,
     .arrange = wait_for_a_value,
     .inspect = has_their_value,
     .disarrange = close_given_and_theirs},
    {.name = "receive_from_the_dead",
     .act = receive_from_the_dead,
     .or_else = MMF_TIMED_OUT,
     .arrange = let_a_consumer_die,
     .inspect = has_what_the_dead_had,
     .disarrange = close_given},
    {.name = "send_over_the_dead",
     .act = send_over_the_dead,
     .or_else = MMF_TIMED_OUT,
     .arrange = let_a_producer_die,
     .inspect = has_the_dead_one_s_room,
     .disarrange = close_given},
    {.name = "publish_over_the_dead",
     .act = publish_over_the_dead,
     .or_else = MMF_TIMED_OUT,
     .arrange = hold_topic_by_the_dying,
     .inspect = has_no_holder,
     .disarrange = close_given},
};

int
main(int argc, char **argv)
{
    enum { COUNT_OF_ALL = sizeof(scenarios) / sizeof(scenarios[0]) };

    return harness_main(argc, argv, "fault_message",
                        round_make_tests(scenarios, COUNT_OF_ALL, round_no_statuses),
                        COUNT_OF_ALL, NULL);
}
