/* stop.c - see stop.h. */
#include "os/stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int noted[] = {SIGINT, SIGTERM, SIGHUP};
enum { NOTED = sizeof(noted) / sizeof(noted[0]) };

static volatile sig_atomic_t seen;
static int is_noted;
static struct sigaction before[NOTED];

static void
note(int signal)
{
    seen = signal;
}

void
stop_note(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = note;
    sigemptyset(&action.sa_mask);
    is_noted = 1;
    for (size_t i = 0; i < NOTED; i++) {
        sigaction(noted[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) /* nohup, and jobs of a script */
            sigaction(noted[i], &action, NULL);
    }
}

int
stop_signal(void)
{
    return seen;
}

void
stop_wait(void)
{
    sigset_t blocked;
    sigset_t normal;

    sigemptyset(&blocked);
    for (size_t i = 0; i < NOTED; i++)
        sigaddset(&blocked, noted[i]);
    sigprocmask(SIG_BLOCK, &blocked, &normal);
    while (!seen)
        sigsuspend(&normal);
    sigprocmask(SIG_SETMASK, &normal, NULL);
}

void
stop_nap(int32_t milliseconds)
{
    long rest = milliseconds % 1000;
    struct timespec left = {milliseconds / 1000, rest * 1000000};

    while (!seen && nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

void
stop_leave(void)
{
    if (!seen)
        return;
    fflush(stdout);
    signal(seen, SIG_DFL);
    raise(seen);
}

void
stop_forget(void)
{
    for (size_t i = 0; i < NOTED && is_noted; i++)
        sigaction(noted[i], &before[i], NULL);
}
