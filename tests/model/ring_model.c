/*
 * ring_model.c - the scenarios: what two or three threads do to the slots of queue,
 * topic and latest value, in every order (see ring_explore.h).
 *
 *     ring_model [PATTERN]    only the scenarios whose name begins with PATTERN
 *
 * MMF_TEST_LONG=1 runs more of them, and each of them again with one kill more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ring_explore.h"

/* Three before the indexes come round. */
#define NEAR_WRAP (MMF_INDEX_MASK - 2)

static void
send_one(void)
{
    send();
}

static void
send_two(void)
{
    send();
    send();
}

static void
send_three(void)
{
    send();
    send();
    send();
}

static void
send_four(void)
{
    send();
    send();
    send();
    send();
}

static void
send_one_or_fail(void)
{
    send_if_not_full();
}

static void
send_two_or_fail(void)
{
    send_if_not_full();
    send_if_not_full();
}

static void
send_three_or_fail(void)
{
    send_if_not_full();
    send_if_not_full();
    send_if_not_full();
}

static void
abandon_and_send(void)
{
    reserve_and_abandon();
    send();
}

static void
take_one(void)
{
    release(take());
}

static void
take_two(void)
{
    release(take());
    release(take());
}

static void
take_three(void)
{
    release(take());
    release(take());
    release(take());
}

static void
take_two_at_once(void)
{
    uint64_t first = take();
    uint64_t second = take();

    release(second);
    release(first);
}

static void
take_two_in_order(void)
{
    uint64_t first = take();
    uint64_t second = take();

    release(first);
    release(second);
}

static void
poll_one(void)
{
    uint64_t index;

    if (take_if_there(&index))
        release(index);
}

static void
poll_two(void)
{
    poll_one();
    poll_one();
}

static void
send_take_and_send(void)
{
    send();
    poll_one();
    send();
}

static void
lag_and_take_one(void)
{
    lag_behind();
    take_one();
}

static void
take_lag_twice_and_take(void)
{
    take_one();
    lag_behind();
    poll_one();
    lag_behind();
    take_one();
}

static void
inspect_and_take_one(void)
{
    inspect();
    take_one();
}

static void
inspect_and_take_two(void)
{
    inspect_and_take_one();
    inspect_and_take_one();
}

static void
inspect_twice_and_take_one(void)
{
    inspect();
    inspect_and_take_one();
}

static void
inspect_and_poll(void)
{
    inspect();
    poll_one();
}

static void
return_and_take(void)
{
    return_message(take());
    release(take());
}

static void
send_two_and_one_or_fail(void)
{
    send_two();
    send_if_not_full();
}

static void
take_two_and_return_the_first(void)
{
    uint64_t first = take();
    uint64_t second = take();

    release(second);
    return_message(first);
}

static void
begin_and_take_one(void)
{
    begin_late();
    take_one();
}

static void
succeed_and_take_one(void)
{
    succeed();
    take_one();
}

static void
succeed_and_poll(void)
{
    succeed();
    poll_one();
}

static void
subscribe_and_receive_one(void)
{
    subscribe(0);
    receive();
}

static void
subscribe_and_receive_two(void)
{
    subscribe(0);
    receive();
    receive();
}

static void
subscribe_and_receive_three(void)
{
    subscribe(0);
    receive();
    receive();
    receive();
}

static void
replay_two(void)
{
    subscribe(2);
    receive();
    receive();
}

static void
replay_and_poll(void)
{
    subscribe(2);
    receive_if_there();
    receive_if_there();
}

static void
subscribe_and_poll(void)
{
    subscribe(0);
    receive_if_there();
    receive_if_there();
}

static void
write_one(void)
{
    write_value();
}

static void
write_two(void)
{
    write_value();
    write_value();
}

static void
write_four(void)
{
    write_value();
    write_value();
    write_value();
    write_value();
}

static void
abandon_and_write(void)
{
    reserve_and_abandon();
    write_value();
}

