/* program.c - see program.h. */
#include "os/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/say.h"
#include "windows/process.h"
#include "windows/wide.h"

/*
 * The console's events reach the command as well, and whether they end it is its
 * affair. If the console goes, we have a few seconds until the command has ended. This
 * stays when it has: an event reaches us in another thread, maybe later than the
 * command, and must not end us before we have closed everything.
 */
static BOOL WINAPI
leave_it_to_the_command(DWORD event)
{
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
        Sleep(INFINITE);
    return TRUE;
}

/* A job that ends what is in it when its last handle is closed: when we end. */
static HANDLE
make_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit;
    HANDLE job = CreateJobObjectW(NULL, NULL);

    memset(&limit, 0, sizeof(limit));
    limit.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (job != NULL)
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limit,
                                sizeof(limit));
    return job;
}

/* Exceptions end a program with their number, which no program would choose. */
static void
describe_end(DWORD status, struct program_end *end)
{
    static const struct {
        DWORD status;
        const char *what;
    } known[] = {{0xC0000005, "access violation"},
                 {0xC0000006, "bytes of a file that could not be read"},
                 {0xC00000FD, "stack overflow"},
                 {0xC000013A, "Ctrl-C"},
                 {0xC0000409, "abort"}};
    const char *what = "exception";

    end->status = (int)status;
    if (status < 0xC0000000)
        return;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].status == status)
            what = known[i].what;
    snprintf(end->how, sizeof(end->how), "ended by 0x%08lX (%s)", (unsigned long)status,
             what);
}

/* The status as a shell has it, after CreateProcess has failed. */
static int
say_cannot_run(const char *program, DWORD error)
{
    char *text = wide_error(error);

    say("cannot run \"%s\": %s", program, text);
    free(text);
    return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND
               ? TOOL_NO_COMMAND
               : TOOL_CANNOT_RUN;
}

/* What the command has instead of our standard input and output; NULL: the same. */
struct streams {
    HANDLE in, out;
};

static int
start(char **program, HANDLE job, struct streams streams, PROCESS_INFORMATION *started)
{
    STARTUPINFOW startup;
    wchar_t *line = process_line(program);
    int done;

    memset(&startup, 0, sizeof(startup));
    startup.cb = sizeof(startup);
    if (streams.in != NULL) {
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdInput = streams.in;
        startup.hStdOutput = streams.out;
        startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    }
    fflush(NULL);
    done = CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL,
                          &startup, started);
    free(line);
    if (!done)
        return 0;
    if (job != NULL)
        AssignProcessToJobObject(job, started->hProcess);
    ResumeThread(started->hThread);
    CloseHandle(started->hThread);
    return 1;
}

static struct program_end
run_with(char **program, HANDLE job, struct streams streams)
{
    struct program_end end = {TOOL_FAILED, ""};
    PROCESS_INFORMATION started;
    DWORD status = TOOL_FAILED;

    if (start(program, job, streams, &started)) {
        WaitForSingleObject(started.hProcess, INFINITE);
        GetExitCodeProcess(started.hProcess, &status);
        CloseHandle(started.hProcess);
        describe_end(status, &end);
    } else {
        end.status = say_cannot_run(program[0], GetLastError());
    }
    if (job != NULL)
        CloseHandle(job);
    return end;
}

struct program_end
program_run(char **program, int dies_with_us)
{
    SetConsoleCtrlHandler(leave_it_to_the_command, TRUE);
    return run_with(program, dies_with_us ? make_job() : NULL,
                    (struct streams){NULL, NULL});
}

/*
 * Temporary files, which go with their last handle: a command that reads nothing, or
 * leaves a process behind that keeps its output open, makes no difference.
 */

static HANDLE
make_file(const void *bytes, size_t length)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited),
                                     .bInheritHandle = TRUE};
    wchar_t directory[MAX_PATH + 1], path[MAX_PATH + 1];
    HANDLE file = INVALID_HANDLE_VALUE;
    DWORD done = 0;

    if (GetTempPathW(MAX_PATH, directory) != 0 &&
        GetTempFileNameW(directory, L"mmf", 0, path) != 0)
        file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE,
                           FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                           &inherited, CREATE_ALWAYS,
                           FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE ||
        (length > 0 && !WriteFile(file, bytes, (DWORD)length, &done, NULL)) ||
        SetFilePointer(file, 0, NULL, FILE_BEGIN) != 0)
        say_and_exit(TOOL_NO_SPACE, "cannot make a temporary file: %s",
                     wide_error(GetLastError()));
    return file;
}

struct program_end
program_filter(char **program, const void *input, size_t length, intptr_t *output)
{
    struct streams streams = {.in = make_file(input, length),
                              .out = make_file(NULL, 0)};
    struct program_end end = run_with(program, make_job(), streams);

    CloseHandle(streams.in);
    *output = (intptr_t)streams.out;
    return end;
}

size_t
program_read(intptr_t output, int64_t at, void *into, size_t space)
{
    OVERLAPPED place = {.Offset = (DWORD)at, .OffsetHigh = (DWORD)(at >> 32)};
    DWORD done = 0;

    if (!ReadFile((HANDLE)output, into, (DWORD)space, &done, &place) &&
        GetLastError() != ERROR_HANDLE_EOF)
        say_and_exit(TOOL_FAILED, "the command's output: %s",
                     wide_error(GetLastError()));
    return done;
}

void
program_forget(intptr_t output)
{
    CloseHandle((HANDLE)output);
}
