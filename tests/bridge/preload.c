/*
 * preload.c - comes into a bridge by LD_PRELOAD, and sees what its program itself calls; what
 * its libraries call is left alone.
 *
 *   BRIDGE_SPEED=N           its time runs N times as fast: its pauses are as much shorter
 *   BRIDGE_FAILING=FILE      each call of the NATS library fails once at each of its places:
 *                            the first time that it is reached from the same functions. The file
 *                            remembers the places for a process that comes after it.
 *   BRIDGE_FAILS=error       with an error, and without the call: each with another one than the
 *                            one before
 *   BRIDGE_FAILS=timeout     the time is over: a request was lost
 *   BRIDGE_FAILS=late        or its answer was
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <nats/nats.h>

enum { PLACES = 4096, FRAMES = 3, BILLION = 1000000000 };

static _Atomic uint64_t *places;
static void *program; /* where it is in memory */
static int64_t speed = 1, start;
static bool is_error, is_late;

static void *
real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        abort();
    return found;
}

static int64_t
now(clockid_t clock)
{
    int (*get)(clockid_t, struct timespec *);
    struct timespec time;

    *(void **)&get = real("clock_gettime");
    (void)get(clock, &time);
    return time.tv_sec * (int64_t)BILLION + time.tv_nsec;
}

static const char *
setting(const char *name, const char *otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? text : otherwise;
}

static bool
is_program(const void *address)
{
    Dl_info info;

    return dladdr(address, &info) != 0 && info.dli_fbase == program;
}

__attribute__((constructor)) static void
begin(void)
{
    const char *path = getenv("BRIDGE_FAILING"), *how = setting("BRIDGE_FAILS", "");
    Dl_info info = {.dli_fbase = NULL};
    int fd;

    (void)dladdr((const void *)getauxval(AT_ENTRY), &info);
    program = info.dli_fbase;
    speed = strtoll(setting("BRIDGE_SPEED", "1"), NULL, 10);
    start = now(CLOCK_MONOTONIC);
    is_late = strcmp(how, "late") == 0;
    is_error = strcmp(how, "error") == 0;
    if (path == NULL)
        return;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, PLACES * sizeof *places) != 0)
        abort();
    places =
        mmap(NULL, PLACES * sizeof *places, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (places == MAP_FAILED)
        abort();
    (void)close(fd);
}

/*
 * Time.
 */

int
clock_gettime(clockid_t clock, struct timespec *time)
{
    int64_t at = now(clock);

    if (clock == CLOCK_MONOTONIC && is_program(__builtin_return_address(0)))
        at = start + (at - start) * speed;
    *time = (struct timespec){.tv_sec = at / BILLION, .tv_nsec = at % BILLION};
    return 0;
}

int
pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                       const struct timespec *until)
{
    int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    int64_t at = until->tv_sec * (int64_t)BILLION + until->tv_nsec;
    struct timespec time = *until;

    if (is_program(__builtin_return_address(0))) {
        at = start + (at - start) / speed;
        time = (struct timespec){.tv_sec = at / BILLION, .tv_nsec = at % BILLION};
    }
    *(void **)&wait = real("pthread_cond_timedwait");
    return wait(condition, mutex, &time);
}

int
sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    int (*wait)(const sigset_t *, siginfo_t *, const struct timespec *);
    int64_t length = (timeout->tv_sec * (int64_t)BILLION + timeout->tv_nsec) / speed;
    struct timespec time = {.tv_sec = length / BILLION, .tv_nsec = length % BILLION};

    *(void **)&wait = real("sigtimedwait");
    return wait(set, info, &time);
}

/*
 * Failures.
 */

/* A place that is new is in the list afterwards. */
static bool
is_new(uint64_t place)
{
    for (size_t i = 0; i < PLACES; i++) {
        uint64_t found = 0;

        if (atomic_compare_exchange_strong(&places[i], &found, place))
            return true;
        if (found == place)
            return false;
    }
    return false;
}