static void
write_abandon_and_write(void)
{
    write_value();
    reserve_and_abandon();
    reserve_and_abandon();
    write_value();
}

static void
write_two_abandon_two_write_two(void)
{
    write_two();
    reserve_and_abandon();
    reserve_and_abandon();
    write_two();
}

static void
read_one(void)
{
    read_value();
}

static void
read_two(void)
{
    read_value();
    read_value();
}

static void
read_three(void)
{
    read_value();
    read_value();
    read_value();
}

static void
pin_one(void)
{
    pin_value();
}

static void
pin_two(void)
{
    pin_value();
    pin_value();
}

static void
write_three(void)
{
    write_two();
    write_value();
}

static void
subscribe_and_pin_two(void)
{
    subscribe(0);
    pin_message();
    pin_message();
}

static void
succeed_single_and_take_one(void)
{
    succeed_single();
    take_one();
}

static void
send_one_and_drain(void)
{
    send_one();
    drain();
}

static void
send_two_and_drain(void)
{
    send_two();
    drain();
}

static void
send_from_two(void)
{
    send_from();
    send_from();
}

static void
send_from_three(void)
{
    send_from_two();
    send_from();
}

static void
ask_two(void)
{
    ask();
    ask();
}

static void
succeed_single_and_send_from_two(void)
{
    succeed_single_producer();
    send_from_two();
}

#define QUEUE(count)                                                                   \
    .kind = MMF_KIND_QUEUE, .overflow = MMF_OVERFLOW_BLOCK, .slots = (count)
#define DROPPING(count)                                                                \
    .kind = MMF_KIND_QUEUE, .overflow = MMF_OVERFLOW_DROP_OLDEST, .slots = (count)
#define SPSC(count)                                                                    \
    .kind = MMF_KIND_QUEUE, .is_spsc = 1, .overflow = MMF_OVERFLOW_BLOCK,              \
    .slots = (count)
#define TOPIC(count)                                                                   \
    .kind = MMF_KIND_TOPIC, .overflow = MMF_OVERFLOW_BLOCK, .slots = (count)
#define DROPPING_TOPIC(count)                                                          \
    .kind = MMF_KIND_TOPIC, .overflow = MMF_OVERFLOW_DROP_OLDEST, .slots = (count)
#define LATEST(count)                                                                  \
    .kind = MMF_KIND_LATEST, .overflow = MMF_OVERFLOW_DROP_OLDEST, .slots = (count)

