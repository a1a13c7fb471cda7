/*
 * process_windows.c - starts this program again in a role and talks to it by lines.
 */
#include "harness/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

NTSTATUS NTAPI NtResumeProcess(HANDLE process);

enum { COMMAND_SIZE = 32000, KILLED = 128 + 9 };

static HANDLE job; /* ends the roles when this process ends */

long
process_descriptors(void)
{
    const struct process *p;
    long n = job != NULL;

    for (p = process_all; p != NULL; p = p->next)
        n += (p->in != NULL) + (p->out != NULL) + (p->process != NULL);
    return n;
}

static void
close_end(HANDLE *handle)
{
    if (*handle != NULL)
        CloseHandle(*handle);
    *handle = NULL;
}

void
process_close_input(struct process *process)
{
    close_end(&process->in);
}

void
process_close(struct process *process)
{
    close_end(&process->in);
    close_end(&process->out);
    close_end(&process->process);
}

/*
 * Arguments go as "%XX" for all but letters and digits: neither the rules for quotes
 * nor the code page of main's arguments can change them.
 */
static void
append_argument(char command[COMMAND_SIZE], const char *argument)
{
    size_t used = strlen(command);

    if (used + 3 * strlen(argument) + 8 > COMMAND_SIZE)
        check_fail(__FILE__, __LINE__, "the arguments of a role are too long");
    command[used++] = ' ';
    if (*argument == '\0') {
        strcpy(command + used, "%");
        return;
    }
    for (; *argument != '\0'; argument++) {
        unsigned char c = (unsigned char)*argument;
        int plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                    (c >= 'a' && c <= 'z') || c == '_';

        used += (size_t)snprintf(command + used, 4, plain ? "%c" : "%%%02X", c);
    }
    command[used] = '\0';
}

static void
decode_argument(char *argument)
{
    char *to = argument;

    for (const char *from = argument; *from != '\0'; from++) {
        char digits[3] = {0};

        if (*from != '%') {
            *to++ = *from;
        } else if (from[1] != '\0') {
            memcpy(digits, from + 1, 2);
            *to++ = (char)strtol(digits, NULL, 16);
            from += 2;
        }
    }
    *to = '\0';
}

/* The end that the child gets is inheritable, ours is not. */
static void
make_pipe(HANDLE *read_end, HANDLE *write_end, HANDLE *child_end)
{
    if (!CreatePipe(read_end, write_end, NULL, 0) ||
        !SetHandleInformation(*child_end, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
        check_fail(__FILE__, __LINE__, "make a pipe: error %lu",
                   (unsigned long)GetLastError());
}

static void
spawn(struct process *p, char *command, HANDLE child_in, HANDLE child_out)
{
    PROCESS_INFORMATION started;
    STARTUPINFOA startup;
    char program[MAX_PATH];

    memset(&startup, 0, sizeof(startup));
    startup.cb = sizeof(startup);
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = child_in;
    startup.hStdOutput = child_out;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    GetModuleFileNameA(NULL, program, sizeof(program));
    if (!CreateProcessA(program, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL,
                        NULL, &startup, &started))
        check_fail(__FILE__, __LINE__, "start role %s: error %lu", p->role,
                   (unsigned long)GetLastError());
    AssignProcessToJobObject(job, started.hProcess);
    ResumeThread(started.hThread);
    CloseHandle(started.hThread);
    p->process = started.hProcess;
    p->id = (pid_t)started.dwProcessId;
}

static void
make_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit;

    if (job != NULL)
        return;
    memset(&limit, 0, sizeof(limit));
    limit.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    job = CreateJobObjectA(NULL, NULL);
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limit,
                            sizeof(limit));
}

struct process *
process_start(const char *role, const char *const *args)
{
    static char command[COMMAND_SIZE];
    struct process *p = process_add(role);
    HANDLE child_in, child_out;

    make_job();
    strcpy(command, "test --role");
    append_argument(command, role);
    for (; args != NULL && *args != NULL; args++)
        append_argument(command, *args);
    make_pipe(&child_in, &p->in, &child_in);
    make_pipe(&p->out, &child_out, &child_out);
    fflush(stdout);
    spawn(p, command, child_in, child_out);
    CloseHandle(child_in);
    CloseHandle(child_out);
    return p;
}

int
process_read_more(struct process *p, int64_t deadline)
{
    DWORD there = 0;
    DWORD n = 0;

    if (p->out == NULL)
        return 0;
    if (p->length == sizeof(p->pending))
        check_fail(__FILE__, __LINE__, "role %s: a line without end", p->role);
    /* Pipes cannot be waited for. */
    while (PeekNamedPipe(p->out, NULL, 0, NULL, &there, NULL) && there == 0) {
        if (now_ms() > deadline)
            check_fail(__FILE__, __LINE__,
                       "role %s (process %ld) says nothing for %d ms", p->role,
                       (long)p->id, harness_deadline_ms());
        Sleep(1);
    }
    if (there == 0 ||
        !ReadFile(p->out, p->pending + p->length,
                  (DWORD)(sizeof(p->pending) - p->length), &n, NULL) ||
        n == 0) {
        close_end(&p->out);
        return 0;
    }
    p->length += n;
    return 1;
}

void
process_send(struct process *process, const char *line)
{
    size_t length = strlen(line);
    char *text = malloc(length + 1);
    DWORD written = 0;
    int sent;

    if (text == NULL)
        check_fail(__FILE__, __LINE__, "no memory");
    memcpy(text, line, length);
    text[length] = '\n';
    sent = WriteFile(process->in, text, (DWORD)length + 1, &written, NULL) &&
           written == length + 1;
    free(text);
    if (!sent)
        check_fail(__FILE__, __LINE__, "tell role %s \"%s\": error %lu", process->role,
                   line, (unsigned long)GetLastError());
}

int
process_await_end(struct process *p, int64_t deadline)
{
    int64_t left = deadline - now_ms();
    DWORD status = 0;

    if (p->ended)
        return 1;
    if (WaitForSingleObject(p->process, left < 0 ? 0 : (DWORD)left) != WAIT_OBJECT_0)
        return 0;
    GetExitCodeProcess(p->process, &status);
    p->ended = 1;
    p->status = (int)status;
    return 1;
}

void
process_end_by_force(struct process *p)
{
    if (p->ended || p->process == NULL)
        return;
    TerminateProcess(p->process, KILLED);
    WaitForSingleObject(p->process, INFINITE);
    p->ended = 1;
    p->status = KILLED;
}

int
process_has_ended(const struct process *process)
{
    return WaitForSingleObject(process->process, 0) == WAIT_OBJECT_0;
}

void
process_continue(struct process *process)
{
    if (NtResumeProcess(process->process) < 0)
        check_fail(__FILE__, __LINE__, "role %s does not go on", process->role);
}

void
process_enter_role(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        decode_argument(argv[i]);
}
