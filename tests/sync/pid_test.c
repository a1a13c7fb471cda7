/*
 * pid_test.c - a process id that comes again.
 */
#include "support.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process with a number of our choice in the namespace of its parent's children. */
static pid_t
clone_with_pid(pid_t pid)
{
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* In the role: start a peer as process `pid` of the new namespace. -1: not possible. */
struct numbered {
    pid_t pid; /* as we see it, outside */
    FILE *in, *out;
};

static int
start_numbered(struct numbered *peer, pid_t pid)
{
    int to[2], from[2];

    if (pipe(to) < 0 || pipe(from) < 0)
        return -1;
    peer->pid = clone_with_pid(pid);
    if (peer->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int fd = 3; fd < 100; fd++)
            close(fd);
        execl("/proc/self/exe", "test", "--role", "peer", (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    peer->in = fdopen(to[1], "w");
    peer->out = fdopen(from[0], "r");
    if (peer->pid < 0)
        return -1;
    CHECK(fscanf(peer->out, "ready%*[^\n]%*c") == 0);
    return 0;
}

static void
tell_numbered(struct numbered *peer, const char *command, const char *answer)
{
    char line[256] = "";

    fprintf(peer->in, "p %s\n", command);
    fflush(peer->in);
    if (fgets(line, sizeof(line), peer->out) == NULL ||
        strncmp(line + 2, answer, strlen(answer)) != 0)
        CHECK_FAIL("%s: \"%s\", not \"%s\"", command, line, answer);
}

/*
 * In a namespace of processes where numbers can be chosen: number 42 owns the mutex and
 * is killed; another 42 comes, opens it and lives on.
 */
ROLE(reuse)
{
    struct numbered init, owner, namesake;
    mmf_mutex *mutex = NULL;

    if (unshare(CLONE_NEWPID) < 0 || start_numbered(&init, 1) < 0) {
        role_say("cannot: %s", strerror(errno));
        return 0;
    }
    CHECK_OK(mmf_mutex_create_or_open("Cat", 0, NULL, NULL, &mutex));
    if (start_numbered(&owner, 42) < 0) {
        role_say("cannot: %s", strerror(errno));
        return 0;
    }
    tell_numbered(&owner, "m = open mutex Cat", "MMF_OK");
    tell_numbered(&owner, "wait m 0", "MMF_OK");
    CHECK_STATUS(mmf_mutex_wait(mutex, SHORT_MS), MMF_TIMED_OUT);
    kill(owner.pid, SIGKILL);
    CHECK(waitpid(owner.pid, NULL, 0) == owner.pid);
    CHECK(start_numbered(&namesake, 42) == 0);
    tell_numbered(&namesake, "m = open mutex Cat", "MMF_OK");
    tell_numbered(&namesake, "release m", "MMF_E_NOT_OWNER");
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mutex));
    tell_numbered(&namesake, "wait m 0", "MMF_OK");
    kill(namesake.pid, SIGKILL);
    kill(init.pid, SIGKILL);
    waitpid(namesake.pid, NULL, 0);
    waitpid(init.pid, NULL, 0);
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
    role_say("done");
    _exit(0); /* a leak sanitizer cannot work in a namespace whose init is gone */
}

TEST(a_process_id_used_again_is_no_owner)
{
    struct process *role = process_start("reuse", NULL);
    char line[256];

    if (process_read_line(role, line, sizeof(line)) == NULL)
        CHECK_FAIL("the role failed");
    CHECK_INT(process_finish(role), 0);
    if (strcmp(line, "done") != 0)
        harness_skip("process ids cannot be chosen here: %s", line);
}
