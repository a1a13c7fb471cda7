/*
 * bench.c - turns, samples, percentiles, and the file of figures.
 */
#include "bench.h"

#include <errno.h>
#include <jansson.h>
#include <mmf/mmf.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of many holders, this many start at the same time. */
enum { MOST_AT_ONCE = 16 };

enum { MOST_WAYS = 8, MOST_GROUPS = 16 };

struct samples {
    double *values;
    size_t count;
    size_t space;
};

/* The report on a way's samples. The mean shows rare costs. */
struct summary {
    double values[4];
};

enum { MEDIAN, FIGURES = 4 };

static const char *const figure_names[FIGURES] = {"p50", "p90", "p99", "mean"};

static json_t *figures;

/* The pipes' ends that keep holders waiting; a new holder must not keep them open. */
static int groups_open[MOST_GROUPS];
static int group_count;

/* The processors that we may use, and the one that bench_begin has chosen. */
static cpu_set_t processors;
static size_t processor;

struct bench_holders {
    int release; /* closing it ends them */
    int group;
    int count;
    pid_t processes[];
};

void
bench_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void
bench_mmf(int rc, const char *what)
{
    if (rc < 0)
        bench_die("bench: %s: %s", what, mmf_last_message());
}

long
bench_system(long rc, const char *what)
{
    if (rc < 0)
        bench_die("bench: %s: %s", what, strerror(errno));
    return rc;
}

int64_t
bench_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void
take_sample(struct samples *samples, const struct bench_way *way, int times)
{
    int64_t start, end;

    if (samples->count == samples->space)
        bench_die("bench: more samples than planned");
    start = bench_now();
    way->run(way->context, times);
    end = bench_now();
    samples->values[samples->count++] = (double)(end - start) / times;
}

static void
take_turn(struct samples *samples, const struct bench_way *way,
          const struct bench_plan *plan)
{
    if (way->prepare != NULL)
        way->prepare(way->context);
    for (int i = 0; i < plan->samples_per_turn; i++)
        take_sample(samples, way, plan->times_per_sample);
}

