/*
 * calls_test.c - the system calls of those who send and receive, counted by ptrace:
 * none at all unless a process sleeps, and then one to wake it.
 */
#include "support.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace.h"

enum { SEND = MMF_ROLE_SEND, RECEIVE = MMF_ROLE_RECEIVE, ROUNDS = 100 };

struct calls {
    unsigned all;
    unsigned futexes;
    unsigned touches; /* of the file's times, for those who poll */
};

/* Let a child run between its marks. A failed check of its own ends it. */
static void
count_raw(void (*run)(void *argument), struct calls *calls)
{
    struct trace_stop stop;
    pid_t pid = trace_fork(run, NULL);

    memset(calls, 0, sizeof(*calls));
    for (;;) {
        trace_system_call(pid, &stop);
        if (stop.place == TRACE_END || stop.place == TRACE_GONE)
            break;
        if (stop.place == TRACE_ENTRY) {
            calls->all++;
            calls->futexes += stop.number == SYS_futex;
            calls->touches += stop.number == SYS_utimensat;
        }
    }
    CHECK_INT(stop.place, TRACE_END);
    trace_detach(pid);
    CHECK_INT(trace_wait(pid), 0);
}

static void
only_marks(void *argument)
{
    (void)argument;
    trace_begin();
    trace_end();
}

/* But for the marks, which are system calls themselves. */
static struct calls
count_calls(void (*run)(void *argument))
{
    struct calls calls, marks;

    count_raw(only_marks, &marks);
    count_raw(run, &calls);
    calls.all -= marks.all;
    return calls;
}

static void
expect_calls(void (*run)(void *argument), unsigned futexes, unsigned touches)
{
    struct calls calls = count_calls(run);

    CHECK_INT(calls.futexes, futexes);
    CHECK_INT(calls.touches, touches);
    CHECK_INT(calls.all, futexes + touches);
}

/*
 * Those that sleep beside what is counted: children, which are stopped when all have joined.
 */

enum { SLEEPERS = 3 };

static pid_t sleepers[SLEEPERS];
static int sleeper_count;

static void
begin_beside_sleepers(void)
{
    for (int i = 0; i < sleeper_count; i++)
        stop_asleep(sleepers[i]);
    trace_begin();
}

/* Each goes on when it has been woken, and ends. */
static void
expect_one_wake(void (*run)(void *argument))
{
    expect_calls(run, 1, 0);
    while (sleeper_count > 0) {
        CHECK_INT(kill(sleepers[--sleeper_count], SIGCONT), 0);
        CHECK_INT(trace_wait(sleepers[sleeper_count]), 0);
    }
}

static void
add_sleeper(void (*join)(void *unused), void (*sleep)(void *unused))
{
    sleepers[sleeper_count++] = fork_until_killed(join, sleep, NULL);
}

static void
need_trace(void)
{
    if (!trace_possible())
        harness_skip("this process may not trace its children");
}

static mmf_strategy strategy; /* of those who are counted, and of those who sleep */

#define DEFINE_OPEN(K, name)                                                           \
    static mmf_##K *counted_##K(mmf_role role)                                         \
    {                                                                                  \
        mmf_##K *channel;                                                              \
                                                                                       \
        CHECK_OK(mmf_##K##_open_existing(                                              \
            name, CHANNEL_OPTIONS(.role = role, .strategy = strategy), &channel));     \
        return channel;                                                                \
    }

DEFINE_OPEN(queue, "Q")
DEFINE_OPEN(topic, "T")
DEFINE_OPEN(latest, "L")

/* A child that calls twice: the first call wakes the sleepers, the second finds none. */
#define DEFINE_TWO(name, K, role, call)                                                \
    static void name(void *unused)                                                     \
    {                                                                                  \
        mmf_##K *channel = counted_##K(role);                                          \
                                                                                       \
        (void)unused;                                                                  \
        begin_beside_sleepers();                                                       \
        call(channel, 1);                                                              \
        call(channel, 2);                                                              \
        trace_end();                                                                   \
        mmf_##K##_close(channel);                                                      \
    }

DEFINE_TWO(send_two, queue, SEND, send_number)
DEFINE_TWO(receive_two, queue, RECEIVE, expect_number)
DEFINE_TWO(publish_two, topic, SEND, send_number)
DEFINE_TWO(write_two, latest, SEND, send_number)

/* What a sleeper has, and its end. */
static mmf_queue *its_queue;
static mmf_topic *its_topic;
static mmf_latest *its_latest;

#define DEFINE_SLEEPER(joins, join_steps, sleeps, sleep_steps)                         \
    static void joins(void *unused)                                                    \
    {                                                                                  \
        (void)unused;                                                                  \
        join_steps;                                                                    \
    }                                                                                  \
    static void sleeps(void *unused)                                                   \
    {                                                                                  \
        (void)unused;                                                                  \
        sleep_steps;                                                                   \
        mmf_queue_close(its_queue);                                                    \
        mmf_topic_close(its_topic);                                                    \
        mmf_latest_close(its_latest);                                                  \
        _exit(0);                                                                      \
    }

