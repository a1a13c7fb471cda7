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

static int
start(char **program, HANDLE job, PROCESS_INFORMATION *started)
{
    STARTUPINFOW startup;
    wchar_t *line = process_line(program);
    int done;

    memset(&startup, 0, sizeof(startup));
    startup.cb = sizeof(startup);
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

struct program_end
program_run(char **program, int dies_with_us)
{
    struct program_end end = {TOOL_FAILED, ""};
    HANDLE job = dies_with_us ? make_job() : NULL;
    PROCESS_INFORMATION started;
    DWORD status = TOOL_FAILED;

    SetConsoleCtrlHandler(leave_it_to_the_command, TRUE);
    if (start(program, job, &started)) {
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
