/* stop.c - see stop.h: what the console sends. */
#include "os/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "base/say.h"
#include "windows/stop_event.h"

/* As Windows ends a program that does not handle it. */
#define ENDED_BY_CTRL_C 0xC000013A

static HANDLE came;
static volatile LONG seen; /* the event's number and 1 */

/*
 * In a thread of the system's. When the console goes, we are ended as soon as this
 * comes back, or a few seconds later: time for the other thread to close everything.
 */
static BOOL WINAPI
note(DWORD event)
{
    InterlockedExchange(&seen, (LONG)event + 1);
    SetEvent(came);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
        Sleep(INFINITE);
    return TRUE;
}

void
stop_note(void)
{
    if (came != NULL)
        return;
    came = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (came == NULL)
        say_no_memory();
    SetConsoleCtrlHandler(note, TRUE);
}

void *
stop_event(void)
{
    return came;
}

int
stop_signal(void)
{
    return (int)seen;
}

void
stop_wait(void)
{
    WaitForSingleObject(came, INFINITE);
}

void
stop_nap(int32_t milliseconds)
{
    if (came != NULL)
        WaitForSingleObject(came, (DWORD)milliseconds);
    else
        Sleep((DWORD)milliseconds);
}

void
stop_leave(void)
{
    if (!seen)
        return;
    exit((int)ENDED_BY_CTRL_C);
}

void
stop_forget(void)
{
    SetConsoleCtrlHandler(note, FALSE);
}