/* Where it is called from: functions of the program. */
struct caller {
    void *frames[FRAMES];
    int count;
};

static void
find_caller(struct caller *caller)
{
    void *frames[2 * FRAMES];
    int count = backtrace(frames, 2 * FRAMES);

    caller->count = 0;
    for (int i = 0; i < count && caller->count < FRAMES; i++)
        if (is_program(frames[i]))
            caller->frames[caller->count++] = frames[i];
}

static uint64_t
number_of(const struct caller *caller)
{
    uint64_t place = UINT64_C(0xcbf29ce484222325);

    for (int i = 0; i < caller->count; i++)
        place = (place ^ (uint64_t)((char *)caller->frames[i] - (char *)program)) *
                UINT64_C(0x100000001b3);
    return place;
}

/* Its addresses in the program, with commas. */
static void
say(const char *name, const struct caller *caller, natsStatus status)
{
    char text[256];
    int length = snprintf(text, sizeof text, "FAILING %s ", name);

    for (int i = 0; i < caller->count; i++)
        length +=
            snprintf(text + length, sizeof text - (size_t)length, "%s0x%tx",
                     i > 0 ? "," : "", (char *)caller->frames[i] - (char *)program - 1);
    (void)dprintf(STDERR_FILENO, "%s %s\n", text, natsStatus_GetText(status));
}

enum kind { CALL, REQUEST };

/* What it fails with, which is said; NATS_OK: it does not. */
static natsStatus
choose(const char *name, enum kind kind, const void *from)
{
    static const natsStatus errors[] = {NATS_NO_MEMORY, NATS_SYS_ERROR,
                                        NATS_ILLEGAL_STATE, NATS_PROTOCOL_ERROR};
    static _Atomic unsigned failures;
    natsStatus status = NATS_TIMEOUT;
    struct caller caller;

    if (places == NULL || (kind == CALL && !is_error) || !is_program(from))
        return NATS_OK;
    find_caller(&caller);
    if (!is_new(number_of(&caller)))
        return NATS_OK;
    if (is_error)
        status = errors[failures++ % (sizeof errors / sizeof *errors)];
    say(name, &caller, status);
    return status;
}