static void
run_rounds(struct samples *samples, const struct bench_way *ways, int count,
           const struct bench_plan *plan)
{
    int warm_up = plan->rounds / 20 + 1;

    for (int round = 0; round < plan->rounds + warm_up; round++) {
        for (int i = 0; i < count; i++) {
            int way = (i + round) % count;

            take_turn(&samples[way], &ways[way], plan);
            if (round < warm_up)
                samples[way].count = 0;
        }
    }
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Nearest rank; the samples are sorted. */
static double
percentile(const struct samples *samples, double p)
{
    size_t rank = (size_t)(p / 100 * (double)samples->count);

    return samples->values[rank < samples->count ? rank : samples->count - 1];
}

static struct summary
summarize(struct samples *samples)
{
    double sum = 0;

    qsort(samples->values, samples->count, sizeof(double), compare_doubles);
    for (size_t i = 0; i < samples->count; i++)
        sum += samples->values[i];
    return (struct summary){{percentile(samples, 50), percentile(samples, 90),
                             percentile(samples, 99), sum / (double)samples->count}};
}

/* What a figure is compared with: another way's, or a target. */
struct baseline {
    const char *name;
    double value;
};

void
bench_note(const char *name, const char *unit, double value, const char *baseline_name,
           double baseline_value)
{
    json_t *figure =
        json_pack("{s:s, s:s, s:f, s:s, s:f, s:f}", "name", name, "unit", unit, "value",
                  value, "baseline", baseline_name, "baseline_value", baseline_value,
                  "ratio", value / baseline_value);

    if (figure == NULL || json_array_append_new(figures, figure) < 0)
        bench_die("bench: no memory for figures");
}

static json_t *
find_figure(const char *name)
{
    size_t i;
    json_t *figure;

    json_array_foreach(figures, i, figure)
    {
        if (strcmp(json_string_value(json_object_get(figure, "name")), name) == 0)
            return figure;
    }
    return NULL;
}

void
bench_note_goal(const char *name, double limit, int is_met)
{
    json_t *figure = find_figure(name);

    json_object_set_new(figure, "goal", json_real(limit));
    json_object_set_new(figure, "met", json_boolean(is_met));
}

void
bench_goal(const char *name, enum bench_sense sense, double limit)
{
    json_t *figure = find_figure(name);
    double ratio;
    int is_met;

    if (figure == NULL) {
        printf("  %-66s is not here\n", name);
        return;
    }
    ratio = json_real_value(json_object_get(figure, "ratio"));
    is_met = sense == BENCH_AT_MOST ? ratio <= limit : ratio >= limit;
    bench_note_goal(name, limit, is_met);
    printf("  %-66s %9.3f, %s %.3g: %s\n", name, ratio,
           sense == BENCH_AT_MOST ? "at most" : "at least", limit,
           is_met ? "met" : "NOT met");
}

static void
note_figure(const char *title, const char *way_name, const char *figure_name,
            const char *unit, double value, const struct baseline *baseline)
{
    char name[256];

    snprintf(name, sizeof(name), "%s: %s, %s", title, way_name, figure_name);
    bench_note(name, unit, value, baseline->name, baseline->value);
}

static void
print_head(const char *title, const char *const *names, const char *unit,
           const char *than)
{
    printf("\n%-37s", title);
    for (int i = 0; i < FIGURES; i++)
        printf(" %9s", names[i]);
    printf(" %s   times %s\n", unit, than);
}

static void
report(const char *title, const struct bench_way *way, const struct summary *summary,
       const struct bench_way *baseline, const struct summary *base)
{
    printf("  %-35s", way->name);
    for (int i = 0; i < FIGURES; i++)
        printf(" %9.1f", summary->values[i]);
    for (int i = 0; i < FIGURES && way != baseline; i++) {
        struct baseline other = {baseline->name, base->values[i]};

        printf("%s%.3f", i == 0 ? "      " : " ", summary->values[i] / other.value);
        note_figure(title, way->name, figure_names[i], "ns", summary->values[i],
                    &other);
    }
    if (way != baseline)
        printf("  (%+.1f ns)", summary->values[MEDIAN] - base->values[MEDIAN]);
    printf("\n");
}

void
bench_compare(const char *title, const struct bench_way *ways, int count,
              const struct bench_plan *plan)
{
    struct samples samples[MOST_WAYS] = {{0}};
    struct summary summaries[MOST_WAYS];
    /* One warm-up turn is taken at a time, before its samples are dropped. */
    size_t space = (size_t)plan->rounds * (size_t)plan->samples_per_turn;

    if (count > MOST_WAYS)
        bench_die("bench: too many ways");
    for (int i = 0; i < count; i++) {
        samples[i].values = calloc(space, sizeof(double));
        samples[i].space = space;
        if (samples[i].values == NULL)
            bench_die("bench: no memory for samples");
    }
    run_rounds(samples, ways, count, plan);
    print_head(title, figure_names, "ns", "the first way's");
    for (int i = 0; i < count; i++) {
        summaries[i] = summarize(&samples[i]);
        report(title, &ways[i], &summaries[i], &ways[0], &summaries[0]);
        free(samples[i].values);
    }
    fflush(stdout);
}

/*
 * Series.
 */

static const char *const series_figure_names[FIGURES] = {"p50", "p90", "p99", "max"};

static struct summary
summarize_series(const struct bench_series *series)
{
    struct samples samples = {.values = series->samples,
                              .count = (size_t)series->count};
    struct summary summary = summarize(&samples);

    summary.values[FIGURES - 1] = series->samples[series->count - 1];
    return summary;
}

void
bench_report(const char *title, const char *unit, const struct bench_series *series,
             int count, double target)
{
    struct summary base;

    print_head(title, series_figure_names, unit,
               target > 0 ? "the target" : "the first's");
    for (int i = 0; i < count; i++) {
        struct summary summary = summarize_series(&series[i]);

        if (i == 0)
            base = summary;
        printf("  %-35s", series[i].name);
        for (int k = 0; k < FIGURES; k++)
            printf(" %9.3g", summary.values[k]);
        for (int k = 0; k < FIGURES && (i > 0 || target > 0); k++) {
            struct baseline other = {series[0].name, base.values[k]};

            if (target > 0)
                other = (struct baseline){"target", target};
            printf("%s%.3f", k == 0 ? "      " : " ", summary.values[k] / other.value);
            note_figure(title, series[i].name, series_figure_names[k], unit,
                        summary.values[k], &other);
        }
        printf("\n");
    }
    fflush(stdout);
}

static void
use_processors(const cpu_set_t *set)
{
    bench_system(sched_setaffinity(0, sizeof(*set), set), "sched_setaffinity");
}

/* The last processor that we may use: interrupts tend to meet the first. */
static size_t
choose_processor(void)
{
    cpu_set_t one;

    bench_system(sched_getaffinity(0, sizeof(processors), &processors),
                 "sched_getaffinity");
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &processors))
            processor = i;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    use_processors(&one);
    return processor;
}

