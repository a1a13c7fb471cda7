/*
 * forks.h - forks of the test, and which threads sleep. Where there are no forks, a test
 * that needs one ends as skipped.
 */
#ifndef MMF_TESTS_HARNESS_FORKS_H
#define MMF_TESTS_HARNESS_FORKS_H

#include "harness/check.h"

/* Run `run(argument)` in a child; it must end by itself. Failed checks in it count. */
void in_child(void (*run)(void *argument), void *argument);

/*
 * A child that has done `begin` when this returns; it goes on with `go_on`, or pauses if
 * that is NULL, until fork_kill.
 */
pid_t fork_until_killed(void (*begin)(void *argument), void (*go_on)(void *argument),
                        void *argument);
void fork_kill(pid_t pid);

/* This thread's number in the system; 0: not known. */
pid_t own_tid(void);

/* Wait until a thread sleeps for an object; whether it does, which Windows does not say. */
void await_sleep(pid_t pid, pid_t tid);
int is_asleep(pid_t pid, pid_t tid);

#endif
