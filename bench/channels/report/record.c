/*
 * record.c - what was measured, round by round; kept in a file, so that a long
 * comparison can be made in pieces.
 */
#include "channels/report/record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { MOST_RECORDS = 65536 };

/* Raw figures of one state differ by less than this factor. */
#define STATE 1.35

static struct channel_record *records;
static size_t record_count;

void
channel_record_add(const struct channel_record *record)
{
    if (records == NULL)
        records = calloc(MOST_RECORDS, sizeof(*records));
    if (records == NULL || record_count == MOST_RECORDS)
        bench_die("bench: too many records");
    records[record_count++] = *record;
}

size_t
channel_record_count(void)
{
    return record_count;
}

const struct channel_record *
channel_record_at(size_t i)
{
    return &records[i];
}

static void
load_one(json_t *item)
{
    struct channel_record record = {0};
    const char *way, *what;
    json_int_t size;
    json_t *values;

    if (json_unpack(item, "{s:s, s:s, s:I, s:F, s:F, s:o}", "way", &way, "what", &what,
                    "size", &size, "raw_ns", &record.raw_ns, "worst_raw_ns",
                    &record.worst_raw_ns, "values", &values) < 0)
        bench_die("bench: the kept rounds are not ours");
    snprintf(record.way, sizeof(record.way), "%s", way);
    snprintf(record.what, sizeof(record.what), "%s", what);
    record.size = (size_t)size;
    for (size_t i = 0; i < CHANNEL_VALUES; i++)
        record.values[i] = json_number_value(json_array_get(values, i));
    channel_record_add(&record);
}

void
channel_records_load(const char *path)
{
    json_t *all = json_load_file(path, 0, NULL);
    json_t *item;
    size_t i;

    json_array_foreach(all, i, item) load_one(item);
    json_decref(all);
}

void
channel_records_save(const char *path)
{
    json_t *all = json_array();

    for (size_t i = 0; i < record_count; i++) {
        const struct channel_record *record = &records[i];
        json_t *values = json_array();

        for (size_t k = 0; k < CHANNEL_VALUES; k++)
            json_array_append_new(values, json_real(record->values[k]));
        json_array_append_new(all, json_pack("{s:s, s:s, s:I, s:f, s:f, s:o}", "way",
                                             record->way, "what", record->what, "size",
                                             (json_int_t)record->size, "raw_ns",
                                             record->raw_ns, "worst_raw_ns",
                                             record->worst_raw_ns, "values", values));
    }
    if (json_dump_file(all, path, JSON_COMPACT | JSON_REAL_PRECISION(8)) < 0)
        bench_die("bench: cannot write %s", path);
    json_decref(all);
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median_of(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(double), compare_doubles);
    return count % 2 == 1 ? values[count / 2]
                          : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/*
 * The state in which the two processors were most often: raw figures from the baseline to a
 * third more. A host that moves them about makes several such states.
 */
static double
baseline_raw(void)
{
    static double found;
    static size_t
        known_of; /* how many records; kill trials alone have no raw figures */
    double *all;
    int count = 0, most = 0;

    if (known_of == record_count)
        return found;
    known_of = record_count;
    all = calloc(record_count + 1, sizeof(double));
    if (all == NULL)
        bench_die("bench: no memory");
    for (size_t i = 0; i < record_count; i++)
        if (records[i].raw_ns > 0)
            all[count++] = records[i].raw_ns;
    qsort(all, (size_t)count, sizeof(double), compare_doubles);
    for (int from = 0, to = 0; from < count; from++) {
        while (to < count && all[to] <= all[from] * STATE)
            to++;
        if (to - from > most) {
            most = to - from;
            found = all[from];
        }
    }
    free(all);
    return found;
}

double
channel_baseline_raw(double *share)
{
    double from = baseline_raw();
    int inside = 0, all = 0;

    for (size_t i = 0; i < record_count; i++) {
        all += records[i].raw_ns > 0;
        inside += records[i].raw_ns >= from && records[i].worst_raw_ns <= from * STATE;
    }
    *share = all > 0 ? (double)inside / all : 0;
    return from;
}

/* Costs of one process do not depend on the other. */
static int
is_off_baseline(const struct channel_record *record)
{
    double from = baseline_raw();

    return record->raw_ns > 0 &&
           (record->raw_ns < from || record->worst_raw_ns > from * STATE);
}

struct channel_median
channel_median(const char *way, const char *what, size_t size, int value, int over_raw)
{
    static double values[2][MOST_RECORDS], raws[2][MOST_RECORDS];
    struct channel_median median = {0};
    int counts[2] = {0, 0}; /* at the baseline, elsewhere */

    for (size_t i = 0; i < record_count; i++) {
        const struct channel_record *r = &records[i];
        int off_baseline = is_off_baseline(r);

        if (strcmp(r->way, way) != 0 || strcmp(r->what, what) != 0 || r->size != size)
            continue;
        values[off_baseline][counts[off_baseline]] =
            r->values[value] / (over_raw ? r->raw_ns : 1);
        raws[off_baseline][counts[off_baseline]++] = r->raw_ns;
    }
    median.off_baseline = counts[0] == 0;
    median.rounds = counts[median.off_baseline];
    if (median.rounds > 0) {
        median.value = median_of(values[median.off_baseline], median.rounds);
        median.raw_ns = median_of(raws[median.off_baseline], median.rounds);
    }
    return median;
}
