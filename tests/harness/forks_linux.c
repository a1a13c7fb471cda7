/*
 * forks_linux.c - see forks.h.
 */
#include "harness/forks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t
fork_here(void)
{
    pid_t pid;

    fflush(stdout);
    pid = fork();
    CHECK(pid >= 0);
    return pid;
}

void
in_child(void (*run)(void *argument), void *argument)
{
    int64_t deadline = now_us() + (int64_t)harness_deadline_ms() * 1000;
    pid_t pid = fork_here();
    int status = 0;

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run(argument);
        _exit(EXIT_SUCCESS);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_us() > deadline) {
            fork_kill(pid);
            CHECK_FAIL("the child does not end");
        }
        nap_us(200);
    }
    if (status != 0)
        CHECK_FAIL("the child failed (wait status 0x%x)", (unsigned)status);
}

pid_t
fork_until_killed(void (*begin)(void *argument), void (*go_on)(void *argument),
                  void *argument)
{
    int ready[2];
    char byte = 'r';
    pid_t pid;

    CHECK(pipe2(ready, O_CLOEXEC) == 0);
    pid = fork_here();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a check may fail meanwhile */
        close(ready[0]);
        begin(argument);
        CHECK(write(ready[1], &byte, 1) == 1);
        close(ready[1]);
        if (go_on != NULL)
            go_on(argument);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    return pid;
}

void
fork_kill(pid_t pid)
{
    harness_expect_dead();
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

pid_t
own_tid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

/*
 * In a futex by its number, or one of those that 32-bit programs have for it; in
 * futex_waitv; or, on a system without that, in a pause until the next look.
 */
int
is_asleep(pid_t pid, pid_t tid)
{
    enum { FUTEX_OF_I386 = 240, FUTEX_TIME64 = 422, FUTEX_WAITV = 449 };
    char path[64], text[128] = "";
    ssize_t length;
    long call;
    int fd;

    snprintf(path, sizeof(path), "/proc/%ld/task/%ld/syscall", (long)pid, (long)tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    length = read(fd, text, sizeof(text) - 1);
    close(fd);
    call = length > 0 && text[0] >= '0' && text[0] <= '9' ? atol(text) : -1;
    return call == SYS_futex || call == FUTEX_OF_I386 || call == FUTEX_TIME64 ||
           call == FUTEX_WAITV || call == SYS_nanosleep || call == SYS_clock_nanosleep;
}

void
await_sleep(pid_t pid, pid_t tid)
{
    int64_t deadline = now_us() + (int64_t)harness_deadline_ms() * 1000;

    while (!is_asleep(pid, tid)) {
        if (now_us() > deadline)
            CHECK_FAIL("thread %ld of process %ld does not sleep", (long)tid,
                       (long)pid);
        nap_us(200);
    }
}