void
bench_leave_processor(void)
{
    use_processors(&processors);
}

/* Any but the chosen one. */
static void
use_another_processor(void)
{
    cpu_set_t others = processors;

    CPU_CLR(processor, &others);
    use_processors(CPU_COUNT(&others) > 0 ? &others : &processors);
}

static void
print_processor_model(void)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':') != NULL) {
            line[strcspn(line, "\n")] = '\0';
            printf("%s", strchr(line, ':') + 2);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
}

static void
nothing(void *context, int times)
{
    (void)context;
    (void)times;
}

void
bench_begin(const char *suite)
{
    static const struct bench_way clock = {"reading the clock", nothing, NULL, NULL};
    static const struct bench_plan plan = {20, 1000, 1};
    struct utsname system;
    double load = 0;

    figures = json_array();
    uname(&system);
    getloadavg(&load, 1);
    printf("%s: mmf %s, ", suite, mmf_version());
    print_processor_model();
    printf(", %ld processors, pinned to %zu, %s %s, load %.2f\n",
           sysconf(_SC_NPROCESSORS_ONLN), choose_processor(), system.sysname,
           system.release, load);
    bench_compare("what each sample has too much", &clock, 1, &plan);
}

void
bench_end(const char *path)
{
    if (json_dump_file(figures, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) < 0)
        bench_die("bench: cannot write %s", path);
    printf("\n%zu figures in %s\n", json_array_size(figures), path);
    json_decref(figures);
}

void *
bench_share(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        bench_die("bench: mmap: %s", strerror(errno));
    return memory;
}

pid_t
bench_start_partner(void (*work)(void *context), void *context)
{
    pid_t partner;

    fflush(NULL);
    partner = (pid_t)bench_system(fork(), "fork");
    if (partner == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int i = 0; i < group_count; i++)
            close(groups_open[i]);
        use_another_processor();
        work(context);
        exit(0);
    }
    return partner;
}

void
bench_end_partner(pid_t partner)
{
    kill(partner, SIGKILL);
    waitpid(partner, NULL, 0);
}

/* A holder: open, report, wait for the pipe's end. The normal exit closes. */
static void
be_a_holder(void (*hold)(void *context), void *context, int ready, int release)
{
    char byte = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < group_count; i++)
        close(groups_open[i]);
    hold(context);
    if (write(ready, &byte, 1) != 1)
        exit(1);
    while (read(release, &byte, 1) < 0 && errno == EINTR)
        continue;
    exit(0);
}

static void
await_a_holder(int ready)
{
    struct pollfd end = {.fd = ready, .events = POLLIN};
    char byte;

    if (poll(&end, 1, 60000) != 1 || read(ready, &byte, 1) != 1)
        bench_die("bench: a holder died");
}

struct bench_holders *
bench_hold(int processes, void (*hold)(void *context), void *context)
{
    struct bench_holders *holders =
        calloc(1, sizeof(*holders) + (size_t)processes * sizeof(pid_t));
    int ready[2], release[2];

    if (holders == NULL || group_count == MOST_GROUPS)
        bench_die("bench: too many holders");
    bench_system(pipe(ready), "pipe");
    bench_system(pipe(release), "pipe");
    holders->release = release[1];
    holders->group = group_count;
    holders->count = processes;
    groups_open[group_count++] = release[1];
    fflush(NULL);
    for (int i = 0; i < processes; i++) {
        holders->processes[i] = (pid_t)bench_system(fork(), "fork");
        if (holders->processes[i] == 0) {
            close(ready[0]);
            be_a_holder(hold, context, ready[1], release[0]);
        }
        if (i >= MOST_AT_ONCE)
            await_a_holder(ready[0]);
    }
    close(ready[1]);
    close(release[0]);
    for (int i = 0; i < processes && i < MOST_AT_ONCE; i++)
        await_a_holder(ready[0]);
    close(ready[0]);
    return holders;
}

/* Groups are released in the reverse order of their creation. */
void
bench_release(struct bench_holders *holders)
{
    if (holders->group != group_count - 1)
        bench_die("bench: holders are released out of order");
    group_count--;
    close(holders->release);
    for (int i = 0; i < holders->count; i++)
        waitpid(holders->processes[i], NULL, 0);
    free(holders);
}
