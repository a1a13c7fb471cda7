/*
 * bench.c - the raw half of what is compared, see bench.h: the kernel's objects, by its
 * own calls. mmf's are the same ones here, so what is to be seen is what mmf adds.
 */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/say.h"
#include "windows/process.h"
#include "windows/wide.h"

/* Set for the partner; with the bench's name. */
static const wchar_t variable[] = L"MMF_BENCH_PARTNER_OF";

enum { TIMEOUT_MS = 10000 };

static HANDLE mutex, event, ping, pong;
static HANDLE partner;
static HANDLE pipe_in, pipe_out;
static wchar_t name[96];     /* of the map */
static wchar_t raw_name[96]; /* free */

static void
raw_values(int64_t count)
{
    volatile int32_t *values = (volatile void *)bench_stage.bytes;

    for (int64_t i = 0; i < count; i++)
        values[i & 1023] = values[i & 1023] + 1;
}

static void
raw_blocks(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        memcpy(bench_stage.bytes, bench_stage.block, BENCH_BLOCK);
        __asm__ volatile("" ::: "memory");
    }
}

static void
raw_mutex(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        WaitForSingleObject(mutex, INFINITE);
        ReleaseMutex(mutex);
    }
}

static void
raw_event(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        SetEvent(event);
        WaitForSingleObject(event, INFINITE);
    }
}

static void
raw_round_trip(int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        SetEvent(ping);
        if (WaitForSingleObject(pong, TIMEOUT_MS) != WAIT_OBJECT_0)
            say_and_exit(TOOL_FAILED, "the partner does not reply");
    }
}

static void
raw_open(int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        CloseHandle(OpenFileMappingW(FILE_MAP_WRITE, FALSE, name));
}

static void
raw_create(int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        CloseHandle(CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                       4096, raw_name));
}

static void
raw_pipe(int64_t count)
{
    char bytes[BENCH_MESSAGE] = {0};
    DWORD done;

    for (int64_t i = 0; i < count; i++)
        if (!WriteFile(pipe_in, bytes, sizeof(bytes), &done, NULL) ||
            !ReadFile(pipe_out, bytes, sizeof(bytes), &done, NULL))
            say_and_exit(TOOL_FAILED, "the pipe does not work");
}

/* A latest value is copied in and out. */
static void
raw_latest(int64_t count)
{
    char bytes[BENCH_MESSAGE] = {0};

    for (int64_t i = 0; i < count; i++) {
        memcpy(bench_stage.bytes, bytes, sizeof(bytes));
        __asm__ volatile("" ::: "memory");
        memcpy(bytes, bench_stage.bytes, sizeof(bytes));
        __asm__ volatile("" ::: "memory");
    }
}

const struct bench_raw bench_raws[BENCH_PAIRS] = {
    [BENCH_VALUES] = {"plain load and store", raw_values},
    [BENCH_BLOCKS] = {"memcpy", raw_blocks},
    [BENCH_MUTEX] = {"WaitForSingleObject, ReleaseMutex", raw_mutex},
    [BENCH_EVENT] = {"SetEvent, WaitForSingleObject", raw_event},
    [BENCH_ROUND_TRIP] = {"two events of the kernel", raw_round_trip},
    [BENCH_OPEN] = {"OpenFileMapping, CloseHandle", raw_open},
    [BENCH_CREATE] = {"CreateFileMapping, CloseHandle", raw_create},
    [BENCH_QUEUE] = {"write and read a pipe", raw_pipe},
    [BENCH_TOPIC] = {"write and read a pipe", raw_pipe},
    [BENCH_LATEST] = {"memcpy, twice", raw_latest},
};

/*
 * The partner of the round trips: this program again.
 */

static HANDLE
make_event(const char *which)
{
    wchar_t full[128];
    HANDLE made;

    swprintf(full, sizeof(full) / sizeof(full[0]), L"%ls raw %hs", name, which);
    made = CreateEventW(NULL, FALSE, FALSE, full); /* or open it */
    if (made == NULL)
        say_and_exit(TOOL_FAILED, "make an event: %s", wide_error(GetLastError()));
    return made;
}

static DWORD WINAPI
answer_raw(void *argument)
{
    (void)argument;
    while (WaitForSingleObject(ping, INFINITE) == WAIT_OBJECT_0)
        SetEvent(pong);
    return 0;
}

static DWORD WINAPI
answer_own(void *argument)
{
    bench_answer(argument);
    return 0;
}

/* One end on the first processor, the other on the last, mmf's and the raw alike. */
static void
stay_on(int last)
{
    DWORD_PTR allowed, all;
    DWORD_PTR one = 1;

    if (!GetProcessAffinityMask(GetCurrentProcess(), &allowed, &all) || allowed == 0)
        return;
    if (last)
        for (one = ~(~(DWORD_PTR)0 >> 1); (one & allowed) == 0;)
            one >>= 1;
    else
        while ((one & allowed) == 0)
            one <<= 1;
    SetProcessAffinityMask(GetCurrentProcess(), one);
}

/* It ends with the pipe that is its standard input, also if we are killed. */
static _Noreturn void
be_partner(void)
{
    char *text = wide_to_text(name);
    DWORD count;
    char nothing;

    stay_on(1);
    ping = make_event("ping");
    pong = make_event("pong");
    if (CreateThread(NULL, 0, answer_own, text, 0, NULL) == NULL ||
        CreateThread(NULL, 0, answer_raw, NULL, 0, NULL) == NULL)
        say_and_exit(TOOL_FAILED, "cannot start a thread");
    ReadFile(GetStdHandle(STD_INPUT_HANDLE), &nothing, 1, &count, NULL);
    ExitProcess(TOOL_DONE);
}

static HANDLE alive; /* our end of the pipe */

static void
start_partner(void)
{
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    HANDLE theirs, errors;

    if (!CreatePipe(&theirs, &alive, &inherited, 0) ||
        !SetHandleInformation(alive, HANDLE_FLAG_INHERIT, 0))
        say_no_memory();
    errors = CreateFileW(L"NUL", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                         &inherited, OPEN_EXISTING, 0, NULL);
    partner = process_again(variable, name, theirs, errors, NULL);
    CloseHandle(theirs);
    CloseHandle(errors);
    stay_on(0);
}

void
bench_be_partner(void)
{
    if (GetEnvironmentVariableW(variable, name, sizeof(name) / sizeof(name[0])) > 0)
        be_partner();
}

void
bench_raw_begin(void)
{
    wchar_t *wide = wide_from_text(bench_stage.name);

    swprintf(name, sizeof(name) / sizeof(name[0]), L"%ls", wide);
    swprintf(raw_name, sizeof(raw_name) / sizeof(raw_name[0]), L"%ls raw", wide);
    free(wide);
    mutex = CreateMutexW(NULL, FALSE, NULL);
    event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (!CreatePipe(&pipe_out, &pipe_in, NULL, 0))
        say_and_exit(TOOL_FAILED, "cannot make a pipe");
    ping = make_event("ping");
    pong = make_event("pong");
    start_partner();
}

void
bench_raw_end(void)
{
    CloseHandle(alive);
    WaitForSingleObject(partner, TIMEOUT_MS);
    CloseHandle(partner);
    CloseHandle(mutex);
    CloseHandle(event);
    CloseHandle(ping);
    CloseHandle(pong);
    CloseHandle(pipe_in);
    CloseHandle(pipe_out);
}