DEFINE_SLEEPER(join_receiver, its_queue = counted_queue(RECEIVE), receive_one,
               expect_number(its_queue, 1))
DEFINE_SLEEPER(join_sender, its_queue = counted_queue(SEND); send_number(its_queue, 1);
               send_number(its_queue, 2), send_third,
               CHECK_OK(mmf_queue_send(its_queue, "3", 1, LONG_MS, NULL)))
DEFINE_SLEEPER(join_subscriber, its_topic = counted_topic(RECEIVE), subscribe,
               expect_number(its_topic, 1))
DEFINE_SLEEPER(join_reader, its_latest = counted_latest(RECEIVE), read_newest,
               CHECK_OK(mmf_latest_wait(its_latest, 0, LONG_MS)))

/*
 * Queues.
 */

static void
copy_messages(mmf_queue *sender, mmf_queue *receiver)
{
    send_number(sender, 1);
    expect_number(receiver, 1);
}

static void
pass_directly(mmf_queue *sender, mmf_queue *receiver)
{
    mmf_message message;
    void *bytes;

    CHECK_STATUS(mmf_queue_reserve(sender, 8, -1, &bytes), MMF_OK);
    CHECK_STATUS(mmf_queue_abandon(sender), MMF_OK);
    CHECK_STATUS(mmf_queue_reserve(sender, 8, -1, &bytes), MMF_OK);
    memcpy(bytes, &(uint64_t){2}, 8);
    CHECK_STATUS(mmf_queue_commit(sender, 8, NULL), MMF_OK);
    message = take_number(receiver, 2);
    CHECK_STATUS(mmf_queue_release(receiver, &message), MMF_OK);
}

static void
pass_many(mmf_queue *sender, mmf_queue *receiver)
{
    mmf_buffer buffers[3] = {{"12345678", 8}, {"1", 1}, {"", 0}};
    mmf_message messages[3];
    size_t count;

    CHECK_STATUS(mmf_queue_send_many(sender, buffers, 3, -1, &count), MMF_OK);
    CHECK_INT(count, 3);
    CHECK_STATUS(mmf_queue_take_many(receiver, 3, -1, messages, &count), MMF_OK);
    CHECK_INT(count, 3);
    CHECK_STATUS(mmf_queue_release_many(receiver, messages, 3), MMF_OK);
}

