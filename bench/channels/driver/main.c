/*
 * main.c - queue, topic and latest value beside other transports between processes on
 * this machine, and beside the limits of the machine.
 *
 *     bench_channels [FILE] [--rounds N] [--kills N] [--only TEXT]...
 *         [--largest SIZE] [--keep]
 *
 * FILE gets the figures, default channels.json; FILE.rounds every round's. --keep adds
 * to the rounds that are there, so that the comparison can be made in pieces. --only
 * measures ways with TEXT, or one of the TEXTs, in their names, and the raw limits;
 * --largest sizes up to SIZE bytes.
 * docs/internals/benchmarks.md explains and has the figures.
 */
#include <mmf/mmf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "channels/driver/measure.h"
#include "channels/driver/kill.h"
#include "channels/report/record.h"
#include "channels/report/report.h"
#include "channels/driver/single.h"
#include "channels/peers/ways.h"
#include "channels/processes.h"
#include "channels/sizes.h"

enum { FEW_KILLS = 5, MOST_TEXTS = 32 };

struct options {
    const char *file;
    const char *only[MOST_TEXTS];
    int only_count;
    size_t largest;
    int rounds;
    int kills;
    int keep;
};

static char directory[] = "/dev/shm/mmf-bench-XXXXXX";

/* What costs microseconds is measured often, what costs a millisecond seldom. */
static struct channel_plan
plan_for(const struct channel_way *way, size_t size)
{
    struct channel_plan plan = {.stream_ms = 200};
    int large = size > 1024, huge = size > 65536;

    if (way->peer->load != CHANNEL_LOAD_ALL || way->work_us > 0)
        plan.stream_ms = 0;
    plan.work_us = way->work_us;
    if (way->mode == CHANNEL_WAIT)
        plan.round_trips = huge ? 150 : large ? 1000 : 4000;
    else
        plan.round_trips = huge ? 500 : large ? 5000 : 100000;
    return plan;
}

static void
note(const struct channel_way *way, size_t size, const char *what, const double raw[2],
     const double values[CHANNEL_VALUES])
{
    struct channel_record record = {
        .size = size,
        .raw_ns = (raw[0] + raw[1]) / 2,
        .worst_raw_ns = raw[0] > raw[1] ? raw[0] : raw[1],
    };

    snprintf(record.way, sizeof(record.way), "%s", way->name);
    snprintf(record.what, sizeof(record.what), "%s", what);
    memcpy(record.values, values, sizeof(record.values));
    channel_record_add(&record);
}

