/*
 * support.c - objects of any kind, threads that do jobs, processes that obey.
 */
#include "support.h"
#include "peer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* After the state come the name and the rest: src/shared/control.h. */
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
 * Names.
 */

void
for_each_name(void (*test)(const char *name))
{
    char large[1033];

    memset(large, 'a', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    CHECK_CONTEXT("unnamed");
    test(NULL);
    CHECK_CONTEXT("named");
    test("Cat");
    CHECK_CONTEXT("global");
    test("Global\\Cat with a / and a ' '");
    CHECK_CONTEXT("a name of 1,032 bytes");
    test(large);
    CHECK_CONTEXT("%s", "");
}

const char *
with_suffix(const char *name, const char *suffix)
{
    static _Thread_local char buffers[16][1100];
    static _Thread_local unsigned next;
    char *buffer = buffers[next++ % COUNT_OF(buffers)];

    if (name == NULL)
        return NULL;
    snprintf(buffer, sizeof(buffers[0]), "%s%s", name, suffix);
    return buffer;
}

/*
 * Makers.
 */

mmf_mutex *
new_mutex(const char *name)
{
    mmf_mutex *mutex = NULL;

    CHECK_STATUS(mmf_mutex_create(0, name, NULL, NULL, &mutex), MMF_OK);
    return mutex;
}

mmf_mutex *
owned_mutex(const char *name)
{
    mmf_mutex *mutex = NULL;
    int created = -1;

    CHECK_STATUS(mmf_mutex_create(1, name, NULL, &created, &mutex), MMF_OK);
    CHECK_INT(created, 1);
    return mutex;
}

static mmf_event *
new_event(const char *name, int signalled, mmf_event_mode mode)
{
    mmf_event *event = NULL;

    CHECK_STATUS(mmf_event_create(signalled, mode, name, NULL, NULL, &event), MMF_OK);
    return event;
}

mmf_event *
auto_event(const char *name, int signalled)
{
    return new_event(name, signalled, MMF_EVENT_AUTO_RESET);
}

mmf_event *
manual_event(const char *name, int signalled)
{
    return new_event(name, signalled, MMF_EVENT_MANUAL_RESET);
}

mmf_semaphore *
new_semaphore(const char *name, int32_t initial, int32_t maximum)
{
    mmf_semaphore *semaphore = NULL;

    CHECK_STATUS(mmf_semaphore_create(initial, maximum, name, NULL, NULL, &semaphore),
                 MMF_OK);
    return semaphore;
}

/*
 * Objects of any kind.
 */

int
object_create(struct object *object, mmf_kind kind, const char *name,
              const mmf_sync_options *options, int *created_new)
{
    struct object made = {.kind = kind};
    int rc;

    switch (kind) {
    case MMF_KIND_MUTEX:
        rc = mmf_mutex_create(0, name, options, created_new, &made.mutex);
        break;
    case MMF_KIND_EVENT:
        rc = mmf_event_create(1, MMF_EVENT_AUTO_RESET, name, options, created_new,
                              &made.event);
        break;
    case MMF_KIND_SEMAPHORE:
        rc = mmf_semaphore_create(1, 10, name, options, created_new, &made.semaphore);
        break;
    default:
        rc = mmf_create_or_open(name, 100, NULL, &made.map);
        break;
    }
    if (rc >= 0)
        *object = made;
    return rc;
}

int
object_open(struct object *object, mmf_kind kind, const char *name,
            const mmf_sync_options *options)
{
    struct object opened = {.kind = kind};
    int rc;

    switch (kind) {
    case MMF_KIND_MUTEX:
        rc = mmf_mutex_open_existing(name, options, &opened.mutex);
        break;
    case MMF_KIND_EVENT:
        rc = mmf_event_open_existing(name, options, &opened.event);
        break;
    case MMF_KIND_SEMAPHORE:
        rc = mmf_semaphore_open_existing(name, options, &opened.semaphore);
        break;
    default:
        rc = mmf_open_existing(name, NULL, &opened.map);
        break;
    }
    if (rc >= 0)
        *object = opened;
    return rc;
}

int
object_try_open(struct object *object, mmf_kind kind, const char *name,
                const mmf_sync_options *options, int *opened)
{
    struct object found = {.kind = kind};
    int rc;

    switch (kind) {
    case MMF_KIND_MUTEX:
        found.mutex = UNTOUCHED;
        rc = mmf_mutex_try_open_existing(name, options, opened, &found.mutex);
        break;
    case MMF_KIND_EVENT:
        found.event = UNTOUCHED;
        rc = mmf_event_try_open_existing(name, options, opened, &found.event);
        break;
    default:
        found.semaphore = UNTOUCHED;
        rc = mmf_semaphore_try_open_existing(name, options, opened, &found.semaphore);
        break;
    }
    if (rc >= 0)
        *object = found;
    return rc;
}

void
object_close(struct object *object)
{
    mmf_mutex_close(object->mutex);
    mmf_event_close(object->event);
    mmf_semaphore_close(object->semaphore);
    mmf_close(object->map);
    memset(object, 0, sizeof(*object));
}

mmf_waitable *
object_waitable(const struct object *object)
{
    switch (object->kind) {
    case MMF_KIND_MUTEX:
        return mmf_mutex_waitable(object->mutex);
    case MMF_KIND_EVENT:
        return mmf_event_waitable(object->event);
    default:
        return mmf_semaphore_waitable(object->semaphore);
    }
}

int
object_wait(const struct object *object, int32_t timeout_ms)
{
    switch (object->kind) {
    case MMF_KIND_MUTEX:
        return mmf_mutex_wait(object->mutex, timeout_ms);
    case MMF_KIND_EVENT:
        return mmf_event_wait(object->event, timeout_ms);
    default:
        return mmf_semaphore_wait(object->semaphore, timeout_ms);
    }
}

int
object_signal(const struct object *object)
{
    switch (object->kind) {
    case MMF_KIND_MUTEX:
        return mmf_mutex_release(object->mutex);
    case MMF_KIND_EVENT:
        return mmf_event_set(object->event);
    default:
        return mmf_semaphore_release(object->semaphore, 1, NULL);
    }
}

struct object
new_object(mmf_kind kind, const char *name)
{
    struct object object = {0};

    CHECK_STATUS(object_create(&object, kind, name, NULL, NULL), MMF_OK);
    return object;
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
job_wait(void *waitable)
{
    return mmf_wait_one(waitable, LONG_MS);
}

int
job_wait_forever(void *waitable)
{
    return mmf_wait_one(waitable, MMF_INFINITE);
}

int
job_poll(void *waitable)
{
    return mmf_wait_one(waitable, 0);
}

int
job_release(void *mutex)
{
    return mmf_mutex_release(mutex);
}

int
job_set(void *event)
{
    return mmf_event_set(event);
}

int
job_wait_any(void *several)
{
    struct several *s = several;

    s->index = -1;
    return mmf_wait_any(s->objects, s->count, s->timeout_ms, &s->index);
}

int
job_wait_all(void *several)
{
    struct several *s = several;

    return mmf_wait_all(s->objects, s->count, s->timeout_ms);
}

/*
 * The number of the system call that a thread sleeps in; -1: it runs, or nobody tells.
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
 * Peers.
 */

int
peer_role(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return peer_run();
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

struct process *
peer_start(void)
{
    return process_start("peer", NULL);
}

struct process *
peer_start_foreign(const char *loader, const char *program)
{
    const char *arguments[3] = {NULL};
    int n = 0;

    if (loader != NULL)
        arguments[n++] = loader;
    arguments[n++] = program;
    return process_start("foreign", arguments);
}

void
peer_end(struct process *peer)
{
    CHECK_INT(process_finish(peer), 0);
}

static void
say(struct process *peer, const char *format, va_list args)
{
    char line[4096];

    vsnprintf(line, sizeof(line), format, args);
    process_send(peer, line);
}

static void
hear(struct process *peer, const char *command, char *line, size_t size)
{
    if (process_read_line(peer, line, size) == NULL)
        CHECK_FAIL("a peer ended instead of answering to \"%s\"", command);
}

static void
expect(struct process *peer, const char *command, const char *answer)
{
    char line[4096];

    hear(peer, command, line, sizeof(line));
    if (strcmp(line, answer) != 0)
        CHECK_FAIL("%s: \"%s\", not \"%s\"", command, line, answer);
}

void
peer_does(struct process *peer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(peer, format, args);
    va_end(args);
    expect(peer, format, "MMF_OK");
}

void
peer_answers(struct process *peer, const char *answer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(peer, format, args);
    va_end(args);
    expect(peer, format, answer);
}

void
peer_fails(struct process *peer, int status, const char *part, const char *format, ...)
{
    const char *name = mmf_status_name(status);
    size_t length = strlen(name);
    char line[4096];
    va_list args;

    va_start(args, format);
    say(peer, format, args);
    va_end(args);
    hear(peer, format, line, sizeof(line));
    if (strncmp(line, name, length) != 0 || line[length] != ' ' ||
        line[length + 1] == '\0' || strstr(line + length + 1, part) == NULL)
        CHECK_FAIL("%s: \"%s\", not %s with \"%s\"", format, line, name, part);
}

long long
peer_number(struct process *peer, const char *format, ...)
{
    static const char ok[] = "MMF_OK ";
    char line[4096];
    va_list args;

    va_start(args, format);
    say(peer, format, args);
    va_end(args);
    hear(peer, format, line, sizeof(line));
    if (strncmp(line, ok, strlen(ok)) != 0)
        CHECK_FAIL("%s: \"%s\", not a number", format, line);
    return atoll(line + strlen(ok));
}

void
peer_begins(struct process *peer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(peer, format, args);
    va_end(args);
}

void
peer_await_sleep(struct process *peer)
{
    await_sleep(process_id(peer), process_id(peer));
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

uint64_t
next_random(uint64_t *state)
{
    uint64_t x = *state += 0x9E3779B97F4A7C15u;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}
