/*
 * support.h - what the tests of mutexes, events and semaphores have in common.
 */
#ifndef MMF_TESTS_SYNC_SUPPORT_H
#define MMF_TESTS_SYNC_SUPPORT_H

#include "harness/forks.h"

/* The time that .NET's tests wait for what must not come; and in between. */
#define SHORT_MS 20

/*
 * Run `test` with NULL for an unnamed object and with names: a local one, a global one,
 * one that fits in no file name.
 */
void for_each_name(void (*test)(const char *name));

/* NULL for NULL, else `name` with `suffix`. Good for a few calls. */
const char *with_suffix(const char *name, const char *suffix);

/*
 * Makers that must succeed.
 */
mmf_mutex *new_mutex(const char *name);
mmf_mutex *owned_mutex(const char *name);
mmf_event *auto_event(const char *name, int signalled);
mmf_event *manual_event(const char *name, int signalled);
mmf_semaphore *new_semaphore(const char *name, int32_t initial, int32_t maximum);

#define W(object)                                                                      \
    _Generic((object), mmf_mutex *                                                     \
             : mmf_mutex_waitable, mmf_event *                                         \
             : mmf_event_waitable, mmf_semaphore *                                     \
             : mmf_semaphore_waitable)(object)

/* A wait has got a mutex, whether its owner before died or not. */
#define CHECK_OWNED(call) check_owned((call), #call, __FILE__, __LINE__)
void check_owned(int rc, const char *call, const char *file, int line);

/* Bytes that all processes share, by their name. */
void *shared_bytes(const char *name, size_t size, mmf_map **map);

/*
 * An object of any kind, available: a mutex that is not owned, a signalled
 * auto-reset event, a semaphore of maximum 10 with a count of 1.
 */
struct object {
    mmf_kind kind; /* MMF_KIND_MUTEX, _EVENT, _SEMAPHORE */
    mmf_mutex *mutex;
    mmf_event *event;
    mmf_semaphore *semaphore;
};

#define FIRST_KIND MMF_KIND_MUTEX
#define LAST_KIND MMF_KIND_SEMAPHORE

/* On success `*object` is what was made; a failure leaves it alone. */
int object_create(struct object *object, mmf_kind kind, const char *name,
                  const mmf_sync_options *options, int *created);
int object_open(struct object *object, mmf_kind kind, const char *name,
                const mmf_sync_options *options);
void object_close(struct object *object);

mmf_waitable *object_waitable(const struct object *object);

/* By the kind's own function. */
int object_wait(const struct object *object, int32_t timeout_ms);

/* Release, set, or release 1. */
int object_signal(const struct object *object);

/* It exists and is available: made, must succeed. */
struct object new_object(mmf_kind kind, const char *name);

/*
 * Threads. A worker does one job after another; it is always the same thread.
 */
struct worker;
typedef int (*job)(void *argument);

struct worker *worker_start(void);

/* Have it done, and give what it answers. */
int worker_does(struct worker *worker, job what, void *argument);

/* The same in two steps; the second fails the test if the job does not end. */
void worker_begin(struct worker *worker, job what, void *argument);
int worker_result(struct worker *worker);

int worker_is_busy(struct worker *worker);

/* The job has begun and the thread sleeps in the kernel. */
void worker_await_sleep(struct worker *worker);

/* The thread returns. */
void worker_end(struct worker *worker);

/* Workers that do a job at the same time, each with its own of `arguments`. */
struct crew {
    int count;
    struct worker *workers[64];
};

/* Begin; the first time they start. Size 0: they have one argument. */
void crew_begin(struct crew *crew, int count, job what, void *arguments, size_t size);

/* All must have answered MMF_OK; and return. */
void crew_await(struct crew *crew);
void crew_end(struct crew *crew);

/* Jobs: the argument is an mmf_waitable. */
int job_wait(void *waitable); /* LONG_MS */
int job_wait_forever(void *waitable);

/* A job: the argument is a mutex. */
int job_release(void *mutex);

/* Jobs: the argument is this. For `any`, the answer is in `index` too. */
struct several {
    mmf_waitable *objects[MMF_WAIT_MAXIMUM];
    int count;
    int32_t timeout_ms;
    int index;
};
int job_wait_any(void *several);
int job_wait_all(void *several);

/*
 * Peers: other processes, which make calls as the actor of the scenarios does: "m = open
 * mutex Cat", "wait m 0". docs/internals/conformance.md has the calls.
 */
struct process *peer_start(void);

/* Close its input; it must end with 0. */
void peer_end(struct process *peer);

/* Have it make a call; its answer must be "MMF_OK". */
void peer_does(struct process *peer, const char *format, ...)
    __attribute__((format(MMF_PRINTF, 2, 3)));

/* Have it make a call; its answer must be `answer`, with any outputs. */
void peer_answers(struct process *peer, const char *answer, const char *format, ...)
    __attribute__((format(MMF_PRINTF, 3, 4)));

/* Have it make a call, which must fail with `status` and a message with `part` in it. */
void peer_fails(struct process *peer, int status, const char *part, const char *format,
                ...) __attribute__((format(MMF_PRINTF, 4, 5)));

/* Have it begin a call; its thread's number. Later, its answer must be `answer`. */
pid_t peer_begins(struct process *peer, const char *format, ...)
    __attribute__((format(MMF_PRINTF, 2, 3)));
void peer_answered(struct process *peer, const char *answer);

/* Files in this test's namespace. On Windows no name has a file: 0. */
int count_files(void);

#endif
