/*
 * process_linux.c - starts this program again in a role and talks to it by lines.
 */
#include "harness/check.h"
#include "harness/internal.h"

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
#include <time.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 32 };

struct process {
    struct process *next;
    char role[64];
    pid_t pid;
    int in;     /* we write, its standard input; -1 when closed */
    int out;    /* we read, its standard output; -1 when closed */
    int ended;  /* waited for; `status` holds */
    int killed; /* by process_kill */
    int status;
    size_t length; /* bytes in `pending` that no line has been made of */
    char pending[4096];
};

static struct process *all;
static int any_killed;

extern char **environ;

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

long
process_descriptors(void)
{
    const struct process *p;
    long n = 0;

    for (p = all; p != NULL; p = p->next)
        n += (p->in >= 0) + (p->out >= 0);
    return n;
}

int
process_any_killed(void)
{
    return any_killed;
}

static void
close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
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
    rc = posix_spawn(&p->pid, program, &actions, &attributes, argv, environ);
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
    struct process *p = calloc(1, sizeof(*p));
    int to[2], from[2];
    int n = 0;

    if (p == NULL || pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
        check_fail(__FILE__, __LINE__, "start role %s: %s", role, strerror(errno));
    snprintf(p->role, sizeof(p->role), "%s", role);
    argv[n++] = program;
    argv[n++] = option;
    argv[n++] = p->role;
    for (; args != NULL && *args != NULL; args++) {
        if (n == MAX_ARGUMENTS + 3)
            check_fail(__FILE__, __LINE__, "start role %s: too many arguments", role);
        argv[n++] = strdup(*args);
    }
    argv[n] = NULL;
    /* The parent's ends first: a failure below is cleaned up with the list. */
    p->in = to[1];
    p->out = from[0];
    p->next = all;
    all = p;
    fflush(stdout);
    spawn(p, argv, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    while (n-- > 3)
        free(argv[n]);
    return p;
}

pid_t
process_id(const struct process *process)
{
    return process->pid;
}

/* Read more of what it says. 0 at the end of its output. */
static int
read_more(struct process *p, int64_t deadline)
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
                   p->role, (long)p->pid, harness_deadline_ms());
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

char *
process_read_line(struct process *process, char *buf, size_t size)
{
    int64_t deadline = now_ms() + harness_deadline_ms();
    const char *end;
    size_t length;

    while ((end = memchr(process->pending, '\n', process->length)) == NULL)
        if (!read_more(process, deadline))
            return NULL;
    length = (size_t)(end - process->pending);
    if (length >= size)
        check_fail(__FILE__, __LINE__, "role %s: a line of %zu bytes", process->role,
                   length);
    memcpy(buf, process->pending, length);
    buf[length] = '\0';
    process->length -= length + 1;
    memmove(process->pending, end + 1, process->length);
    return buf;
}

void
process_expect(struct process *process, const char *line)
{
    char got[4096];

    if (process_read_line(process, got, sizeof(got)) == NULL)
        check_fail(__FILE__, __LINE__, "role %s ended instead of saying \"%s\"",
                   process->role, line);
    if (strcmp(got, line) != 0)
        check_fail(__FILE__, __LINE__, "role %s said \"%s\", not \"%s\"", process->role,
                   got, line);
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

/* Wait for its end. 0 if the deadline passed first. */
static int
await_end(struct process *p, int64_t deadline)
{
    int status;
    pid_t got;

    while (!p->ended) {
        got = waitpid(p->pid, &status, WNOHANG);
        if (got == p->pid) {
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

static void
end_by_force(struct process *p)
{
    int status;

    if (p->ended || p->pid <= 0)
        return;
    kill(p->pid, SIGKILL);
    while (waitpid(p->pid, &status, 0) < 0)
        if (errno != EINTR)
            break;
    p->ended = 1;
    p->status = 128 + SIGKILL;
}

void
process_kill(struct process *process)
{
    end_by_force(process);
    process->killed = 1;
    any_killed = 1;
    close_end(&process->in);
}

int
process_has_ended(const struct process *process)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    return waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
           info.si_pid != 0;
}

void
process_stop(struct process *process)
{
    int status;

    if (kill(process->pid, SIGSTOP) < 0 ||
        waitpid(process->pid, &status, WUNTRACED) != process->pid ||
        !WIFSTOPPED(status))
        check_fail(__FILE__, __LINE__, "role %s does not stop", process->role);
}

void
process_continue(struct process *process)
{
    if (kill(process->pid, SIGCONT) < 0)
        check_fail(__FILE__, __LINE__, "role %s does not go on", process->role);
}

static void
forget(struct process *p)
{
    struct process **link = &all;

    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    close_end(&p->in);
    close_end(&p->out);
    free(p);
}

int
process_finish(struct process *process)
{
    int64_t deadline = now_ms() + harness_deadline_ms();
    int status;

    close_end(&process->in);
    if (!process->ended) {
        /* Read to the end, so that a full pipe does not keep it from ending. */
        do {
            process->length = 0;
        } while (read_more(process, deadline));
        if (!await_end(process, deadline))
            check_fail(__FILE__, __LINE__, "role %s (process %ld) does not end",
                       process->role, (long)process->pid);
    }
    status = process->status;
    forget(process);
    return status;
}

int
process_clean_up(void)
{
    int left = 0;

    while (all != NULL) {
        if (!all->killed)
            left++;
        end_by_force(all);
        forget(all);
    }
    any_killed = 0;
    return left;
}

void
process_enter_role(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}