static const struct scenario scenarios[] = {
    /* Queue. */
    {.name = "queue of 1, two producers, one consumer",
     QUEUE(1),
     .threads = {send_two, send_one, take_two}},
    {.name = "queue of 2, two producers, one consumer",
     QUEUE(2),
     .threads = {send_two, send_one, take_one}},
    {.name = "queue of 4, two producers, one consumer",
     QUEUE(4),
     .threads = {send_two, send_one, take_two}},
    {.name = "queue of 1, one producer, two consumers",
     QUEUE(1),
     .threads = {send_two, take_one, take_one}},
    {.name = "queue of 2, one producer, two consumers",
     QUEUE(2),
     .threads = {send_two, take_one, take_one}},
    {.name = "queue of 2, indexes come round",
     QUEUE(2),
     .first = NEAR_WRAP,
     .threads = {send_two, send_one, take_one}},
    {.name = "queue of 2, several owned, out of order",
     QUEUE(2),
     .threads = {send_two, take_two_at_once, poll_one}},
    {.name = "queue of 2, a producer abandons",
     QUEUE(2),
     .threads = {abandon_and_send, send_one, poll_one}},
    {.name = "queue of 2, returned",
     QUEUE(2),
     .threads = {send_one, return_and_take, take_one}},
    {.name = "queue of 2, a consumer joins",
     QUEUE(2),
     .threads = {send_two, send_one, begin_and_take_one}},
    {.name = "queue of 2, full, producers do not wait",
     QUEUE(2),
     .threads = {send_three_or_fail, send_one_or_fail, poll_one}},
    {.name = "queue of 2, hardly full, producers do not wait",
     QUEUE(2),
     .threads = {send_two_and_one_or_fail, send_one_or_fail,
                 take_two_and_return_the_first}},
    {.name = "queue of 1, one killed",
     QUEUE(1),
     .threads = {send_one, send_one, take_one},
     .kills = 1},
    {.name = "queue of 2, one killed",
     QUEUE(2),
     .threads = {send_one, send_one, take_one},
     .kills = 1},
    {.name = "queue of 2, both producers killed",
     QUEUE(2),
     .threads = {send_one, send_one, take_one},
     .kills = 2},
    {.name = "queue of 2, both consumers killed",
     QUEUE(2),
     .threads = {send_two, take_one, take_one},
     .kills = 2},
    {.name = "queue of 1, one killed, two consumers",
     QUEUE(1),
     .threads = {send_one, take_one, take_one},
     .kills = 1},
    {.name = "queue of 2, one killed, twice round",
     QUEUE(2),
     .first = NEAR_WRAP,
     .threads = {send_three, take_three},
     .kills = 1},
    {.name = "queue of 2, one killed, a successor",
     QUEUE(2),
     .threads = {send_one, take_one, succeed_and_take_one},
     .kills = 1},
    {.name = "queue of 2, one killed, two successors",
     QUEUE(2),
     .threads = {send_one, succeed_and_poll, succeed_and_poll},
     .kills = 1},
    {.name = "queue of 2, returned, one killed",
     QUEUE(2),
     .threads = {send_one, return_and_take, take_one},
     .kills = 1},
    {.name = "a producer that takes its time, queue of 2",
     QUEUE(2),
     .threads = {send_take_and_send, send_one, lag_and_take_one}},
    {.name = "a producer that takes its time, a consumer twice behind",
     QUEUE(2),
     .threads = {send_two, send_one, take_lag_twice_and_take}},
    {.name = "more messages, queue of 2, two producers",
     QUEUE(2),
     .threads = {send_two, send_two, take_three},
     .only_long = 1},
    {.name = "more messages, queue of 2, two consumers",
     QUEUE(2),
     .threads = {send_three, take_two, take_two},
     .only_long = 1},
    {.name = "more messages, queue of 2, one killed",
     QUEUE(2),
     .threads = {send_one, send_two, take_two},
     .kills = 1,
     .only_long = 1},
    {.name = "more messages, queue of 2, one killed, two consumers",
     QUEUE(2),
     .threads = {send_two, take_two, take_one},
     .kills = 1,
     .only_long = 1},
    {.name = "queue of 2, drained",
     QUEUE(2),
     .threads = {send_two_and_drain, send_one, take_three}},
    {.name = "queue of 2, drained, one killed",
     QUEUE(2),
     .threads = {send_one_and_drain, take_one, take_one},
     .kills = 1},
    {.name = "queue of 2, all killed",
     QUEUE(2),
     .threads = {send_one, send_one, take_one},
     .kills = 3},
    {.name = "queue of 2, all killed, two consumers",
     QUEUE(2),
     .threads = {send_one, take_one, take_one},
     .kills = 3},
    {.name = "a look, queue of 2, two producers",
     QUEUE(2),
     .threads = {send_one, send_one, inspect_and_take_two}},
    {.name = "a look, queue of 2, two consumers",
     QUEUE(2),
     .threads = {send_two, take_one, inspect_twice_and_take_one}},
    {.name = "a look, queue of 2, returned",
     QUEUE(2),
     .threads = {send_one, return_and_take, inspect_and_poll}},
    {.name = "a look, queue of 2, one killed",
     QUEUE(2),
     .threads = {send_one, send_one, inspect_and_take_one},
     .kills = 1},
    {.name = "a look, queue of 2, all killed",
     QUEUE(2),
     .threads = {send_one, take_one, inspect_and_poll},
     .kills = 3},
    {.name = "dropping queue of 1, two producers",
     DROPPING(1),
     .threads = {send_two_or_fail, send_one_or_fail, poll_one}},
    {.name = "dropping queue of 2, two producers",
     DROPPING(2),
     .threads = {send_two_or_fail, send_one_or_fail, poll_one}},
    {.name = "dropping queue of 2, two consumers",
     DROPPING(2),
     .threads = {send_three_or_fail, poll_one, poll_one}},
    {.name = "dropping queue of 2, one killed",
     DROPPING(2),
     .threads = {send_one_or_fail, send_one_or_fail, poll_one},
     .kills = 1},
    {.name = "more messages, dropping queue of 2, two producers",
     DROPPING(2),
     .threads = {send_three_or_fail, send_two_or_fail, poll_two},
     .only_long = 1},

    /* One producer, one consumer. */
    {.name = "SPSC queue of 1", SPSC(1), .threads = {send_three, take_three}},
    {.name = "SPSC queue of 2, several owned",
     SPSC(2),
     .threads = {send_three, take_two_in_order}},
    {.name = "SPSC queue of 2, indexes come round, one killed",
     SPSC(2),
     .first = NEAR_WRAP,
     .threads = {send_three, take_three},
     .kills = 1},
    {.name = "SPSC queue of 1, both killed",
     SPSC(1),
     .threads = {send_three, take_three},
     .kills = 2},
    {.name = "SPSC queue of 4, both killed",
     SPSC(4),
     .threads = {send_three, take_two_in_order},
     .kills = 2},

    {.name = "SPSC queue of 4, two consumers killed in turn",
     SPSC(4),
     .threads = {send_three, take_two_in_order, succeed_single_and_take_one},
     .kills = 2},

    {.name = "a look, SPSC queue of 2, both killed",
     SPSC(2),
     .first = NEAR_WRAP,
     .threads = {send_three, inspect_and_take_two, succeed_single_and_take_one},
     .kills = 2},

    /* A source's messages. */
    {.name = "source, queue of 2, two threads of which one is killed",
     QUEUE(2),
     .threads = {send_from, send_from, poll_one},
     .kills = 1},
    {.name = "source, queue of 4, one killed, two successors",
     QUEUE(4),
     .threads = {send_from, send_from, send_from},
     .kills = 1},
    {.name = "source, queue of 2, a local producer, one killed",
     QUEUE(2),
     .threads = {send_from, send_one, take_one},
     .kills = 1},
    {.name = "source, queue of 4, asked",
     QUEUE(4),
     .threads = {send_from_three, ask_two},
     .kills = 1},
    {.name = "source, queue of 2, drained, one killed",
     QUEUE(2),
     .threads = {send_from_two, drain, take_one},
     .kills = 1},
    {.name = "more sources, queue of 2, drained beside a local producer, one killed",
     QUEUE(2),
     .threads = {send_from, send_one_and_drain, take_two},
     .kills = 1,
     .only_long = 1},
    {.name = "source, SPSC queue of 2, one killed, a successor",
     SPSC(2),
     .first = NEAR_WRAP,
     .threads = {send_from_two, take_two, succeed_single_and_send_from_two},
     .kills = 1},
    {.name = "source, SPSC queue of 4, asked while one is killed",
     SPSC(4),
     .threads = {send_from_two, ask_two, succeed_single_and_send_from_two},
     .kills = 1},

    {.name = "more messages, source, queue of 2, one killed",
     QUEUE(2),
     .threads = {send_from_two, send_from, poll_one},
     .kills = 1,
     .only_long = 1},

    /* Topic. */
    {.name = "topic of 2, two publishers",
     TOPIC(2),
     .threads = {send_two, send_one, subscribe_and_receive_one}},
    {.name = "topic of 2, two subscribers",
     TOPIC(2),
     .threads = {send_three, subscribe_and_receive_one, subscribe_and_receive_one}},
    {.name = "topic of 2, a replay", TOPIC(2), .threads = {send_three, replay_two}},
    {.name = "topic of 2, a replay, two publishers",
     TOPIC(2),
     .threads = {send_two, send_one, replay_and_poll}},
    {.name = "topic of 2, a replay, one killed",
     TOPIC(2),
     .threads = {send_three, replay_and_poll},
     .kills = 1},
    {.name = "topic of 4, a producer abandons, indexes come round",
     TOPIC(4),
     .first = NEAR_WRAP,
     .threads = {abandon_and_send, send_one, subscribe_and_receive_one}},
    {.name = "topic of 2, one killed",
     TOPIC(2),
     .threads = {send_one, send_one, subscribe_and_receive_two},
     .kills = 1},
    {.name = "topic of 2, one killed, two subscribers",
     TOPIC(2),
     .threads = {send_one, subscribe_and_receive_one, subscribe_and_poll},
     .kills = 1},
    {.name = "more messages, topic of 2, one killed",
     TOPIC(2),
     .threads = {send_one, send_two, subscribe_and_receive_two},
     .kills = 1,
     .only_long = 1},
    {.name = "dropping topic of 2, a lap",
     DROPPING_TOPIC(2),
     .threads = {send_four, subscribe_and_receive_three}},
    {.name = "dropping topic of 2, two publishers",
     DROPPING_TOPIC(2),
     .threads = {send_two, send_one, subscribe_and_receive_one}},
    {.name = "dropping topic of 2, a replay",
     DROPPING_TOPIC(2),
     .threads = {send_four, replay_two}},
    {.name = "dropping topic of 4, indexes come round",
     DROPPING_TOPIC(4),
     .first = NEAR_WRAP,
     .threads = {send_two, send_one, subscribe_and_receive_two}},
    {.name = "topic of 2, a single producer",
     TOPIC(2),
     .is_single_producer = 1,
     .threads = {send_three, subscribe_and_receive_one, subscribe_and_poll}},
    {.name = "topic of 2, a single producer, one killed",
     TOPIC(2),
     .is_single_producer = 1,
     .threads = {send_two, subscribe_and_receive_two},
     .kills = 1},
    {.name = "topic of 4, a single producer, indexes come round",
     TOPIC(4),
     .is_single_producer = 1,
     .first = NEAR_WRAP,
     .threads = {send_four, replay_and_poll}},
    {.name = "topic of 4, a single producer, one killed",
     TOPIC(4),
     .is_single_producer = 1,
     .threads = {send_three, subscribe_and_receive_two},
     .kills = 1},
    {.name = "dropping topic of 2, a single producer, a lap",
     DROPPING_TOPIC(2),
     .is_single_producer = 1,
     .threads = {send_four, subscribe_and_receive_two}},
    {.name = "dropping topic of 4, a single producer, one killed",
     DROPPING_TOPIC(4),
     .is_single_producer = 1,
     .threads = {send_three, subscribe_and_receive_two},
     .kills = 1},
    {.name = "dropping topic of 4, a pin",
     DROPPING_TOPIC(4),
     .pins = 1,
     .first = NEAR_WRAP,
     .threads = {send_four, subscribe_and_pin_two}},
    {.name = "dropping topic of 4, a pin, one killed",
     DROPPING_TOPIC(4),
     .pins = 1,
     .threads = {send_two, send_one, subscribe_and_pin_two},
     .kills = 1},
    {.name = "dropping topic of 2, one killed",
     DROPPING_TOPIC(2),
     .threads = {send_one, send_one, subscribe_and_receive_one},
     .kills = 1},
    {.name = "more messages, dropping topic of 2, two publishers",
     DROPPING_TOPIC(2),
     .threads = {send_three, send_one, subscribe_and_receive_two},
     .only_long = 1},
    {.name = "more messages, dropping topic of 2, one killed",
     DROPPING_TOPIC(2),
     .threads = {send_one, send_two, subscribe_and_receive_one},
     .kills = 1,
     .only_long = 1},

    /* Latest value. */
    {.name = "latest value, two writers, a reader",
     LATEST(4),
     .threads = {write_two, write_one, read_two}},
    {.name = "latest value, a writer, two readers",
     LATEST(4),
     .threads = {write_two, read_one, read_two}},
    {.name = "latest value, laps, indexes come round",
     LATEST(2),
     .first = NEAR_WRAP,
     .threads = {write_four, read_three}},
    {.name = "latest value, a producer abandons",
     LATEST(4),
     .threads = {abandon_and_write, write_one, read_two}},
    {.name = "latest value, overwritten while it is looked for",
     LATEST(4),
     .first = 4,
     .threads = {write_two_abandon_two_write_two, read_two}},
    {.name = "latest value of 2, abandons",
     LATEST(2),
     .threads = {write_abandon_and_write, read_two}},
    {.name = "latest value of 2, two writers",
     LATEST(2),
     .threads = {send_three, send_one}},
    {.name = "latest value, one killed",
     LATEST(4),
     .threads = {write_one, write_one, read_two},
     .kills = 1},
    {.name = "latest value, pins, two writers",
     LATEST(4),
     .pins = 1,
     .threads = {write_three, write_two, pin_one}},
    {.name = "latest value, pins, two readers, indexes come round",
     LATEST(4),
     .pins = 2,
     .first = NEAR_WRAP,
     .threads = {write_four, pin_one, pin_one}},
    {.name = "latest value, too few pins, one killed",
     LATEST(4),
     .pins = 1,
     .threads = {write_three, pin_one, pin_one},
     .kills = 1},
    {.name = "latest value, one pin, values that go",
     LATEST(4),
     .pins = 1,
     .threads = {write_two_abandon_two_write_two, pin_one, pin_one},
     .only_long = 1},
    {.name = "latest value, a pin that comes late",
     LATEST(4),
     .pins = 1,
     .threads = {write_two_abandon_two_write_two, pin_one}},
    {.name = "latest value, pins, a reader comes back",
     LATEST(4),
     .pins = 1,
     .threads = {write_four, pin_two},
     .kills = 1},
    {.name = "more values, latest value, two writers",
     LATEST(4),
     .threads = {write_two, write_two, read_two},
     .only_long = 1},
};

