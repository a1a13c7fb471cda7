/* record.h - figures as they are measured, and their medians over the rounds.
 */
#ifndef MMF_BENCH_CHANNELS_REPORT_RECORD_H
#define MMF_BENCH_CHANNELS_REPORT_RECORD_H

#include <stddef.h>

enum { CHANNEL_VALUES = 6 };

/* One figure, or several that belong together, of one round. */
struct channel_record {
    char way[64];
    char what[32];       /* "round trip", "stream", ... */
    size_t size;         /* of a message */
    double raw_ns;       /* two cache lines to and fro meanwhile; 0: does not matter */
    double worst_raw_ns; /* the longer of the two, before and after */
    double values[CHANNEL_VALUES];
};

/* What the values of round trips are. */
enum { TRIP_P50, TRIP_P90, TRIP_P99, TRIP_P999, TRIP_P9999, TRIP_COUNT };

/* Names of costs of one process. */
#define SINGLE_MEMCPY "memcpy"
#define SINGLE_FILL_SUM "fill + sum"
#define SINGLE_LATEST_READ "mmf latest, idle read"
#define SINGLE_LATEST_TAKE "mmf latest, take, copy and release"
#define SINGLE_TOPIC_1 "mmf topic, DROP_OLDEST, 1 subscriber"
#define SINGLE_TOPIC_16 "mmf topic, DROP_OLDEST, 16 subscribers"
#define SINGLE_TOPIC_1_READING "mmf topic, DROP_OLDEST, 1 reading"
#define SINGLE_TOPIC_16_READING "mmf topic, DROP_OLDEST, 16 reading"

/* Records of kill trials: milliseconds since the victim's death. */
enum kill_value {
    KILL_FRESH_MS,    /* until the fresh one has exchanged a message */
    KILL_SURVIVOR_MS, /* until the survivor had finished the call that it was in */
    KILL_STUCK        /* 1: no progress until the deadline */
};

void channel_record_add(const struct channel_record *record);

/* Those of earlier runs, if there is the file; and all of them into it. */
void channel_records_load(const char *path);
void channel_records_save(const char *path);

size_t channel_record_count(void);
const struct channel_record *channel_record_at(size_t i);

/*
 * A value's median over the rounds in which the raw figures were at the baseline
 * before and after; over all if there is no such round, then `off_baseline` is 1.
 * `over_raw` 1: each round's value is divided by its raw_ns first. `rounds` may be 0.
 */
struct channel_median {
    double value, raw_ns;
    int rounds;
    int off_baseline;
};

struct channel_median channel_median(const char *way, const char *what, size_t size,
                                     int value, int over_raw);

/* The lowest raw figure of rounds at the baseline, and the share of rounds in it. */
double channel_baseline_raw(double *share);

#endif
