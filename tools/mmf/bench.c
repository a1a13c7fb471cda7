/*
 * bench.c - mmf bench: how fast this machine is, in ten seconds, against the raw limit:
 * what the system's own means cost for the same. Both take turns, so that a busy
 * machine is busy for both.
 */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mmf/mmf.h>

#include "place.h"
#include "say.h"
#include "stop.h"
#include "table.h"
#include "text.h"

enum { BLOCK = 1 << 20, ROUNDS = 9 };

/* What all benchmarks work on. */
static struct {
    mmf_view_accessor *view;
    unsigned char *bytes;
    unsigned char *block;
    mmf_mutex *mutex;
    pthread_mutex_t *raw_mutex; /* shared */
    mmf_event *event;
    int counter;
    mmf_event *ping, *pong;
    _Atomic uint32_t *futexes; /* two */
    pid_t partner;
    char name[64];
    char path[PATH_MAX];
} stage;

static int64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * The pairs.
 */

static void
accessor_values(int64_t count)
{
    int32_t value = 0;

    for (int64_t i = 0; i < count; i++) {
        mmf_view_accessor_read_int32(stage.view, (i & 1023) * 4, &value);
        mmf_view_accessor_write_int32(stage.view, (i & 1023) * 4, value + 1);
    }
}

static void
raw_values(int64_t count)
{
    volatile int32_t *values = (volatile void *)stage.bytes;

    for (int64_t i = 0; i < count; i++)
        values[i & 1023] = values[i & 1023] + 1;
}

static void
accessor_blocks(int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        mmf_view_accessor_write_array(stage.view, 0, stage.block, 1, BLOCK);
}

static void
raw_blocks(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        memcpy(stage.bytes, stage.block, BLOCK);
        __asm__ volatile("" ::: "memory");
    }
}

static void
own_mutex(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        mmf_mutex_wait(stage.mutex, MMF_INFINITE);
        mmf_mutex_release(stage.mutex);
    }
}

static void
raw_mutex(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        pthread_mutex_lock(stage.raw_mutex);
        pthread_mutex_unlock(stage.raw_mutex);
    }
}

static void
own_event(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        mmf_event_set(stage.event);
        mmf_event_wait(stage.event, MMF_INFINITE);
    }
}

static void
raw_event(int64_t count)
{
    uint64_t value = 1;

    for (int64_t i = 0; i < count; i++)
        if (write(stage.counter, &value, 8) != 8 || read(stage.counter, &value, 8) != 8)
            say_and_exit(TOOL_FAILED, "eventfd: %s", strerror(errno));
}

static void
own_open(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        mmf *map;

        say_check(mmf_open_existing(stage.name, NULL, &map));
        mmf_close(map);
    }
}

static void
raw_open(int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        close(open(stage.path, O_RDWR | O_CLOEXEC));
}

static void
own_create(int64_t count)
{
    char name[80];

    snprintf(name, sizeof(name), "%s new", stage.name);
    for (int64_t i = 0; i < count; i++) {
        mmf *map;

        say_check(mmf_create_new(name, 4096, NULL, &map));
        mmf_close(map);
    }
}

static void
raw_create(int64_t count)
{
    char path[PATH_MAX + 8];

    snprintf(path, sizeof(path), "%s.raw", stage.path);
    for (int64_t i = 0; i < count; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0 || posix_fallocate(fd, 0, 4096) != 0)
            say_and_exit(TOOL_FAILED, "%s: %s", path, strerror(errno));
        unlink(path);
        close(fd);
    }
}

static void
own_ping_pong(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        mmf_event_set(stage.ping);
        if (mmf_event_wait(stage.pong, 10000) != MMF_OK)
            say_and_exit(TOOL_FAILED, "the partner does not answer");
    }
}

static void
futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
    syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void
post(_Atomic uint32_t *word)
{
    atomic_store(word, 1);
    futex(word, FUTEX_WAKE, 1);
}

static void
take(_Atomic uint32_t *word)
{
    uint32_t set = 1;

    while (!atomic_compare_exchange_strong(word, &set, 0)) {
        futex(word, FUTEX_WAIT, 0);
        set = 1;
    }
}

static void
raw_ping_pong(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        post(&stage.futexes[0]);
        take(&stage.futexes[1]);
    }
}

static const struct pair {
    const char *name;
    const char *raw;
    void (*own_run)(int64_t count);
    void (*raw_run)(int64_t count);
    int64_t bytes; /* moved by each: then it is a rate */
} pairs[] = {
    {"read and write an int32", "plain load and store", accessor_values, raw_values, 0},
    {"write an array of 1 MiB", "memcpy", accessor_blocks, raw_blocks, BLOCK},
    {"take and release a mutex", "pthread mutex, shared", own_mutex, raw_mutex, 0},
    {"set and take an event", "eventfd", own_event, raw_event, 0},
    {"round trip of two processes", "futex alone", own_ping_pong, raw_ping_pong, 0},
    {"open and close a name", "open, close", own_open, raw_open, 0},
    {"create and close a name", "open, fallocate, unlink", own_create, raw_create, 0},
};

enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

/*
 * The partner of the round trips: a process of its own, which opens the names itself.
 */

static void *
answer_events(void *argument)
{
    mmf_event *ping, *pong;
    char name[80];

    (void)argument;
    snprintf(name, sizeof(name), "%s ping", stage.name);
    say_check(mmf_event_open_existing(name, NULL, &ping));
    snprintf(name, sizeof(name), "%s pong", stage.name);
    say_check(mmf_event_open_existing(name, NULL, &pong));
    for (;;)
        if (mmf_event_wait(ping, MMF_INFINITE) == MMF_OK)
            mmf_event_set(pong);
    return NULL;
}

static _Noreturn void
be_partner(int alive)
{
    pthread_t thread;
    char nothing;

    if (pthread_create(&thread, NULL, answer_events, NULL) != 0)
        _exit(TOOL_FAILED);
    if (fork() == 0) { /* the other half: a process for the futexes */
        for (;;) {
            take(&stage.futexes[0]);
            if (atomic_load(&stage.futexes[2]))
                _exit(TOOL_DONE);
            post(&stage.futexes[1]);
        }
    }
    while (read(alive, &nothing, 1) < 0 && errno == EINTR)
        ;
    atomic_store(&stage.futexes[2], 1);
    post(&stage.futexes[0]);
    while (wait(NULL) > 0)
        ;
    _exit(TOOL_DONE);
}

/*
 * The two ends of a round trip stay where they are, mmf's and the futexes' alike: left
 * to the scheduler one pair shares a processor while the other does not, and the ratio
 * says nothing. 0: the first processor that we may use, 1: the last.
 */
static void
stay_on(int last)
{
    cpu_set_t allowed, one;

    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
        return;
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || (!last && CPU_COUNT(&one) != 0))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
    }
    sched_setaffinity(0, sizeof(one), &one);
}

/* It ends when the pipe does, also if we are killed. Answers our end of it. */
static int
start_partner(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0 || (stage.partner = fork()) < 0)
        say_and_exit(TOOL_FAILED, "cannot start a process: %s", strerror(errno));
    if (stage.partner == 0) {
        close(ends[1]);
        stay_on(1);
        be_partner(ends[0]);
    }
    stay_on(0);
    close(ends[0]);
    return ends[1];
}

/*
 * The stage.
 */

static mmf_event *
make_event(const char *which)
{
    char name[80];
    mmf_event *event;

    snprintf(name, sizeof(name), "%s %s", stage.name, which);
    say_check(mmf_event_create(0, MMF_EVENT_AUTO_RESET, name, NULL, NULL, &event));
    return event;
}

static void *
share(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        say_no_memory();
    return memory;
}

static void
make_raw_mutex(void)
{
    pthread_mutexattr_t attributes;

    stage.raw_mutex = share(sizeof(pthread_mutex_t));
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(stage.raw_mutex, &attributes);
}

static mmf *
set_up(void)
{
    char directory[PATH_MAX - 128];
    char name[80];
    void *bytes;
    mmf *map;

    snprintf(stage.name, sizeof(stage.name), "mmf-bench-%d", (int)getpid());
    snprintf(directory, sizeof(directory), "%s", place_root());
    snprintf(stage.path, sizeof(stage.path), "%s/mmf-%u/%s", directory,
             (unsigned)geteuid(), stage.name);
    say_check(mmf_create_new(stage.name, BLOCK, NULL, &map));
    say_check(mmf_create_view_accessor(map, 0, 0, MMF_ACCESS_READ_WRITE, &stage.view));
    say_check(mmf_view_accessor_pointer(stage.view, &bytes, NULL));
    stage.bytes = bytes;
    stage.block = malloc(BLOCK);
    if (stage.block == NULL)
        say_no_memory();
    memset(stage.block, 7, BLOCK);
    snprintf(name, sizeof(name), "%s mutex", stage.name);
    say_check(mmf_mutex_create(0, name, NULL, NULL, &stage.mutex));
    make_raw_mutex();
    stage.event = make_event("event");
    stage.ping = make_event("ping");
    stage.pong = make_event("pong");
    stage.counter = eventfd(0, EFD_CLOEXEC);
    stage.futexes = share(3 * sizeof(*stage.futexes));
    return map;
}

static void
tear_down(mmf *map)
{
    mmf_view_accessor_close(stage.view);
    mmf_close(map);
    mmf_mutex_close(stage.mutex);
    mmf_event_close(stage.event);
    mmf_event_close(stage.ping);
    mmf_event_close(stage.pong);
    free(stage.block);
    close(stage.counter);
}