static double
seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int runs;
static int failures;
static struct counts total;

static void
run(const struct scenario *scenario, const char *with)
{
    struct counts counts;
    double begin = seconds();
    int rc = explore(scenario, &counts);

    printf("%-64s %10llu %10llu %9.1e %8llu %7llu %7.2f%s%s%s\n", scenario->name,
           (unsigned long long)counts.search.states,
           (unsigned long long)counts.search.steps, counts.search.schedules,
           (unsigned long long)counts.search.kills, (unsigned long long)counts.ends,
           seconds() - begin, with, counts.search.stopped ? ", stopped" : "",
           rc == 0 ? "" : "  FAILED");
    fflush(stdout);
    total.search.states += counts.search.states;
    total.search.steps += counts.search.steps;
    total.search.kills += counts.search.kills;
    runs++;
    failures += rc != 0;
}

int
main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    const char *count = getenv("MMF_TEST_LONG");
    int is_long = count != NULL && strcmp(count, "1") == 0;
    double begin = seconds();

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%-64s %10s %10s %9s %8s %7s %7s\n", "scenario", "states", "steps",
           "schedules", "kills", "ends", "seconds");
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct scenario scenario = scenarios[i];

        if (only != NULL ? strncmp(scenario.name, only, strlen(only)) != 0
                         : scenario.only_long && !is_long)
            continue;
        run(&scenario, "");
        if (!is_long)
            continue;
        scenario.kills++;
        run(&scenario, "  a kill more");
    }
    printf("FIGURES: %llu states, %llu steps, %llu of them kills, %.0f s\n",
           (unsigned long long)total.search.states,
           (unsigned long long)total.search.steps,
           (unsigned long long)total.search.kills, seconds() - begin);
    printf("model: %d passed, %d failed, 0 skipped\n", runs - failures, failures);
    return failures == 0 && runs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
