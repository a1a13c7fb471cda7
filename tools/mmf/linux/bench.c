/* bench.c - the raw half of what is compared, see bench.h: Linux's own means. */
#include "bench/bench.h"

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
#include <unistd.h>

#include "base/say.h"
#include "linux/directory.h"

static pthread_mutex_t *shared_mutex;
static int counter;
static int pipe_ends[2];
static _Atomic uint32_t *futexes; /* two, and one that ends the partner */
static pid_t partner;
static int alive; /* it ends when this pipe does */
static char path[PATH_MAX];

static void
raw_values(int64_t count)
{
    volatile int32_t *values = (volatile void *)bench_stage.bytes;

    for (int64_t i = 0; i < count; i++)
        values[i & 1023] = values[i & 1023] + 1;
}

static void
raw_blocks(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        memcpy(bench_stage.bytes, bench_stage.block, BENCH_BLOCK);
        __asm__ volatile("" ::: "memory");
    }
}

static void
raw_mutex(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        pthread_mutex_lock(shared_mutex);
        pthread_mutex_unlock(shared_mutex);
    }
}

static void
raw_event(int64_t count)
{
    uint64_t value = 1;

    for (int64_t i = 0; i < count; i++)
        if (write(counter, &value, 8) != 8 || read(counter, &value, 8) != 8)
            say_and_exit(TOOL_FAILED, "eventfd: %s", strerror(errno));
}

static void
raw_open(int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        close(open(path, O_RDWR | O_CLOEXEC));
}

static void
raw_create(int64_t count)
{
    char raw[PATH_MAX + 8];

    snprintf(raw, sizeof(raw), "%s.raw", path);
    for (int64_t i = 0; i < count; i++) {
        int fd = open(raw, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0 || posix_fallocate(fd, 0, 4096) != 0)
            say_and_exit(TOOL_FAILED, "%s: %s", raw, strerror(errno));
        unlink(raw);
        close(fd);
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
        post(&futexes[0]);
        take(&futexes[1]);
    }
}

static void
raw_pipe(int64_t count)
{
    char bytes[BENCH_MESSAGE] = {0};

    for (int64_t i = 0; i < count; i++)
        if (write(pipe_ends[1], bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes) ||
            read(pipe_ends[0], bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
            say_and_exit(TOOL_FAILED, "pipe: %s", strerror(errno));
}

/* A latest value is copied in and out. */
static void
raw_latest(int64_t count)
{
    char bytes[BENCH_MESSAGE] = {0};

    for (int64_t i = 0; i < count; i++) {
        memcpy(bench_stage.bytes, bytes, sizeof(bytes));
        __asm__ volatile("" ::: "memory");
        memcpy(bytes, bench_stage.bytes, sizeof(bytes));
        __asm__ volatile("" ::: "memory");
    }
}

const struct bench_raw bench_raws[BENCH_PAIRS] = {
    [BENCH_VALUES] = {"plain load and store", raw_values},
    [BENCH_BLOCKS] = {"memcpy", raw_blocks},
    [BENCH_MUTEX] = {"pthread mutex, shared", raw_mutex},
    [BENCH_EVENT] = {"eventfd", raw_event},
    [BENCH_ROUND_TRIP] = {"futex alone", raw_ping_pong},
    [BENCH_OPEN] = {"open, close", raw_open},
    [BENCH_CREATE] = {"open, fallocate, unlink", raw_create},
    [BENCH_QUEUE] = {"write and read a pipe", raw_pipe},
    [BENCH_TOPIC] = {"write and read a pipe", raw_pipe},
    [BENCH_LATEST] = {"memcpy, twice", raw_latest},
};

/*
 * The partner of the round trips.
 */

static void *
answer_events(void *argument)
{
    (void)argument;
    bench_answer(bench_stage.name);
}

static _Noreturn void
be_partner(int ours)
{
    pthread_t thread;
    char nothing;

    if (pthread_create(&thread, NULL, answer_events, NULL) != 0)
        _exit(TOOL_FAILED);
    if (fork() == 0) { /* the other half: a process for the futexes */
        for (;;) {
            take(&futexes[0]);
            if (atomic_load(&futexes[2]))
                _exit(TOOL_DONE);
            post(&futexes[1]);
        }
    }
    while (read(ours, &nothing, 1) < 0 && errno == EINTR)
        ;
    atomic_store(&futexes[2], 1);
    post(&futexes[0]);
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

/* It ends when the pipe does, also if we are killed. */
static void
start_partner(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0 || (partner = fork()) < 0)
        say_and_exit(TOOL_FAILED, "cannot start a process: %s", strerror(errno));
    if (partner == 0) {
        close(ends[1]);
        stay_on(1);
        be_partner(ends[0]);
    }
    stay_on(0);
    close(ends[0]);
    alive = ends[1];
}

/*
 * The raw objects.
 */

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

    shared_mutex = share(sizeof(pthread_mutex_t));
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(shared_mutex, &attributes);
}

/* It is a fork. */
void
bench_be_partner(void)
{
}

void
bench_raw_begin(void)
{
    char directory[PATH_MAX];

    directory_local(directory_root(), directory);
    if (snprintf(path, sizeof(path), "%s/%s", directory, bench_stage.name) >=
        (int)sizeof(path))
        say_usage("the path of %s is too long", directory);
    make_raw_mutex();
    counter = eventfd(0, EFD_CLOEXEC);
    if (pipe2(pipe_ends, O_CLOEXEC) < 0)
        say_and_exit(TOOL_FAILED, "pipe: %s", strerror(errno));
    futexes = share(3 * sizeof(*futexes));
    start_partner();
}

void
bench_raw_end(void)
{
    close(alive);
    waitpid(partner, NULL, 0);
    close(counter);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}
