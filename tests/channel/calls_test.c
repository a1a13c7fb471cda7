/*
 * calls_test.c - the system calls of those who send and receive, counted by ptrace:
 * none at all unless a process sleeps, and then one to wake it.
 */
#include "support.h"

#include <string.h>
#include <sys/syscall.h>

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

enum { SLEEPERS = 3 };

/* Those that sleep beside what is counted; they are stopped when all have joined. */
static struct process *sleepers[SLEEPERS];
static int sleeper_count;

static void
begin_beside_sleepers(void)
{
    for (int i = 0; i < sleeper_count; i++)
        peer_stop_asleep(sleepers[i]);
    trace_begin();
}

static void
expect_one_wake(void (*run)(void *argument))
{
    expect_calls(run, 1, 0);
    while (sleeper_count > 0)
        process_continue(sleepers[--sleeper_count]);
}

static void
need_trace(void)
{
    if (!trace_possible())
        harness_skip("this process may not trace its children");
}

/*
 * Queues.
 */

static mmf_strategy strategy; /* of those who are counted */

static mmf_queue *
join_queue(mmf_role role)
{
    mmf_queue *queue;

    CHECK_OK(mmf_queue_open_existing(
        "Q", CHANNEL_OPTIONS(.role = role, .strategy = strategy), &queue));
    return queue;
}

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
    mmf_queue *sender = join_queue(SEND);
    mmf_queue *receiver = join_queue(RECEIVE);
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

static void
send_two(void *argument)
{
    mmf_queue *queue = join_queue(SEND);

    (void)argument;
    begin_beside_sleepers();
    send_number(queue, 1);
    send_number(queue, 2);
    trace_end();
    mmf_queue_close(queue);
}

static void
receive_two(void *argument)
{
    mmf_queue *queue = join_queue(RECEIVE);

    (void)argument;
    begin_beside_sleepers();
    expect_number(queue, 1);
    expect_number(queue, 2);
    trace_end();
    mmf_queue_close(queue);
}

/* The first wakes the sleeper, the second finds none. */
static void
wake_receiver(uint32_t flags)
{
    mmf_queue *queue = new_sender(flags, 8, 8);
    struct process *peer = peer_start();

    peer_does(peer, "open %u 0 %d", RECEIVE, MMF_STRATEGY_WAIT);
    if (flags & MMF_CHANNEL_SPSC)
        mmf_queue_close(queue);
    peer_begins(peer, "receive -1");
    sleepers[sleeper_count++] = peer;
    expect_one_wake(send_two);
    process_expect(peer, "MMF_OK 1 0");
    peer_end(peer);
    if (!(flags & MMF_CHANNEL_SPSC))
        mmf_queue_close(queue);
}

static void
wake_sender(uint32_t flags)
{
    mmf_queue *queue = new_receiver(flags, 8, 2);
    struct process *peer = peer_start();

    peer_does(peer, "open %u 0 %d", SEND, MMF_STRATEGY_WAIT);
    if (flags & MMF_CHANNEL_SPSC)
        mmf_queue_close(queue);
    peer_does(peer, "send 1 0");
    peer_does(peer, "send 2 0");
    peer_begins(peer, "send 3 -1");
    sleepers[sleeper_count++] = peer;
    expect_one_wake(receive_two);
    process_expect(peer, "MMF_OK");
    peer_end(peer);
    if (!(flags & MMF_CHANNEL_SPSC))
        mmf_queue_close(queue);
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
    struct process *peer;

    need_trace();
    queue = new_sender(0, 8, 8);
    peer = peer_start();
    peer_does(peer, "open %u 0 %d", RECEIVE, MMF_STRATEGY_SPIN);
    peer_begins(peer, "receive -1");
    expect_calls(send_two, 0, 0);
    process_expect(peer, "MMF_OK 1 0");
    peer_end(peer);
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

static mmf_topic *
join_counted_topic(mmf_role role)
{
    mmf_topic *topic;

    CHECK_OK(mmf_topic_open_existing(
        "T", CHANNEL_OPTIONS(.role = role, .strategy = strategy), &topic));
    return topic;
}

static void
use_topic(void *argument)
{
    mmf_topic *publisher = join_counted_topic(SEND),
              *subscriber = join_counted_topic(RECEIVE);

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

static void
publish_two(void *argument)
{
    mmf_topic *topic = join_counted_topic(SEND);
    uint64_t number = 1;

    (void)argument;
    begin_beside_sleepers();
    send_number(topic, number);
    send_number(topic, number);
    trace_end();
    mmf_topic_close(topic);
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
    struct process *peers[SLEEPERS];
    char line[64];

    need_trace();
    topic = create_topic(MMF_OVERFLOW_BLOCK);
    strategy = MMF_STRATEGY_WAIT;
    for (int i = 0; i < SLEEPERS; i++) {
        peers[i] = peer_start();
        peer_does(peers[i], "open_topic %u", RECEIVE);
        peer_begins(peers[i], "sleep_at_topic");
        sleepers[sleeper_count++] = peers[i];
    }
    expect_one_wake(publish_two);
    for (int i = 0; i < SLEEPERS; i++) {
        CHECK(process_read_line(peers[i], line, sizeof(line)) != NULL);
        peer_end(peers[i]);
    }
    mmf_topic_close(topic);
}

static mmf_latest *
join_latest(mmf_role role)
{
    mmf_latest *latest;

    CHECK_OK(mmf_latest_create_or_open(
        "L", 300, CHANNEL_OPTIONS(.role = role, .strategy = strategy), NULL, &latest));
    return latest;
}

static void
use_latest(void *argument)
{
    mmf_latest *writer = join_latest(SEND), *reader = join_latest(RECEIVE);
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

static void
write_two(void *argument)
{
    mmf_latest *writer = join_latest(SEND);
    uint64_t number = 1;

    (void)argument;
    begin_beside_sleepers();
    send_number(writer, number);
    send_number(writer, number);
    trace_end();
    mmf_latest_close(writer);
}

TEST(a_latest_value_needs_no_system_call)
{
    mmf_latest *latest;
    struct process *peer;
    char line[64];

    need_trace();
    latest = join_latest(RECEIVE);
    for (strategy = 0; strategy <= MMF_STRATEGY_WAIT; strategy++)
        expect_calls(use_latest, 0, 0);
    mmf_latest_close(latest);
    strategy = MMF_STRATEGY_WAIT;
    latest = join_latest(RECEIVE);
    peer = peer_start();
    peer_does(peer, "open_latest %u", RECEIVE);
    peer_begins(peer, "sleep_at_latest");
    sleepers[sleeper_count++] = peer;
    expect_one_wake(write_two);
    CHECK(process_read_line(peer, line, sizeof(line)) != NULL);
    peer_end(peer);
    mmf_latest_close(latest);
}
