/*
 * forks_windows.c - nothing forks here. See forks.h.
 */
#include "harness/forks.h"

#include <windows.h>

void
in_child(void (*run)(void *argument), void *argument)
{
    (void)run;
    (void)argument;
    need_fork();
}

pid_t
own_tid(void)
{
    return 0;
}

/*
 * The system does not reliably report that a thread waits; it has had the time to. A
 * test that wakes it also holds if it does not wait yet.
 */
void
await_sleep(pid_t pid, pid_t tid)
{
    (void)pid;
    (void)tid;
    Sleep(30);
}
