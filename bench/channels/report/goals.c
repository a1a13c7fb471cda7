/*
 * goals.c - the goals as a table: a figure of one way, its reference, and the limit of
 * their ratio.
 */
#include "channels/report/goals.h"

#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "channels/report/record.h"
#include "channels/sizes.h"

enum measure {
    TRIP,     /* p50 of a round trip beside another's */
    TRIP_RAW, /* beside the two cache lines of the same round */
    TAIL,     /* p99.9 beside its own p50 */
    RATE,     /* of the stream */
    COST      /* of what one process does alone */
};

enum sense { AT_MOST, AT_LEAST };

/* Sizes, as bits: their places in channel_sizes. */
enum { S8 = 1, S64 = 2, S1K = 4, S64K = 8, S1M = 16, SMALL = S8 | S64 | S1K, ALL = 31 };

struct goal {
    enum measure measure;
    const char *way;
    const char *other; /* NULL where the measure says what it is */
    int sizes;
    enum sense sense;
    double limit;
};

static const char single_spin[] = "mmf queue, SPSC, SPIN";
static const char many_spin[] = "mmf queue, SPIN";
static const char single_default[] = "mmf queue, SPSC, SPIN_THEN_WAIT";
static const char many_default[] = "mmf queue, SPIN_THEN_WAIT";
static const char topic_spin[] = "mmf topic, SPIN";
static const char service_spin[] = "mmf service, SPIN";
static const char futex[] = "raw: futex";
static const char busy_futex[] = "raw: futex, 20 us between";
static const char line[] = "raw: two cache lines";

static const char single_topic[] = "mmf topic, single producer, SPIN";

static const struct goal goals[] = {
    {TRIP_RAW, single_spin, NULL, S8, AT_MOST, 1.3},
    {TRIP_RAW, single_spin, NULL, S64, AT_MOST, 1.5},
    {TRIP, single_spin, line, S8, AT_MOST, 1.3},
    {TRIP, single_spin, line, S64, AT_MOST, 1.5},
    {TAIL, single_spin, NULL, S8 | S64, AT_MOST, 3},
    {RATE, single_spin, "bare ring", ALL, AT_LEAST, 0.95},
    {RATE, single_spin, "Concurrency Kit ring", SMALL, AT_LEAST, 1.2},
    {TRIP_RAW, many_spin, NULL, S8, AT_MOST, 1.6},
    {TRIP, many_spin, line, S8, AT_MOST, 1.6},
    {RATE, many_spin, "DPDK rte_ring MP/MC", SMALL, AT_LEAST, 1.5},
    {TRIP, topic_spin, many_spin, SMALL, AT_MOST, 1.15},
    {RATE, topic_spin, many_spin, SMALL, AT_LEAST, 0.95},
    {RATE, single_topic, "bare ring", SMALL, AT_LEAST, 0.9},
    {COST, SINGLE_TOPIC_16, SINGLE_TOPIC_1, ALL, AT_MOST, 1.2},
    {COST, SINGLE_TOPIC_16_READING, SINGLE_TOPIC_1_READING, ALL, AT_MOST, 1.2},
    {COST, SINGLE_LATEST_READ, SINGLE_MEMCPY, S8 | S64, AT_MOST, 1.8},
    {COST, SINGLE_LATEST_TAKE, SINGLE_MEMCPY, S8 | S64, AT_MOST, 2.2},
    {TRIP, single_default, single_spin, ALL, AT_MOST, 1.2},
    {TRIP, many_default, many_spin, ALL, AT_MOST, 1.2},
    {TRIP, service_spin, single_spin, ALL, AT_MOST, 1.2}, /* two queues */
    {RATE, single_default, single_spin, ALL, AT_LEAST, 0.9},
    {RATE, many_default, many_spin, ALL, AT_LEAST, 0.9},
    {TRIP, "mmf queue, SPSC, WAIT", futex, S8, AT_MOST, 1.0},
    {TRIP, "mmf queue, WAIT", futex, S8, AT_MOST, 1.0},
    {TRIP, "mmf queue, SPSC, WAIT, 20 us between", busy_futex, S8, AT_MOST, 1.0},
    {TRIP, "mmf queue, WAIT, 20 us between", busy_futex, S8, AT_MOST, 1.0},
    {TRIP, "mmf topic, WAIT", topic_spin, S8, AT_MOST, 2},
    {TRIP, "mmf latest, WAIT", "mmf latest, SPIN", S8, AT_MOST, 2},
};

