/*
 * support.c - objects of any kind, threads with jobs, processes that obey.
 */
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

    CHECK_STATUS(mmf_mutex_create_or_open(name, 0, NULL, NULL, &mutex), MMF_OK);
    return mutex;
}

mmf_mutex *
owned_mutex(const char *name)
{
    mmf_mutex *mutex = NULL;
    int created = -1;

    CHECK_STATUS(mmf_mutex_create_or_open(name, 1, NULL, &created, &mutex), MMF_OK);
    CHECK_INT(created, 1);
    return mutex;
}

static mmf_event *
new_event(const char *name, int signalled, mmf_event_mode mode)
{
    mmf_event *event = NULL;

    CHECK_STATUS(mmf_event_create_or_open(name, signalled, mode, NULL, NULL, &event),
                 MMF_OK);
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

    CHECK_STATUS(
        mmf_semaphore_create_or_open(name, initial, maximum, NULL, NULL, &semaphore),
        MMF_OK);
    return semaphore;
}

void
check_owned(int rc, const char *call, const char *file, int line)
{
    if (rc != MMF_ABANDONED)
        check_status(rc, MMF_OK, call, file, line);
}

void *
shared_bytes(const char *name, size_t size, mmf_map **map)
{
    void *bytes;

    CHECK_OK(mmf_map_create_or_open(name, (int64_t)size, NULL, NULL, map));
    CHECK_OK(mmf_map_bytes(*map, MMF_ACCESS_READ_WRITE, &bytes, &size));
    return bytes;
}

/*
 * Objects of any kind.
 */

int
object_create(struct object *object, mmf_kind kind, const char *name,
              const mmf_sync_options *options, int *created)
{
    struct object made = {.kind = kind};
    int rc;

    switch (kind) {
    case MMF_KIND_MUTEX:
        rc = mmf_mutex_create_or_open(name, 0, options, created, &made.mutex);
        break;
    case MMF_KIND_EVENT:
        rc = mmf_event_create_or_open(name, 1, MMF_EVENT_AUTO_RESET, options, created,
                                      &made.event);
        break;
    default:
        rc = mmf_semaphore_create_or_open(name, 1, 10, options, created,
                                          &made.semaphore);
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
    default:
        rc = mmf_semaphore_open_existing(name, options, &opened.semaphore);
        break;
    }
    if (rc >= 0)
        *object = opened;
    return rc;
}

void
object_close(struct object *object)
{
    mmf_mutex_close(object->mutex);
    mmf_event_close(object->event);
    mmf_semaphore_close(object->semaphore);
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
    pid_t tid; /* 0: not known */
    job what;
    void *argument;
    int begun; /* the job runs */
    int done;
    int result;
    int end;
};

static void *
work(void *argument)
{
    struct worker *worker = argument;

    pthread_mutex_lock(&worker->mutex);
    worker->tid = own_tid();
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
    pthread_mutex_unlock(&worker->mutex);
    return NULL;
}

struct worker *
worker_start(void)
{
    struct worker *worker = calloc(1, sizeof(*worker));

    CHECK(worker != NULL);
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->changed, NULL);
    CHECK_INT(pthread_create(&worker->thread, NULL, work, worker), 0);
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

    clock_gettime(CLOCK_REALTIME, &deadline);
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
    pid_t tid = 0;
    int begun = 0;

    while (!begun) {
        pthread_mutex_lock(&worker->mutex);
        begun = worker->begun;
        tid = worker->tid;
        pthread_mutex_unlock(&worker->mutex);
        if (!begun)
            usleep(200);
    }
    await_sleep(getpid(), tid);
}

void
worker_end(struct worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
    worker->end = 1;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
    pthread_join(worker->thread, NULL);
    pthread_mutex_destroy(&worker->mutex);
    pthread_cond_destroy(&worker->changed);
    free(worker);
}

void
crew_begin(struct crew *crew, int count, job what, void *arguments, size_t size)
{
    for (; crew->count < count; crew->count++)
        crew->workers[crew->count] = worker_start();
    for (int i = 0; i < count; i++)
        worker_begin(crew->workers[i], what, (char *)arguments + (size_t)i * size);
}

void
crew_await(struct crew *crew)
{
    for (int i = 0; i < crew->count; i++)
        CHECK_INT(worker_result(crew->workers[i]), MMF_OK);
}

void
crew_end(struct crew *crew)
{
    crew_await(crew);
    while (crew->count > 0)
        worker_end(crew->workers[--crew->count]);
}

/*
 * Jobs.
 */

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
job_release(void *mutex)
{
    return mmf_mutex_release(mutex);
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
 * Peers: what they hear and say is in docs/internals/conformance.md.
 */

int actor_run(void); /* tests/harness/actor/actor.c */

ROLE(peer)
{
    return actor_run();
}

/* What it says, but for the name of its thread. */
static void
hear(struct process *peer, const char *command, char *line, size_t size)
{
    if (process_read_line(peer, line, size) == NULL)
        CHECK_FAIL("a peer ended instead of answering to \"%s\"", command);
    if (strncmp(line, "p ", 2) == 0)
        memmove(line, line + 2, strlen(line + 2) + 1);
}

struct process *
peer_start(void)
{
    struct process *peer = process_start("peer", NULL);
    char line[64];

    hear(peer, "start", line, sizeof(line));
    return peer;
}

void
peer_end(struct process *peer)
{
    CHECK_INT(process_finish(peer), 0);
}

static void
say(struct process *peer, const char *prefix, const char *format, va_list args)
{
    char line[4096];
    int length = snprintf(line, sizeof(line), "p %s", prefix);

    vsnprintf(line + length, sizeof(line) - (size_t)length, format, args);
    process_send(peer, line);
}

static void
expect(struct process *peer, const char *command, const char *answer)
{
    size_t length = strlen(answer);
    char line[4096];

    hear(peer, command, line, sizeof(line));
    if (strncmp(line, answer, length) != 0 ||
        (line[length] != '\0' && line[length] != ' '))
        CHECK_FAIL("%s: \"%s\", not \"%s\"", command, line, answer);
}

void
peer_does(struct process *peer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(peer, "", format, args);
    va_end(args);
    expect(peer, format, "MMF_OK");
}

void
peer_answers(struct process *peer, const char *answer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(peer, "", format, args);
    va_end(args);
    expect(peer, format, answer);
}

void
peer_fails(struct process *peer, int status, const char *part, const char *format, ...)
{
    const char *name = mmf_status_name(status), *message;
    char line[4096];
    va_list args;

    va_start(args, format);
    say(peer, "", format, args);
    va_end(args);
    hear(peer, format, line, sizeof(line));
    message = strstr(line, " says=");
    if (strncmp(line, name, strlen(name)) != 0 || message == NULL ||
        strstr(message, part) == NULL)
        CHECK_FAIL("%s: \"%s\", not %s with \"%s\"", format, line, name, part);
}

pid_t
peer_begins(struct process *peer, const char *format, ...)
{
    char line[64];
    long tid = 0;
    va_list args;

    va_start(args, format);
    say(peer, "begin ", format, args);
    va_end(args);
    hear(peer, format, line, sizeof(line));
    sscanf(line, "begun tid=%ld", &tid);
    return (pid_t)tid;
}

void
peer_answered(struct process *peer, const char *answer)
{
    expect(peer, "what it began", answer);
}

int
count_files(void)
{
    struct usage usage;

    usage_take(&usage);
    return (int)usage.files;
}
