/* background.c - see background.h. The process that goes on is a fork. */
#include "os/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"

static int to_parent;

/* How a child ended that gave no word; it has said why. */
static int
status_of(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return TOOL_FAILED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : TOOL_FAILED;
}

/* In the parent: the child's word, and its number for people. Does not come back. */
static _Noreturn void
await_child(int from_child, pid_t child)
{
    char word;

    if (read(from_child, &word, 1) != 1)
        exit(status_of(child));
    printf("%d\n", (int)child);
    exit(say_finish(TOOL_DONE));
}

void
background_begin(void)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        say_and_exit(TOOL_FAILED, "cannot make a pipe: %s", strerror(errno));
    fflush(NULL);
    child = fork();
    if (child < 0)
        say_and_exit(TOOL_FAILED, "cannot start a process: %s", strerror(errno));
    if (child > 0) {
        close(ends[1]);
        await_child(ends[0], child);
    }
    close(ends[0]);
    setsid();
    to_parent = ends[1];
}

void
background_ready(void)
{
    char word = 0;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    /* With the parent's output a program that reads that would wait for our end. */
    if (nothing < 0)
        say_and_exit(TOOL_FAILED, "cannot go on without a terminal: /dev/null: %s",
                     strerror(errno));
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
    if (write(to_parent, &word, 1) != 1)
        say("no process waits for this one");
    close(to_parent);
}