/* What a goal comes to for one size; rounds 0: it was not measured. */
struct outcome {
    double value, beside;
    const char *unit, *beside_name;
    int rounds;
    int off_baseline;
    int apart; /* measured in different baselines of the machine */
};

static struct outcome
set_beside(struct channel_median mine, struct channel_median other)
{
    return (struct outcome){
        .value = mine.value,
        .beside = other.value,
        .rounds = mine.rounds < other.rounds ? mine.rounds : other.rounds,
        .off_baseline = mine.off_baseline || other.off_baseline,
        .apart = mine.raw_ns > 1.35 * other.raw_ns || other.raw_ns > 1.35 * mine.raw_ns,
    };
}

/* The ratio to the raw round trip is of each round. */
static struct outcome
beside_raw(const struct goal *goal, size_t size)
{
    struct channel_median mine =
        channel_median(goal->way, "round trip", size, TRIP_P50, 1);
    struct outcome outcome = set_beside(mine, mine);

    outcome.value = mine.value * mine.raw_ns;
    outcome.beside = mine.raw_ns;
    return outcome;
}

/* The raw signals have one size. */
static size_t
size_of(const char *way, size_t size)
{
    return strncmp(way, "raw", 3) == 0 ? channel_sizes[0] : size;
}

static struct outcome
evaluate(const struct goal *goal, size_t size)
{
    const char *what = goal->measure == RATE   ? "stream"
                       : goal->measure == COST ? "cost"
                                               : "round trip";
    int value = goal->measure == TAIL ? TRIP_P999 : 0;
    const char *other = goal->measure == TAIL ? goal->way : goal->other;
    struct outcome outcome;

    if (goal->measure == TRIP_RAW)
        outcome = beside_raw(goal, size);
    else
        outcome = set_beside(channel_median(goal->way, what, size, value, 0),
                             channel_median(other, what, size_of(other, size), 0, 0));
    outcome.unit = goal->measure == RATE ? "1/s" : "ns";
    outcome.beside_name = goal->measure == TRIP_RAW ? "two cache lines, inlined"
                          : goal->measure == TAIL   ? "its own p50"
                                                    : goal->other;
    return outcome;
}

static const char *const measure_names[] = {
    "round trip p50", "round trip p50", "round trip p99.9", "stream", "cost",
};

/* A tail is meaningful only if two bare cache lines have none. */
static int
is_raw_tail(const struct goal *goal)
{
    double tail =
               channel_median(line, "round trip", channel_sizes[0], TRIP_P999, 0).value,
           middle =
               channel_median(line, "round trip", channel_sizes[0], TRIP_P50, 0).value;

    return goal->measure == TAIL && tail > goal->limit * middle;
}

static void
print_goal(const struct goal *goal, size_t size)
{
    struct outcome outcome = evaluate(goal, size);
    double ratio = outcome.value / outcome.beside;
    int met = goal->sense == AT_MOST ? ratio <= goal->limit : ratio >= goal->limit;
    char name[192];

    snprintf(name, sizeof(name), "%s, %s, %s", goal->way, measure_names[goal->measure],
             channel_size_name(size));
    printf("| %s | %s | %s %.3g | ", name, outcome.beside_name,
           goal->sense == AT_MOST ? "≤" : "≥", goal->limit);
    if (outcome.rounds == 0 || outcome.apart) {
        printf("%s | |\n", outcome.apart ? "different baselines" : "no figure");
        return;
    }
    printf("%.2f%s | %s |\n", ratio, outcome.off_baseline ? "*" : "",
           is_raw_tail(goal) ? "the raw one's is longer, too"
           : met             ? "yes"
                             : "**no**");
    bench_note(name, outcome.unit, outcome.value, outcome.beside_name, outcome.beside);
    bench_note_goal(name, goal->limit, met);
}

void
channel_goals(void)
{
    printf("\nGoals (* no round at the baseline):\n\n"
           "| figure | beside | goal | ratio | met |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(goals) / sizeof(goals[0]); i++)
        for (int k = 0; k < channel_size_count; k++)
            if (goals[i].sizes & 1 << k)
                print_goal(&goals[i], channel_sizes[k]);
}
