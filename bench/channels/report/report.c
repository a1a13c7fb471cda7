/*
 * report.c - the tables, as Markdown, so that they can go into the documents
 * as they are; and the plots' data.
 */
#include "channels/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "channels/report/goals.h"
#include "channels/report/record.h"
#include "channels/peers/ways.h"
#include "channels/sizes.h"

enum { MOST_TRIALS = 65536 };

static struct channel_median
trip(const struct channel_way *way, size_t size, int value)
{
    return channel_median(way->name, "round trip", size, value, 0);
}

static struct channel_median
rate(const struct channel_way *way, size_t size)
{
    return channel_median(way->name, "stream", size, 0, 0);
}

/*
 * Round trips and streams.
 */

static void
print_number(double value)
{
    printf(value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
}

static void
print_slot(struct channel_median median, double unit)
{
    printf(" ");
    if (median.rounds == 0)
        printf("-");
    else
        print_number(median.value / unit);
    printf("%s |", median.off_baseline && median.rounds > 0 ? "*" : "");
}

static void
print_way(const struct channel_way *way)
{
    printf("| %s | ", way->name);
    for (int value = TRIP_P50; value <= TRIP_P999; value++) {
        if (value == TRIP_P90)
            continue;
        print_number(trip(way, channel_sizes[0], value).value / 1e3);
        printf("%s", value == TRIP_P999 ? "" : " / ");
    }
    printf("%s |", trip(way, channel_sizes[0], 0).off_baseline ? "*" : "");
    print_slot(channel_median(way->name, "round trip", channel_sizes[0], TRIP_P50, 1),
               1);
    for (int i = 1; i < channel_size_count; i++)
        print_slot(trip(way, channel_sizes[i], TRIP_P50), 1e3);
    for (int i = 0; i < channel_size_count; i++) {
        size_t size = channel_sizes[i];

        print_slot(rate(way, size), size <= 1024 ? 1e6 : 1e9 / (double)size);
    }
    printf("\n");
}

static int
was_measured(const struct channel_way *way)
{
    return trip(way, channel_sizes[0], TRIP_P50).rounds > 0;
}

static void
print_ways(const char *title, int spinning)
{
    printf(
        "\n%s: round trips in microseconds, streams in million messages or in GB a "
        "second; * no round at the baseline.\n\n"
        "| transport | 8 B p50 / p99 / p99.9 | x raw | 64 B | 1 KiB | 64 KiB | 1 MiB "
        "| M/s 8 B | 64 B | 1 KiB | GB/s 64 KiB | 1 MiB |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        title);
    for (int i = 0; i < channel_way_count; i++)
        if ((channel_ways[i].mode == CHANNEL_SPIN) == spinning &&
            was_measured(&channel_ways[i]))
            print_way(&channel_ways[i]);
}

static void
note_way(const struct channel_way *way, size_t size)
{
    static const char *const names[] = {"p50", "p90", "p99", "p99.9", "p99.99"};
    struct channel_median stream = rate(way, size);
    struct channel_median bare = channel_median("bare ring", "stream", size, 0, 0);
    char name[192];

    for (int value = TRIP_P50; value <= TRIP_P9999; value++) {
        struct channel_median median = trip(way, size, value);

        snprintf(name, sizeof(name), "round trip, %s: %s, %s", channel_size_name(size),
                 way->name, names[value]);
        if (median.rounds > 0)
            bench_note(name, "ns", median.value, "two cache lines", median.raw_ns);
    }
    snprintf(name, sizeof(name), "stream, %s: %s", channel_size_name(size), way->name);
    if (stream.rounds > 0 && bare.rounds > 0)
        bench_note(name, "messages/s", stream.value, "bare ring", bare.value);
}

/*
 * Costs.
 */

static void
print_costs(void)
{
    static const char *const names[] = {
        SINGLE_MEMCPY,          SINGLE_FILL_SUM,        SINGLE_LATEST_READ,
        SINGLE_LATEST_TAKE,     SINGLE_TOPIC_1,         SINGLE_TOPIC_16,
        SINGLE_TOPIC_1_READING, SINGLE_TOPIC_16_READING};

    printf("\nOne process alone, nanoseconds.\n\n| what |");
    for (int i = 0; i < channel_size_count; i++)
        printf(" %s |", channel_size_name(channel_sizes[i]));
    printf("\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        printf("| %s |", names[i]);
        for (int k = 0; k < channel_size_count; k++)
            print_slot(channel_median(names[i], "cost", channel_sizes[k], 0, 0), 1);
        printf("\n");
    }
}

/*
 * Kills.
 */

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The trials' values, sorted, without stuck ones. */
static int
collect(const char *way, const char *what, int value, double *values, int *stuck)
{
    int count = 0;

    *stuck = 0;
    for (size_t i = 0; i < channel_record_count(); i++) {
        const struct channel_record *record = channel_record_at(i);

        if (strcmp(record->way, way) != 0 || strcmp(record->what, what) != 0)
            continue;
        if (record->values[KILL_STUCK] != 0)
            (*stuck)++;
        else
            values[count++] = record->values[value];
    }
    qsort(values, (size_t)count, sizeof(double), compare_doubles);
    return count;
}

static void
print_kills_of(const struct channel_way *way, const char *what)
{
    static double fresh[MOST_TRIALS], survivor[MOST_TRIALS];
    int stuck, count = collect(way->name, what, KILL_FRESH_MS, fresh, &stuck);
    char name[192];

    collect(way->name, what, KILL_SURVIVOR_MS, survivor, &stuck);
    if (count + stuck == 0)
        return;
    printf("| %s | %s | %d | %s%d%s |", way->name, what, count + stuck,
           stuck > 0 ? "**" : "", stuck, stuck > 0 ? "**" : "");
    if (count == 0) {
        printf(" | |\n");
        return;
    }
    printf(" %.2f / %.2f / %.2f | %.2f |\n", fresh[count / 2], fresh[count * 99 / 100],
           fresh[count - 1], survivor[count - 1]);
    snprintf(name, sizeof(name), "%s: %s, stuck", what, way->name);
    bench_note(name, "trials", stuck, "all trials", count + stuck);
    snprintf(name, sizeof(name), "%s: %s, fresh one, p99", what, way->name);
    bench_note(name, "ms", fresh[count * 99 / 100], "goal", 5);
    snprintf(name, sizeof(name), "%s: %s, survivor, max", what, way->name);
    bench_note(name, "ms", survivor[count - 1], "goal", 50);
}

static void
print_kills(void)
{
    printf("\nKilled with SIGKILL in a stream of 1 KiB messages; milliseconds from the "
           "death until a fresh process had exchanged a message, and until the "
           "survivor's call returned.\n\n"
           "| transport | victim | trials | stuck | fresh p50 / p99 / max | survivor "
           "max |\n"
           "|---|---|---|---|---|---|\n");
    for (int i = 0; i < channel_way_count; i++) {
        print_kills_of(&channel_ways[i], "kill sender");
        print_kills_of(&channel_ways[i], "kill receiver");
    }
}

void
channel_report(void)
{
    double share, raw = channel_baseline_raw(&share);

    printf(
        "\nTwo cache lines to and fro took %.0f to %.0f ns in %.0f %% of the rounds: "
        "the baseline.\n",
        raw, raw * 1.35, 100 * share);
    print_ways("Busy waiting", 1);
    print_ways("Sleeping", 0);
    print_costs();
    print_kills();
    for (int i = 0; i < channel_way_count; i++)
        for (int k = 0; k < channel_size_count; k++)
            note_way(&channel_ways[i], channel_sizes[k]);
    channel_goals();
    fflush(stdout);
}
