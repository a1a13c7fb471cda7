/*
 * bench.c - mmf bench: how fast mmf is on this machine, in ten seconds, against the raw
 * limit: what the same costs with system calls alone. Both are measured in turn, so that
 * other load affects both.
 */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/say.h"
#include "base/table.h"
#include "base/text.h"
#include "command/commands.h"
#include "os/os.h"
#include "os/stop.h"

enum { ROUNDS = 9 };

/* How many fit in `slice` nanoseconds. */
static int64_t
calibrate(void (*run)(int64_t count), int64_t slice)
{
    int64_t count = 1;

    for (;;) {
        int64_t begin = os_now_ns();
        int64_t spent;

        run(count);
        spent = os_now_ns() - begin;
        if (spent >= slice / 8)
            return count * slice / spent > 0 ? count * slice / spent : 1;
        count *= spent > slice / 64 ? 2 : 8;
    }
}

static double
measure(void (*run)(int64_t count), int64_t count)
{
    int64_t begin = os_now_ns();

    run(count);
    return (double)(os_now_ns() - begin) / (double)count;
}

static int
compare(const void *one, const void *other)
{
    const double *a = one;
    const double *b = other;

    return (*a > *b) - (*a < *b);
}

static double
median(double *times)
{
    qsort(times, ROUNDS, sizeof(*times), compare);
    return times[ROUNDS / 2];
}

/* Nanoseconds per operation, of both, in turn. 0: a signal came. */
static int
measure_pair(size_t i, int64_t slice, double *own, double *raw)
{
    double own_times[ROUNDS];
    double raw_times[ROUNDS];
    int64_t own_count = calibrate(bench_pairs[i].run, slice);
    int64_t raw_count = calibrate(bench_raws[i].run, slice);

    for (int turn = 0; turn < ROUNDS; turn++) {
        if (stop_signal())
            return 0;
        own_times[turn] = measure(bench_pairs[i].run, own_count);
        raw_times[turn] = measure(bench_raws[i].run, raw_count);
    }
    *own = median(own_times);
    *raw = median(raw_times);
    return 1;
}

static char *
show(int64_t bytes, double nanoseconds)
{
    if (bytes > 0)
        return text_format("%.2f GB/s", (double)bytes / nanoseconds);
    if (nanoseconds < 1000)
        return text_format("%.1f ns", nanoseconds);
    return text_format("%.2f us", nanoseconds / 1000);
}

static const struct table_column columns[] = {
    {"WHAT", TABLE_CUT},    {"MMF", TABLE_RIGHT},  {"RAW", TABLE_RIGHT},
    {"TIMES", TABLE_RIGHT}, {"RAW IS", TABLE_CUT},
};

static void
add_line(struct table *table, size_t i, double own, double raw)
{
    struct table_line *line = table_line(table);

    table_set(line, 0, bench_pairs[i].name);
    table_give(line, 1, show(bench_pairs[i].bytes, own));
    table_give(line, 2, show(bench_pairs[i].bytes, raw));
    table_give(line, 3, text_format("%.2f", own / raw));
    table_set(line, 4, bench_raws[i].name);
}

static void
add_json(json_t *array, size_t i, double own, double raw)
{
    json_t *object = table_json(json_object());

    table_json_set(object, "what", json_string(bench_pairs[i].name));
    table_json_set(object, "raw_is", json_string(bench_raws[i].name));
    table_json_set(object, "mmf_ns", json_real(own));
    table_json_set(object, "raw_ns", json_real(raw));
    table_json_set(object, "times", json_real(own / raw));
    table_json_append(array, object);
}

static void
show_progress(size_t i)
{
    if (os_has_sequences(stderr))
        fprintf(stderr, "\r%zu of %d: %s\033[K", i + 1, BENCH_PAIRS,
                bench_pairs[i].name);
}

static void
measure_all(int64_t slice, struct table *table, json_t *array)
{
    for (size_t i = 0; i < BENCH_PAIRS; i++) {
        double own, raw;

        show_progress(i);
        if (!measure_pair(i, slice, &own, &raw))
            break;
        if (array != NULL)
            add_json(array, i, own, raw);
        else
            add_line(table, i, own, raw);
    }
    if (os_has_sequences(stderr))
        fprintf(stderr, "\r\033[K");
}

static int
run(struct args *args)
{
    int32_t time = args_milliseconds(args, "time", 10000);
    int64_t slice = (int64_t)time * 1000000 / ((int64_t)BENCH_PAIRS * 2 * (ROUNDS + 1));
    json_t *array = args_value(args, "json") != NULL ? table_json(json_array()) : NULL;
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]), 1);

    bench_be_partner();
    if (time < 100)
        say_usage("--time is at least 100ms");
    stop_note();
    bench_begin();
    bench_raw_begin();
    measure_all(slice, table, array);
    bench_raw_end();
    bench_end();
    stop_leave();
    if (array != NULL) {
        json_t *all = table_json(json_object());

        table_json_set(all, "benchmarks", array);
        table_print_json(all);
        table_free(table);
    } else {
        table_print(table);
    }
    return TOOL_DONE;
}

static const struct option_spec options[] = {{"time", 't', "TIME", "total time (10s)"},
                                             {"json", 'j', NULL, "print JSON"},
                                             {NULL, 0, NULL, NULL}};

const struct command command_bench = {
    .name = "bench",
    .operands = "",
    .summary = "measure mmf on this machine, against the raw limit",
    .example = "mmf bench --time 2s",
    .options = options,
    .run = run};
