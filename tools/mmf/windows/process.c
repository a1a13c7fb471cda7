/* process.c - see process.h. */
#include "windows/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "windows/wide.h"

/*
 * A program takes its line apart by the C library's rule: blanks part arguments but
 * within quotes; a backslash is itself, but before a quote, where it must be doubled.
 */
static wchar_t *
add_quoted(wchar_t *to, const wchar_t *argument)
{
    size_t backslashes = 0;

    *to++ = L'"';
    for (; *argument != L'\0'; argument++) {
        if (*argument == L'"')
            for (backslashes++; backslashes > 0; backslashes--)
                *to++ = L'\\';
        backslashes = *argument == L'\\' ? backslashes + 1 : 0;
        *to++ = *argument;
    }
    for (; backslashes > 0; backslashes--)
        *to++ = L'\\';
    *to++ = L'"';
    return to;
}

static wchar_t *
add_argument(wchar_t *to, const wchar_t *argument)
{
    if (argument[0] != L'\0' && wcspbrk(argument, L" \t\n\v\"") == NULL) {
        wcscpy(to, argument);
        return to + wcslen(argument);
    }
    return add_quoted(to, argument);
}

wchar_t *
process_line(char *const *arguments)
{
    size_t room = 1;
    wchar_t *line;
    wchar_t *to;

    for (char *const *at = arguments; *at != NULL; at++)
        room += 2 * strlen(*at) + 3;
    line = calloc(room, sizeof(*line));
    if (line == NULL)
        say_no_memory();
    to = line;
    for (char *const *at = arguments; *at != NULL; at++) {
        wchar_t *wide = wide_from_text(*at);

        if (at != arguments)
            *to++ = L' ';
        to = add_argument(to, wide);
        free(wide);
    }
    *to = L'\0';
    return line;
}

/* Start it with exactly these handles. */
static int
start(const wchar_t *program, wchar_t *line, HANDLE *handles, size_t count,
      PROCESS_INFORMATION *started)
{
    STARTUPINFOEXW startup;
    SIZE_T size = 0;
    int done;

    memset(&startup, 0, sizeof(startup));
    startup.StartupInfo.cb = sizeof(startup);
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdInput = count > 1 ? handles[1] : NULL;
    startup.StartupInfo.hStdError = handles[0];
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = malloc(size);
    if (startup.lpAttributeList == NULL)
        say_no_memory();
    done = InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size) &&
           UpdateProcThreadAttribute(startup.lpAttributeList, 0,
                                     PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles,
                                     count * sizeof(*handles), NULL, NULL) &&
           CreateProcessW(program, line, NULL, NULL, TRUE,
                          DETACHED_PROCESS | EXTENDED_STARTUPINFO_PRESENT, NULL, NULL,
                          &startup.StartupInfo, started);
    free(startup.lpAttributeList);
    return done;
}

HANDLE
process_again(const wchar_t *variable, const wchar_t *value, HANDLE in, HANDLE errors,
              DWORD *id)
{
    HANDLE handles[] = {errors, in};
    PROCESS_INFORMATION started;
    wchar_t program[32768];
    wchar_t *line = _wcsdup(GetCommandLineW());

    if (line == NULL)
        say_no_memory();
    GetModuleFileNameW(NULL, program, sizeof(program) / sizeof(program[0]));
    SetEnvironmentVariableW(variable, value);
    if (!start(program, line, handles, in != NULL ? 2 : 1, &started))
        say_and_exit(TOOL_FAILED, "cannot start a process: %s",
                     wide_error(GetLastError()));
    SetEnvironmentVariableW(variable, NULL);
    free(line);
    CloseHandle(started.hThread);
    if (id != NULL)
        *id = started.dwProcessId;
    return started.hProcess;
}
