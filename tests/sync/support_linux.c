/*
 * support_linux.c - which threads sleep, children and files.
 */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

pid_t
own_tid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static void
nap(void)
{
    struct timespec t = {.tv_nsec = 200000};

    nanosleep(&t, NULL);
}

/*
 * The number of the system call that a thread sleeps in; -1: it runs, or the system
 * does not say.
 */
static long
sleeps_in(pid_t pid, pid_t tid)
{
    char path[64], text[128];
    ssize_t length;
    int fd;

    snprintf(path, sizeof(path), "/proc/%ld/task/%ld/syscall", (long)pid, (long)tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    length = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    return text[0] >= '0' && text[0] <= '9' ? atol(text) : -1;
}

void
await_sleep(pid_t pid, pid_t tid)
{
    enum { FUTEX_WAITV = 449 };
    int64_t deadline = now_us() + (int64_t)harness_deadline_ms() * 1000;

    for (;;) {
        long call = sleeps_in(pid, tid);

        if (call == SYS_futex || call == FUTEX_WAITV || call == SYS_nanosleep ||
            call == SYS_clock_nanosleep)
            return;
        if (now_us() > deadline)
            CHECK_FAIL("thread %ld of process %ld does not wait", (long)tid, (long)pid);
        nap();
    }
}

/*
 * Children.
 */

void
in_child(void (*run)(void *argument), void *argument)
{
    int64_t deadline = now_us() + (int64_t)harness_deadline_ms() * 1000;
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        run(argument);
        _exit(EXIT_SUCCESS);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_us() > deadline) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            CHECK_FAIL("the child does not end");
        }
        nap();
    }
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), EXIT_SUCCESS);
}

/*
 * Files.
 */

static int
count_below(const char *directory)
{
    const struct dirent *entry;
    char below[PATH_MAX];
    int n = 0;
    DIR *dir = opendir(directory);

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            snprintf(below, sizeof(below), "%s/%s", directory, entry->d_name) >=
                (int)sizeof(below))
            continue;
        n += entry->d_type == DT_DIR ? count_below(below) : 1;
    }
    if (dir != NULL)
        closedir(dir);
    return n;
}

int
count_files(void)
{
    return count_below(harness_dir());
}
