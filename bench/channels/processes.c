/*
 * processes.c - the two processors, the clock of the round trips, and child processes.
 */
#include "channels/processes.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static size_t processors[2];

/*
 * Processors and clocks.
 */

void
channel_choose_processors(void)
{
    cpu_set_t set;
    int found = 0;

    bench_leave_processor();
    bench_system(sched_getaffinity(0, sizeof(set), &set), "sched_getaffinity");
    for (size_t i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, &set))
            processors[found++] = i;
    if (found < 2)
        bench_die("bench: channels need two processors");
}

void
channel_pin(enum channel_side side)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processors[side], &set);
    bench_system(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

uint64_t
channel_ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#else
    return (uint64_t)bench_now();
#endif
}

double
channel_ns_per_tick(void)
{
    static double ratio;
    const struct timespec time = {.tv_nsec = 100000000};
    int64_t start = bench_now();
    uint64_t ticks = channel_ticks();

    if (ratio == 0) {
        nanosleep(&time, NULL);
        ratio = (double)(bench_now() - start) / (double)(channel_ticks() - ticks);
    }
    return ratio;
}

/*
 * Processes.
 */

pid_t
channel_start(void (*work)(void *context), void *context)
{
    pid_t parent = getpid(), process;

    fflush(NULL);
    process = (pid_t)bench_system(fork(), "fork");
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            work(context);
        fflush(NULL);
        _exit(0);
    }
    return process;
}

int
channel_await(pid_t process, int timeout_ms)
{
    struct pollfd end = {.events = POLLIN};
    int status = 0, rc;

    end.fd = (int)bench_system(syscall(SYS_pidfd_open, process, 0), "pidfd_open");
    while ((rc = poll(&end, 1, timeout_ms)) < 0 && errno == EINTR)
        continue;
    if (rc == 0)
        kill(process, SIGKILL);
    close(end.fd);
    waitpid(process, &status, 0);
    return rc == 1 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
