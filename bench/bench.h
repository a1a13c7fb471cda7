/*
 * bench.h - measuring several ways of doing one thing, fairly.
 *
 * The ways are measured in turn inside one run, in an order that rotates, on one
 * processor, so that other load affects all of them alike. Every sample is kept; the
 * report has percentiles, and their ratios to the first way's.
 */
#ifndef MMF_BENCH_H
#define MMF_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One way. The first of a comparison is the baseline of the others. */
struct bench_way {
    const char *name;
    void (*run)(void *context, int times); /* does it that many times */
    void (*prepare)(void *context); /* before each turn, unmeasured; may be NULL */
    void *context;
};

/* How often. */
struct bench_plan {
    int rounds;           /* turns of each way; the first twentieth only warms up */
    int samples_per_turn; /* samples taken in a turn */
    int times_per_sample; /* the sample is the mean of these: 1, or more if it is short
                           */
};

/* Measure, print a line for each way, and note the figures for bench_end. */
void bench_compare(const char *title, const struct bench_way *ways, int count,
                   const struct bench_plan *plan);

/* Begin: choose a processor and say on what machine this runs. End: write the figures.
 */
void bench_begin(const char *suite);
void bench_end(const char *path);

/* Print and exit: a benchmark that cannot do its work has no figures. */
void bench_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Die with mmf's message, or the system's, if the status or number is negative. */
void bench_mmf(int rc, const char *what);
long bench_system(long rc, const char *what);

/*
 * Samples that were taken elsewhere: in other processes, or with their own clock. They
 * are sorted by this. `target` is a figure to stay below, 0 for none; without one, the
 * first series is the baseline of the others.
 */
struct bench_series {
    const char *name;
    double *samples;
    int count;
};

void bench_report(const char *title, const char *unit,
                  const struct bench_series *series, int count, double target);

/* Note one figure beside another, for bench_end. */
void bench_note(const char *name, const char *unit, double value,
                const char *baseline_name, double baseline_value);

/*
 * The goal for a figure that was noted, or reported as "title: way, p50": its ratio to the
 * baseline is `limit` at most, or at least. Prints whether that is met, for bench_end too.
 */
enum bench_sense { BENCH_AT_MOST, BENCH_AT_LEAST };
void bench_goal(const char *name, enum bench_sense sense, double limit);

/* The same without a word, for a figure that is there. */
void bench_note_goal(const char *name, double limit, int is_met);

/* Nanoseconds of the monotonic clock, which all processes share. */
int64_t bench_now(void);

/*
 * Another process that works while this one measures: on another processor than this
 * one's, if there is any. It ends at bench_end_partner, or with this process.
 */
pid_t bench_start_partner(void (*work)(void *context), void *context);
void bench_end_partner(pid_t partner);

/* The calling process may run on all processors again. */
void bench_leave_processor(void);

/* Zeroed memory that partners and holders share with this process. */
void *bench_share(size_t size);

/*
 * Other processes that keep objects open while this one measures. `hold` runs in each and
 * opens them; then the process waits for bench_release.
 */
struct bench_holders;
struct bench_holders *bench_hold(int processes, void (*hold)(void *context),
                                 void *context);
void bench_release(struct bench_holders *holders);

/* Keep the compiler from removing, or moving, work whose result is not used. */
#define BENCH_USED(value) __asm__ volatile("" : : "r"(value) : "memory")

#endif