#define STAND_FOR(kind, name, parameters, arguments)                                   \
    natsStatus name parameters                                                         \
    {                                                                                  \
        natsStatus(*library) parameters;                                               \
        natsStatus status = choose(#name, kind, __builtin_return_address(0));          \
                                                                                       \
        *(void **)&library = real(#name);                                              \
        if (status == NATS_OK)                                                         \
            return library arguments;                                                  \
        if (is_late)                                                                   \
            (void)library arguments;                                                   \
        return status;                                                                 \
    }

STAND_FOR(CALL, natsOptions_Create, (natsOptions * *a), (a))
STAND_FOR(CALL, natsOptions_SetServers, (natsOptions * a, const char **b, int c),
          (a, b, c))
STAND_FOR(CALL, natsOptions_SetName, (natsOptions * a, const char *b), (a, b))
STAND_FOR(CALL, natsConnection_Connect, (natsConnection * *a, natsOptions *b), (a, b))
STAND_FOR(CALL, natsConnection_JetStream, (jsCtx * *a, natsConnection *b, jsOptions *c),
          (a, b, c))
STAND_FOR(CALL, natsConnection_Flush, (natsConnection * a), (a))
STAND_FOR(CALL, natsConnection_Publish,
          (natsConnection * a, const char *b, const void *c, int d), (a, b, c, d))
STAND_FOR(CALL, natsConnection_PublishString,
          (natsConnection * a, const char *b, const char *c), (a, b, c))
STAND_FOR(CALL, natsConnection_PublishRequest,
          (natsConnection * a, const char *b, const char *c, const void *d, int e),
          (a, b, c, d, e))
STAND_FOR(CALL, natsConnection_PublishRequestString,
          (natsConnection * a, const char *b, const char *c, const char *d),
          (a, b, c, d))
STAND_FOR(CALL, natsConnection_SubscribeSync,
          (natsSubscription * *a, natsConnection *b, const char *c), (a, b, c))
STAND_FOR(CALL, natsConnection_QueueSubscribeSync,
          (natsSubscription * *a, natsConnection *b, const char *c, const char *d),
          (a, b, c, d))
STAND_FOR(CALL, natsSubscription_SetPendingLimits, (natsSubscription * a, int b, int c),
          (a, b, c))
STAND_FOR(CALL, natsSubscription_NextMsg,
          (natsMsg * *a, natsSubscription *b, int64_t c), (a, b, c))
STAND_FOR(CALL, natsInbox_Create, (natsInbox * *a), (a))
STAND_FOR(CALL, kvStore_Watch,
          (kvWatcher * *a, kvStore *b, const char *c, kvWatchOptions *d), (a, b, c, d))
STAND_FOR(CALL, kvWatcher_Next, (kvEntry * *a, kvWatcher *b, int64_t c), (a, b, c))
STAND_FOR(CALL, js_KeyValue, (kvStore * *a, jsCtx *b, const char *c), (a, b, c))

STAND_FOR(REQUEST, natsConnection_Request,
          (natsMsg * *a, natsConnection *b, const char *c, const void *d, int e,
           int64_t f),
          (a, b, c, d, e, f))
STAND_FOR(REQUEST, natsConnection_RequestString,
          (natsMsg * *a, natsConnection *b, const char *c, const char *d, int64_t e),
          (a, b, c, d, e))
STAND_FOR(REQUEST, js_GetAccountInfo,
          (jsAccountInfo * *a, jsCtx *b, jsOptions *c, jsErrCode *d), (a, b, c, d))
STAND_FOR(REQUEST, js_AddStream,
          (jsStreamInfo * *a, jsCtx *b, jsStreamConfig *c, jsOptions *d, jsErrCode *e),
          (a, b, c, d, e))
STAND_FOR(REQUEST, js_GetStreamInfo,
          (jsStreamInfo * *a, jsCtx *b, const char *c, jsOptions *d, jsErrCode *e),
          (a, b, c, d, e))
STAND_FOR(REQUEST, js_DeleteStream,
          (jsCtx * a, const char *b, jsOptions *c, jsErrCode *d), (a, b, c, d))
STAND_FOR(REQUEST, js_PurgeStream,
          (jsCtx * a, const char *b, jsOptions *c, jsErrCode *d), (a, b, c, d))
STAND_FOR(REQUEST, js_AddConsumer,
          (jsConsumerInfo * *a, jsCtx *b, const char *c, jsConsumerConfig *d,
           jsOptions *e, jsErrCode *f),
          (a, b, c, d, e, f))
STAND_FOR(REQUEST, js_GetConsumerInfo,
          (jsConsumerInfo * *a, jsCtx *b, const char *c, const char *d, jsOptions *e,
           jsErrCode *f),
          (a, b, c, d, e, f))
STAND_FOR(REQUEST, js_GetLastMsg,
          (natsMsg * *a, jsCtx *b, const char *c, const char *d, jsOptions *e,
           jsErrCode *f),
          (a, b, c, d, e, f))
STAND_FOR(REQUEST, js_GetMsg,
          (natsMsg * *a, jsCtx *b, const char *c, uint64_t d, jsOptions *e,
           jsErrCode *f),
          (a, b, c, d, e, f))
STAND_FOR(REQUEST, js_Publish,
          (jsPubAck * *a, jsCtx *b, const char *c, const void *d, int e,
           jsPubOptions *f, jsErrCode *g),
          (a, b, c, d, e, f, g))
STAND_FOR(REQUEST, js_CreateKeyValue, (kvStore * *a, jsCtx *b, kvConfig *c), (a, b, c))
STAND_FOR(REQUEST, kvStore_Get, (kvEntry * *a, kvStore *b, const char *c), (a, b, c))
STAND_FOR(REQUEST, kvStore_Put,
          (uint64_t * a, kvStore *b, const char *c, const void *d, int e),
          (a, b, c, d, e))
