/*
 * backoff.c - pauses from none to 16 milliseconds, doubling: .NET's way with a name
 * that was there and is gone (contract 2.5), in two seconds instead of 82.
 */
#include "os/windows/sys/backoff.h"

#include <windows.h>

#include "os/os.h"

enum { LONGEST_PAUSE_MS = 16 };

int
mmf_patience_wait(struct mmf_patience *patience)
{
    uint64_t now = GetTickCount64();

    if (patience->deadline == 0)
        patience->deadline = now + MMF_OS_BACKOFF_MS;
    else if (patience->step == 0)
        patience->step = 1;
    else if (patience->step < LONGEST_PAUSE_MS)
        patience->step *= 2;
    if (now >= patience->deadline)
        return 0;
    Sleep(patience->step);
    return 1;
}
