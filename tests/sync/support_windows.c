/*
 * support_windows.c - clocks and threads; there are neither children nor files.
 */
#include "support.h"

#include <stdlib.h>
#include <windows.h>

int64_t
now_us(void)
{
    LARGE_INTEGER ticks, per_second;

    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&per_second);
    return (int64_t)((double)ticks.QuadPart * 1e6 / (double)per_second.QuadPart);
}

/*
 * Threads.
 */

struct worker {
    HANDLE thread;
    CRITICAL_SECTION mutex;
    CONDITION_VARIABLE changed;
    job what;
    void *argument;
    int begun; /* the job runs */
    int done;
    int result;
    int end; /* 1: return; 2: ExitThread */
};

static DWORD WINAPI
work(void *argument)
{
    struct worker *worker = argument;
    int end;

    EnterCriticalSection(&worker->mutex);
    while (!worker->end) {
        job what = worker->what;

        if (what == NULL) {
            SleepConditionVariableCS(&worker->changed, &worker->mutex, INFINITE);
            continue;
        }
        worker->what = NULL;
        worker->begun = 1;
        LeaveCriticalSection(&worker->mutex);
        worker->result = what(worker->argument);
        EnterCriticalSection(&worker->mutex);
        worker->done = 1;
        WakeAllConditionVariable(&worker->changed);
    }
    end = worker->end;
    LeaveCriticalSection(&worker->mutex);
    if (end == 2)
        ExitThread(0);
    return 0;
}

struct worker *
worker_start(void)
{
    struct worker *worker = calloc(1, sizeof(*worker));

    CHECK(worker != NULL);
    InitializeCriticalSection(&worker->mutex);
    InitializeConditionVariable(&worker->changed);
    worker->thread = CreateThread(NULL, 0, work, worker, 0, NULL);
    CHECK(worker->thread != NULL);
    return worker;
}

void
worker_begin(struct worker *worker, job what, void *argument)
{
    EnterCriticalSection(&worker->mutex);
    worker->begun = 0;
    worker->done = 0;
    worker->argument = argument;
    worker->what = what;
    WakeAllConditionVariable(&worker->changed);
    LeaveCriticalSection(&worker->mutex);
}

int
worker_result(struct worker *worker)
{
    int64_t deadline = now_us() + 2 * (int64_t)harness_deadline_ms() * 1000;
    int done, result;

    EnterCriticalSection(&worker->mutex);
    while (!worker->done && now_us() < deadline)
        SleepConditionVariableCS(&worker->changed, &worker->mutex, 1000);
    done = worker->done;
    result = worker->result;
    LeaveCriticalSection(&worker->mutex);
    if (!done)
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

    EnterCriticalSection(&worker->mutex);
    busy = !worker->done;
    LeaveCriticalSection(&worker->mutex);
    return busy;
}

void
worker_await_sleep(struct worker *worker)
{
    int begun = 0;

    while (!begun) {
        EnterCriticalSection(&worker->mutex);
        begun = worker->begun;
        LeaveCriticalSection(&worker->mutex);
        if (!begun)
            Sleep(0);
    }
    await_sleep(0, 0);
}

static void
end_worker(struct worker *worker, int how)
{
    EnterCriticalSection(&worker->mutex);
    worker->end = how;
    WakeAllConditionVariable(&worker->changed);
    LeaveCriticalSection(&worker->mutex);
    WaitForSingleObject(worker->thread, INFINITE);
    CloseHandle(worker->thread);
    DeleteCriticalSection(&worker->mutex);
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

/*
 * The system does not reliably report that a thread waits; it has had the time to. A
 * test that wakes it also holds if it does not wait yet.
 */
void
await_sleep(pid_t pid, pid_t tid)
{
    (void)pid;
    (void)tid;
    Sleep(30);
}

int
foreign_role(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_FAILURE;
}

void
in_child(void (*run)(void *argument), void *argument)
{
    (void)run;
    (void)argument;
    need_fork();
}

int
count_files(void)
{
    return 0;
}

const char *
only_file(void)
{
    need_files();
    return NULL;
}

void
read_state(const char *path, void *state)
{
    (void)path;
    (void)state;
    need_files();
}

void
write_state(const char *path, const void *bytes, size_t size, size_t offset)
{
    (void)path;
    (void)bytes;
    (void)size;
    (void)offset;
    need_files();
}

void
check_directories_of_cat(void)
{
}

void
need_stopped_waiters(void)
{
    harness_skip("Wine runs the others on: a suspended waiter gets no signal");
}
