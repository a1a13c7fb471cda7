/*
 * process_linux.c - starts this program again in a role and talks to it by lines.
 */
#include "harness/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 32 };

extern char **environ;

long
process_descriptors(void)
{
    const struct process *p;
    long n = 0;

    for (p = process_all; p != NULL; p = p->next)
        n += (p->in >= 0) + (p->out >= 0);
    return n;
}

static void
close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void
process_close_input(struct process *process)
{
    close_end(&process->in);
}

void
process_close(struct process *process)
{
    close_end(&process->in);
    close_end(&process->out);
}

/*
 * This program's file. /proc/self/exe itself would start valgrind's tool under
 * valgrind, which answers the question where the link leads as if it were not there.
 * Where the way to the file is closed to us, the link still works.
 */
static void
own_program(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);

    path[length < 0 ? 0 : length] = '\0';
    if (access(path, X_OK) < 0)
        snprintf(path, size, "/proc/self/exe");
}

static void
spawn(struct process *p, char *const *argv, int child_in, int child_out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    char program[4096];
    int rc;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child_out, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE); /* the runner ignores it, a role need not */
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    own_program(program, sizeof(program));
    rc = posix_spawn(&p->id, program, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        check_fail(__FILE__, __LINE__, "start role %s: %s", p->role, strerror(rc));
}

struct process *
process_start(const char *role, const char *const *args)
{
    static char program[] = "test", option[] = "--role";
    char *argv[MAX_ARGUMENTS + 4];
    struct process *p;
    int to[2], from[2];
    int n = 0;

    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
        check_fail(__FILE__, __LINE__, "start role %s: %s", role, strerror(errno));
    /* The parent's ends first: a failure below is cleaned up with the list. */
    p = process_add(role);
    p->in = to[1];
    p->out = from[0];
    argv[n++] = program;
    argv[n++] = option;
    argv[n++] = p->role;
    for (; args != NULL && *args != NULL; args++) {
        if (n == MAX_ARGUMENTS + 3)
            check_fail(__FILE__, __LINE__, "start role %s: too many arguments", role);
        argv[n++] = strdup(*args);
    }
    argv[n] = NULL;
    fflush(stdout);
    spawn(p, argv, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    while (n-- > 3)
        free(argv[n]);
    return p;
}

int
process_read_more(struct process *p, int64_t deadline)
{
    struct pollfd fd = {.fd = p->out, .events = POLLIN};
    int64_t left = deadline - now_ms();
    ssize_t n;
    int rc;

    if (p->out < 0)
        return 0;
    if (p->length == sizeof(p->pending))
        check_fail(__FILE__, __LINE__, "role %s: a line without end", p->role);
    do {
        rc = poll(&fd, 1, left < 0 ? 0 : (int)left);
    } while (rc < 0 && errno == EINTR);
    if (rc == 0)
        check_fail(__FILE__, __LINE__, "role %s (process %ld) says nothing for %d ms",
                   p->role, (long)p->id, harness_deadline_ms());
    do {
        n = read(p->out, p->pending + p->length, sizeof(p->pending) - p->length);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        close_end(&p->out);
        return 0;
    }
    p->length += (size_t)n;
    return 1;
}

void
process_send(struct process *process, const char *line)
{
    size_t length = strlen(line);
    char *text = malloc(length + 1);
    size_t done = 0;
    ssize_t n = 0;

    if (text == NULL)
        check_fail(__FILE__, __LINE__, "no memory");
    memcpy(text, line, length);
    text[length] = '\n';
    while (done <= length) {
        n = write(process->in, text + done, length + 1 - done);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            done += (size_t)n;
    }
    free(text);
    if (n < 0)
        check_fail(__FILE__, __LINE__, "tell role %s \"%s\": %s", process->role, line,
                   strerror(errno));
}

static int
exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
process_await_end(struct process *p, int64_t deadline)
{
    int status;
    pid_t got;

    while (!p->ended) {
        got = waitpid(p->id, &status, WNOHANG);
        if (got == p->id) {
            p->ended = 1;
            p->status = exit_status(status);
        } else if (got < 0 && errno != EINTR) {
            p->ended = 1;
            p->status = -1;
        } else if (now_ms() > deadline) {
            return 0;
        } else {
            poll(NULL, 0, 1);
        }
    }
    return 1;
}

void
process_end_by_force(struct process *p)
{
    int status;

    if (p->ended || p->id <= 0)
        return;
    kill(p->id, SIGKILL);
    while (waitpid(p->id, &status, 0) < 0)
        if (errno != EINTR)
            break;
    p->ended = 1;
    p->status = 128 + SIGKILL;
}

int
process_has_ended(const struct process *process)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    return waitid(P_PID, (id_t)process->id, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
           info.si_pid != 0;
}

void
process_continue(struct process *process)
{
    if (kill(process->id, SIGCONT) < 0)
        check_fail(__FILE__, __LINE__, "role %s does not go on", process->role);
}

void
process_enter_role(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}