static void
note_result(const struct channel_way *way, size_t size,
            const struct channel_result *result)
{
    static const double shares[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
    double trips[CHANNEL_VALUES] = {0}, stream[CHANNEL_VALUES] = {0};

    for (int i = TRIP_P50; i <= TRIP_P9999; i++)
        trips[i] =
            histogram_quantile(&result->round_trips, shares[i]) * channel_ns_per_tick();
    trips[TRIP_COUNT] = (double)result->round_trips.total;
    note(way, size, "round trip", &result->raw_ns[0], trips);
    if (result->stream_ns > 0) {
        stream[0] = (double)result->messages * 1e9 / (double)result->stream_ns;
        note(way, size, "stream", &result->raw_ns[1], stream);
    }
}

static size_t largest; /* of the sizes that are measured */

static void
measure_way(const struct channel_way *way, int round)
{
    static struct channel_result result; /* it is large */

    for (int i = 0; i < channel_size_count; i++) {
        size_t size = channel_sizes[i];
        struct channel_plan plan = plan_for(way, size);
        struct channel_job job = {
            .size = size, .slots = channel_slots(size), .mode = way->mode};

        if (size > largest || (way->peer->largest > 0 && size > way->peer->largest) ||
            ((way->peer->load == CHANNEL_LOAD_SIGNAL || way->work_us > 0) && i > 0))
            continue;
        snprintf(job.name, sizeof(job.name), "mmf-bench-%d-%d-%d", (int)getpid(), round,
                 i);
        if (channel_measure(way->peer, &job, &plan, &result) == 0)
            note_result(way, size, &result);
    }
}

/* 0, or -1 and a message if the way's service cannot run. */
static int
with_service(const struct channel_way *way, int argument,
             void (*work)(const struct channel_way *, int))
{
    if (way->peer->start != NULL && way->peer->start() < 0) {
        fprintf(stderr, "bench: %s IS SKIPPED: its service does not run\n", way->name);
        return -1;
    }
    work(way, argument);
    if (way->peer->stop != NULL)
        way->peer->stop();
    return 0;
}

static int
is_wanted(const struct channel_way *way, const struct options *options)
{
    int wanted = options->only_count == 0 || strncmp(way->name, "raw", 3) == 0;

    for (int i = 0; i < options->only_count && !wanted; i++)
        wanted = strstr(way->name, options->only[i]) != NULL;
    return wanted && channel_way_is_there(way);
}

/* Each round begins with another way, so that whatever drifts meets all alike. */
static void
measure_rounds(const struct options *options)
{
    for (int round = 0; round < options->rounds; round++) {
        for (int i = 0; i < channel_way_count; i++) {
            const struct channel_way *way =
                &channel_ways[(i + round * 7) % channel_way_count];

            if (is_wanted(way, options))
                with_service(way, round, measure_way);
        }
        channel_single_round();
        fprintf(stderr, "bench: channels: round %d of %d\n", round + 1,
                options->rounds);
    }
}

static void
kill_rounds(const struct options *options)
{
    for (int i = 0; i < channel_way_count && options->kills > 0; i++) {
        const struct channel_way *way = &channel_ways[i];
        int trials = options->kills * way->kill_trials / 100;

        if (trials < FEW_KILLS)
            trials = FEW_KILLS;
        if (way->kill_trials > 0 && is_wanted(way, options))
            with_service(way, trials, channel_kill_trials);
    }
}

static void
only(struct options *options, const char *text)
{
    if (options->only_count == MOST_TEXTS)
        bench_die("bench: --only %d times at most", MOST_TEXTS);
    options->only[options->only_count++] = text;
}

static struct options
read_options(int argc, char **argv)
{
    struct options options = {
        .file = "channels.json", .largest = SIZE_MAX, .rounds = 3, .kills = 1000};

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--keep") == 0)
            options.keep = 1;
        else if (strcmp(argv[i], "--rounds") == 0)
            options.rounds = atoi(value), i++;
        else if (strcmp(argv[i], "--kills") == 0)
            options.kills = atoi(value), i++;
        else if (strcmp(argv[i], "--only") == 0)
            only(&options, value), i++;
        else if (strcmp(argv[i], "--largest") == 0)
            options.largest = (size_t)atoll(value), i++;
        else if (argv[i][0] != '-')
            options.file = argv[i];
        else
            bench_die("bench: no option %s", argv[i]);
    }
    return options;
}

static void
remove_directory(void)
{
    char path[128];

    mmf_gc(0, NULL);
    snprintf(path, sizeof(path), "%s/mmf-%u", directory, (unsigned)geteuid());
    rmdir(path);
    if (rmdir(directory) < 0)
        fprintf(stderr, "bench: %s was not removed\n", directory);
}

int
main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    char rounds[512];

    if (mkdtemp(directory) == NULL)
        bench_die("bench: cannot make %s", directory);
    setenv("MMF_DIR", directory, 1);
    snprintf(rounds, sizeof(rounds), "%s.rounds", options.file);

    largest = options.largest;
    bench_begin("channels");
    channel_choose_processors();
    channel_ways_print_absent();
    if (options.keep)
        channel_records_load(rounds);
    measure_rounds(&options);
    kill_rounds(&options);
    channel_records_save(rounds);
    channel_report();
    bench_end(options.file);
    remove_directory();
    return 0;
}