/*
 * Measuring.
 */

/* How many fit in so many nanoseconds. */
static int64_t
calibrate(void (*run)(int64_t count), int64_t slice)
{
    int64_t count = 1;

    for (;;) {
        int64_t begin = now_ns();
        int64_t spent;

        run(count);
        spent = now_ns() - begin;
        if (spent >= slice / 8)
            return count * slice / spent > 0 ? count * slice / spent : 1;
        count *= spent > slice / 64 ? 2 : 8;
    }
}

static double
measure(void (*run)(int64_t count), int64_t count)
{
    int64_t begin = now_ns();

    run(count);
    return (double)(now_ns() - begin) / (double)count;
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

/* Nanoseconds each, of both; in turns. 0: a signal came. */
static int
measure_pair(const struct pair *pair, int64_t slice, double *own, double *raw)
{
    double own_times[ROUNDS];
    double raw_times[ROUNDS];
    int64_t own_count = calibrate(pair->own_run, slice);
    int64_t raw_count = calibrate(pair->raw_run, slice);

    for (int i = 0; i < ROUNDS; i++) {
        if (stop_signal())
            return 0;
        own_times[i] = measure(pair->own_run, own_count);
        raw_times[i] = measure(pair->raw_run, raw_count);
    }
    *own = median(own_times);
    *raw = median(raw_times);
    return 1;
}

static char *
show(const struct pair *pair, double nanoseconds)
{
    if (pair->bytes > 0)
        return text_format("%.2f GB/s", (double)pair->bytes / nanoseconds);
    if (nanoseconds < 1000)
        return text_format("%.1f ns", nanoseconds);
    return text_format("%.2f us", nanoseconds / 1000);
}

static const struct table_column columns[] = {
    {"WHAT", 0, 0},
    {"MMF", 0, SCOLS_FL_RIGHT},
    {"RAW", 0, SCOLS_FL_RIGHT},
    {"TIMES", 0, SCOLS_FL_RIGHT},
    {"RAW IS", 0, 0},
};

static void
add_line(struct libscols_table *table, const struct pair *pair, double own, double raw)
{
    struct libscols_line *line = table_line(table);

    table_set(line, 0, pair->name);
    table_give(line, 1, show(pair, own));
    table_give(line, 2, show(pair, raw));
    table_give(line, 3, text_format("%.2f", own / raw));
    table_set(line, 4, pair->raw);
}

static void
add_json(json_t *array, const struct pair *pair, double own, double raw)
{
    json_t *object = table_json(json_object());

    table_json_set(object, "what", json_string(pair->name));
    table_json_set(object, "raw_is", json_string(pair->raw));
    table_json_set(object, "mmf_ns", json_real(own));
    table_json_set(object, "raw_ns", json_real(raw));
    table_json_set(object, "times", json_real(own / raw));
    if (json_array_append_new(array, object) != 0)
        say_no_memory();
}

static void
show_progress(size_t pair)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%zu of %d: %s\033[K", pair + 1, PAIRS, pairs[pair].name);
}

static void
measure_all(int64_t slice, struct libscols_table *table, json_t *array)
{
    for (size_t i = 0; i < PAIRS; i++) {
        double own, raw;

        show_progress(i);
        if (!measure_pair(&pairs[i], slice, &own, &raw))
            break;
        if (array != NULL)
            add_json(array, &pairs[i], own, raw);
        else
            add_line(table, &pairs[i], own, raw);
    }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
}

static int
run(struct args *args)
{
    int32_t time = args_milliseconds(args, "time", 10000);
    int64_t slice = (int64_t)time * 1000000 / ((int64_t)PAIRS * 2 * (ROUNDS + 1));
    json_t *array = args_value(args, "json") != NULL ? table_json(json_array()) : NULL;
    struct libscols_table *table =
        table_new(columns, sizeof(columns) / sizeof(columns[0]), 1);
    mmf *map;
    int alive;

    if (time < 100)
        say_usage("--time is at least 100ms");
    stop_note();
    map = set_up();
    alive = start_partner();
    measure_all(slice, table, array);
    close(alive);
    waitpid(stage.partner, NULL, 0);
    tear_down(map);
    stop_leave();
    if (array != NULL) {
        json_t *all = table_json(json_object());

        table_json_set(all, "benchmarks", array);
        table_print_json(all);
        scols_unref_table(table);
    } else {
        table_print(table);
    }
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"time", 't', "TIME", "take about so long (10s)"},
    {"json", 'j', NULL, "for programs"},
    {NULL, 0, NULL, NULL}};

const struct command command_bench = {
    "bench",         "", "how fast this machine is, against the raw limit",
    options,         0,  0,
    ARGS_NO_PROGRAM, run};