static void
use_queue(void *argument)
{
    mmf_queue *sender = counted_queue(SEND);
    mmf_queue *receiver = counted_queue(RECEIVE);
    mmf_channel_stats stats;

    (void)argument;
    trace_begin();
    for (int i = 0; i < ROUNDS; i++) {
        copy_messages(sender, receiver);
        pass_directly(sender, receiver);
        pass_many(sender, receiver);
    }
    trace_end();
    CHECK_OK(mmf_queue_stat(receiver, &stats));
    CHECK_INT(stats.received % (5 * ROUNDS), 0);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

static void
use_single_queue(void *argument)
{
    mmf_queue *both =
        new_queue(MMF_ROLE_BOTH, MMF_CHANNEL_SPSC, 8, 8, MMF_OVERFLOW_BLOCK);

    (void)argument;
    trace_begin();
    for (int i = 0; i < ROUNDS; i++) {
        copy_messages(both, both);
        pass_directly(both, both);
        pass_many(both, both);
    }
    trace_end();
    mmf_queue_close(both);
}

TEST(a_queue_needs_no_system_call)
{
    mmf_queue *queue;

    need_trace();
    queue = new_queue(MMF_ROLE_BOTH, 0, 8, 8, MMF_OVERFLOW_BLOCK);
    for (strategy = 0; strategy <= MMF_STRATEGY_WAIT; strategy++)
        expect_calls(use_queue, 0, 0);
    mmf_queue_close(queue);
    expect_calls(use_single_queue, 0, 0);
}

/* Of a single queue the sleeper's peer is the one that is counted. */
static void
close_if_single(mmf_queue *queue, uint32_t flags)
{
    if (flags & MMF_CHANNEL_SPSC)
        mmf_queue_close(queue);
}

static void
wake_receiver(uint32_t flags)
{
    mmf_queue *queue = new_sender(flags, 8, 8);

    add_sleeper(join_receiver, receive_one);
    close_if_single(queue, flags);
    expect_one_wake(send_two);
    close_if_single(queue, ~flags);
}

static void
wake_sender(uint32_t flags)
{
    mmf_queue *queue = new_receiver(flags, 8, 2);

    add_sleeper(join_sender, send_third);
    close_if_single(queue, flags);
    expect_one_wake(receive_two);
    close_if_single(queue, ~flags);
}

TEST(a_sleeper_costs_one_call)
{
    need_trace();
    strategy = MMF_STRATEGY_WAIT;
    for_each_kind(wake_receiver);
    for_each_kind(wake_sender);
}

TEST(who_spins_costs_nothing)
{
    mmf_queue *queue;
    pid_t spinner;

    need_trace();
    queue = new_sender(0, 8, 8);
    strategy = MMF_STRATEGY_SPIN;
    spinner = fork_until_killed(join_receiver, receive_one, NULL);
    expect_calls(send_two, 0, 0);
    CHECK_INT(trace_wait(spinner), 0);
    mmf_queue_close(queue);
}

TEST(who_polls_costs_one_call_each)
{
    mmf_queue *queue;
    int fd;

    need_trace();
    queue = new_receiver(0, 8, 8);
    CHECK_OK(mmf_queue_fd(queue, &fd));
    expect_calls(send_two, 0, 2);
    mmf_queue_close(queue);
}

/*
 * Topics and latest values.
 */

static void
use_topic(void *argument)
{
    mmf_topic *publisher = counted_topic(SEND), *subscriber = counted_topic(RECEIVE);

    (void)argument;
    trace_begin();
    for (uint64_t i = 0; i < ROUNDS; i++) {
        mmf_buffer buffer = {&i, 8};
        mmf_message message;
        uint64_t got;
        size_t length;
        size_t count;
        void *bytes;

        CHECK_STATUS(mmf_topic_send(publisher, &i, 8, -1, NULL), MMF_OK);
        CHECK_STATUS(mmf_topic_receive(subscriber, &got, 8, -1, &length, NULL), MMF_OK);
        CHECK_INT(got, i);
        CHECK_STATUS(mmf_topic_reserve(publisher, 8, -1, &bytes), MMF_OK);
        CHECK_STATUS(mmf_topic_commit(publisher, 8, NULL), MMF_OK);
        CHECK_STATUS(mmf_topic_take(subscriber, -1, &message), MMF_OK);
        CHECK_STATUS(mmf_topic_release(subscriber), MMF_OK);
        CHECK_STATUS(mmf_topic_send_many(publisher, &buffer, 1, -1, &count), MMF_OK);
        CHECK_STATUS(mmf_topic_receive(subscriber, &got, 8, -1, &length, NULL), MMF_OK);
    }
    trace_end();
    mmf_topic_close(publisher);
    mmf_topic_close(subscriber);
}

static mmf_topic *
create_topic(mmf_overflow overflow)
{
    mmf_topic *topic;

    CHECK_OK(mmf_topic_create_or_open("T", 300, 8, overflow,
                                      CHANNEL_OPTIONS(.role = SEND), NULL, &topic));
    return topic;
}

TEST(a_topic_needs_no_system_call)
{
    static const mmf_overflow overflows[] = {MMF_OVERFLOW_BLOCK, MMF_OVERFLOW_FAIL,
                                             MMF_OVERFLOW_DROP_OLDEST};

    need_trace();
    for (size_t i = 0; i < COUNT_OF(overflows); i++) {
        mmf_topic *topic = create_topic(overflows[i]);

        CHECK_CONTEXT("overflow %d", overflows[i]);
        for (strategy = 0; strategy <= MMF_STRATEGY_WAIT; strategy++)
            expect_calls(use_topic, 0, 0);
        mmf_topic_close(topic);
    }
}

/* However many there are, one call wakes all. */
TEST(all_sleeping_subscribers_cost_one_call)
{
    mmf_topic *topic;

    need_trace();
    topic = create_topic(MMF_OVERFLOW_BLOCK);
    strategy = MMF_STRATEGY_WAIT;
    for (int i = 0; i < SLEEPERS; i++)
        add_sleeper(join_subscriber, subscribe);
    expect_one_wake(publish_two);
    mmf_topic_close(topic);
}

static void
use_latest(void *argument)
{
    mmf_latest *writer = counted_latest(SEND), *reader = counted_latest(RECEIVE);
    uint64_t version = 0;

    (void)argument;
    trace_begin();
    for (uint64_t i = 0; i < ROUNDS; i++) {
        mmf_message message;
        void *bytes;

        send_number(writer, i);
        CHECK_STATUS(mmf_latest_wait(reader, version, -1), MMF_OK);
        expect_at_once(reader, i);
        CHECK_STATUS(mmf_latest_reserve(writer, 8, &bytes), MMF_OK);
        CHECK_STATUS(mmf_latest_commit(writer, 8, NULL), MMF_OK);
        CHECK_STATUS(mmf_latest_take(reader, &message), MMF_OK);
        version = message.sequence;
        CHECK_STATUS(mmf_latest_release(reader), MMF_OK);
    }
    trace_end();
    mmf_latest_close(writer);
    mmf_latest_close(reader);
}

static mmf_latest *
create_latest(void)
{
    mmf_latest *latest;

    CHECK_OK(
        mmf_latest_create_new("L", 300, CHANNEL_OPTIONS(.role = RECEIVE), &latest));
    return latest;
}

TEST(a_latest_value_needs_no_system_call)
{
    mmf_latest *latest;

    need_trace();
    latest = create_latest();
    for (strategy = 0; strategy <= MMF_STRATEGY_WAIT; strategy++)
        expect_calls(use_latest, 0, 0);
    mmf_latest_close(latest);
}

TEST(a_sleeping_reader_costs_one_call)
{
    mmf_latest *latest;

    need_trace();
    latest = create_latest();
    strategy = MMF_STRATEGY_WAIT;
    add_sleeper(join_reader, read_newest);
    expect_one_wake(write_two);
    mmf_latest_close(latest);
}
