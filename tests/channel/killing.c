/*
 * killing.c - see killing.h. One run single-steps through the operation and writes down
 * where it comes by; then one child for each of these places runs there and is killed.
 */
#include "killing.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "site.h"
#include "trace.h"
#include "walk.h"

enum {
    /* Some creators look at other names, too: which ones, process ids decide. */
    MOST_TRIES = 20,
    SLEEP_MS = 20000, /* what waits sleeps by then */
    END_MS = 5000     /* what can go on has by then */
};

int64_t
kill_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * The kills.
 */

static pid_t
start(const struct kill_operation *operation)
{
    pid_t pid;

    site_step("makes ready");
    pid = operation->start();
    site_step("runs the victim");
    return pid;
}

static void
check(const struct kill_operation *operation)
{
    site_step("looks at the survivors");
    operation->check();
}

/* The shortest of several walks: of a creator, one that looks at no other names. */
static void
walk_shortest(const struct kill_operation *operation, struct walk *shortest)
{
    static struct walk walk;
    struct trace_stop stop;

    shortest->count = SIZE_MAX;
    for (unsigned i = 0; i < operation->walks; i++) {
        pid_t pid;

        site_say("killed after it");
        pid = start(operation);
        walk_record(pid, &walk, &stop);
        if (stop.place == TRACE_END)
            trace_kill(pid);
        check(operation);
        if (walk.count < shortest->count)
            walk_copy(shortest, &walk);
        walk_skip_process_id();
    }
}

static int
kill_at_instruction(const struct kill_operation *operation, uintptr_t place,
                    unsigned times)
{
    struct trace_stop stop;
    pid_t pid = start(operation);

    trace_run_to(pid, place, times, &stop);
    if (stop.place != TRACE_GONE)
        trace_kill(pid);
    check(operation);
    return stop.place == TRACE_STEP;
}

void
kill_along(const struct kill_operation *operation, struct kill_counts *counts)
{
    static struct walk walk;

    walk_shortest(operation, &walk);
    counts->places = walk.count;
    for (size_t n = operation->first; n < walk.count; n += operation->stride) {
        unsigned times = walk_times(&walk, n);
        int tries = 0;

        walk_report_site(&walk, n);
        while (!kill_at_instruction(operation, walk.sites[n], times) &&
               ++tries < MOST_TRIES)
            if (tries % 2 == 0)
                walk_skip_process_id();
        if (tries < MOST_TRIES)
            counts->killed++;
        else
            counts->missed++;
    }
}

/*
 * The others.
 */

pid_t
kill_run_elsewhere(void (*open)(uint32_t role), uint32_t role, void (*what)(void),
                   int stays)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe(ready) < 0)
        exit(EXIT_FAILURE);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        open(role);
        if (stays)
            close(ready[1]); /* it cannot say so when it waits */
        what();
        if (stays)
            _exit(0);
        close(ready[1]);
        pause();
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 0)
        exit(EXIT_FAILURE);
    close(ready[0]);
    if (stays)
        return pid;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}

static int
is_in_futex(pid_t pid)
{
    char path[64], text[64];
    FILE *file;
    long call = -1;

    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
    file = fopen(path, "re");
    if (file != NULL && fgets(text, sizeof(text), file) != NULL && text[0] != 'r')
        call = strtol(text, NULL, 10);
    if (file != NULL)
        fclose(file);
    return call == SYS_futex;
}

static void
nap(void)
{
    const struct timespec length = {.tv_nsec = 100000};

    nanosleep(&length, NULL);
}

void
kill_await_sleep(pid_t pid)
{
    int64_t end = kill_now_ms() + SLEEP_MS;

    while (!is_in_futex(pid)) {
        if (kill_now_ms() > end) {
            site_fail("a helper", "it does not sleep");
            return;
        }
        nap();
    }
}

void
kill_await_end(pid_t pid)
{
    int64_t end = kill_now_ms() + END_MS;
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (kill_now_ms() > end) {
            site_fail("a helper", "it waits forever");
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return;
        }
        nap();
    }
}
