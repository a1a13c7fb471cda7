/*
 * background.c - see background.h. There is no fork: the process that goes on is this
 * program again with the same arguments, and a variable that says so. What it says
 * comes to us by a pipe, and the last is a zero byte: all is well.
 */
#include "os/background.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "base/say.h"
#include "windows/process.h"

static const wchar_t variable[] = L"MMF_CREATE_IN_BACKGROUND";

static int
is_that_process(void)
{
    wchar_t value[4];

    if (GetEnvironmentVariableW(variable, value, 4) == 0)
        return 0;
    SetEnvironmentVariableW(variable, NULL);
    return 1;
}

/* Pass on its output, up to a zero byte. Returns whether that came. */
static int
listen_to(HANDLE pipe)
{
    DWORD count;
    char c;

    while (ReadFile(pipe, &c, 1, &count, NULL) && count == 1) {
        if (c == '\0')
            return 1;
        putc(c, stderr);
    }
    return 0;
}

void
background_begin(void)
{
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    HANDLE ours, theirs, process;
    DWORD id;
    DWORD status = TOOL_DONE;

    if (is_that_process())
        return;
    if (!CreatePipe(&ours, &theirs, &inherited, 0))
        say_no_memory();
    SetHandleInformation(ours, HANDLE_FLAG_INHERIT, 0);
    process = process_again(variable, L"1", NULL, theirs, &id);
    CloseHandle(theirs);
    if (listen_to(ours)) {
        printf("%lu\n", (unsigned long)id);
    } else {
        WaitForSingleObject(process, INFINITE);
        GetExitCodeProcess(process, &status);
    }
    exit(say_finish((int)status));
}

void
background_ready(void)
{
    int nothing;

    putc('\0', stderr);
    fflush(stderr);
    nothing = _open("NUL", _O_RDWR);
    for (int fd = 0; nothing >= 0 && fd < 3; fd++)
        _dup2(nothing, fd); /* the pipe ends with this */
}
