/*
 * support_linux.c - clocks, threads, children and files.
 */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* After the state come the name and the rest: src/shared/page/control.h. */
enum { PAGE = 4096, STATE_IN_PAGE = 192 };

int64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
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
 * Threads.
 */

struct worker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pid_t tid;
    job what;
    void *argument;
    int begun; /* the job runs */
    int done;
    int result;
    int end; /* 1: return; 2: pthread_exit */
};

static void *
work(void *argument)
{
    struct worker *worker = argument;
    int end;

    pthread_mutex_lock(&worker->mutex);
    worker->tid = (pid_t)syscall(SYS_gettid);
    pthread_cond_broadcast(&worker->changed);
    while (!worker->end) {
        job what = worker->what;

        if (what == NULL) {
            pthread_cond_wait(&worker->changed, &worker->mutex);
            continue;
        }
        worker->what = NULL;
        worker->begun = 1;
        pthread_mutex_unlock(&worker->mutex);
        worker->result = what(worker->argument);
        pthread_mutex_lock(&worker->mutex);
        worker->done = 1;
        pthread_cond_broadcast(&worker->changed);
    }
    end = worker->end;
    pthread_mutex_unlock(&worker->mutex);
    if (end == 2)
        pthread_exit(NULL);
    return NULL;
}

struct worker *
worker_start(void)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    pthread_condattr_t attributes;

    CHECK(worker != NULL);
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    CHECK_INT(pthread_create(&worker->thread, NULL, work, worker), 0);
    pthread_mutex_lock(&worker->mutex);
    while (worker->tid == 0)
        pthread_cond_wait(&worker->changed, &worker->mutex);
    pthread_mutex_unlock(&worker->mutex);
    return worker;
}

void
worker_begin(struct worker *worker, job what, void *argument)
{
    pthread_mutex_lock(&worker->mutex);
    worker->begun = 0;
    worker->done = 0;
    worker->argument = argument;
    worker->what = what;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
}

int
worker_result(struct worker *worker)
{
    struct timespec deadline;
    int rc = 0;
    int result;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += 2 * harness_deadline_ms() / 1000;
    pthread_mutex_lock(&worker->mutex);
    while (!worker->done && rc == 0)
        rc = pthread_cond_timedwait(&worker->changed, &worker->mutex, &deadline);
    result = worker->result;
    pthread_mutex_unlock(&worker->mutex);
    if (rc != 0)
        CHECK_FAIL("a thread's job does not end");
    return result;
}

int
worker_does(struct worker *worker, job what, void *argument)
{
    worker_begin(worker, what, argument);
    return worker_result(worker);
}

int
worker_is_busy(struct worker *worker)
{
    int busy;

    pthread_mutex_lock(&worker->mutex);
    busy = !worker->done;
    pthread_mutex_unlock(&worker->mutex);
    return busy;
}

void
worker_await_sleep(struct worker *worker)
{
    int begun = 0;

    while (!begun) {
        pthread_mutex_lock(&worker->mutex);
        begun = worker->begun;
        pthread_mutex_unlock(&worker->mutex);
        if (!begun)
            nap();
    }
    await_sleep(getpid(), worker->tid);
}

static void
end_worker(struct worker *worker, int how)
{
    pthread_mutex_lock(&worker->mutex);
    worker->end = how;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
    pthread_join(worker->thread, NULL);
    pthread_mutex_destroy(&worker->mutex);
    pthread_cond_destroy(&worker->changed);
    free(worker);
}

void
worker_end(struct worker *worker)
{
    end_worker(worker, 1);
}

void
worker_exit(struct worker *worker)
{
    end_worker(worker, 2);
}

int
foreign_role(int argc, char **argv)
{
    char *arguments[3] = {NULL};

    for (int i = 1; i < argc && i < 3; i++)
        arguments[i - 1] = argv[i];
    execv(arguments[0], arguments);
    role_say("cannot run %s: %s", arguments[0], strerror(errno));
    return EXIT_FAILURE;
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
count_below(const char *directory, char *path, size_t size)
{
    const struct dirent *entry;
    char below[PATH_MAX];
    int n = 0;
    DIR *dir = opendir(directory);

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            snprintf(below, sizeof(below), "%s/%s", directory, entry->d_name) >=
                (int)sizeof(below))
            continue;
        if (entry->d_type == DT_DIR) {
            n += count_below(below, path, size);
        } else {
            n++;
            if (path != NULL)
                snprintf(path, size, "%s", below);
        }
    }
    closedir(dir);
    return n;
}

int
count_files(void)
{
    return count_below(harness_dir(), NULL, 0);
}

const char *
only_file(void)
{
    static char path[PATH_MAX];

    CHECK_INT(count_below(harness_dir(), path, sizeof(path)), 1);
    return path;
}

static int
open_state(const char *path, off_t *offset)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK(fstat(fd, &status) == 0);
    *offset = status.st_size - PAGE + STATE_IN_PAGE;
    return fd;
}

void
read_state(const char *path, void *state)
{
    off_t offset;
    int fd = open_state(path, &offset);

    CHECK(pread(fd, state, STATE_SIZE, offset) == STATE_SIZE);
    close(fd);
}

void
write_state(const char *path, const void *bytes, size_t size, size_t offset)
{
    off_t at;
    int fd = open_state(path, &at);

    CHECK(pwrite(fd, bytes, size, at + (off_t)offset) == (ssize_t)size);
    close(fd);
}

void
check_directories_of_cat(void)
{
    char path[256];
    struct stat status;

    snprintf(path, sizeof(path), "%s/mmf-%u/Cat", harness_dir(), (unsigned)geteuid());
    CHECK(stat(path, &status) == 0);
    CHECK_INT(status.st_mode & 07777, 0600);
    snprintf(path, sizeof(path), "%s/mmf.Cat", harness_dir());
    CHECK(stat(path, &status) == 0);
    CHECK_INT(status.st_mode & 07777, 0600);
}

void
need_stopped_waiters(void)
{
}
