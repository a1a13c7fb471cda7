/*
 * clock.c - the clocks of os.h and clock.h, which cannot fail, and sleep.
 */
#include "os/windows/sys/clock.h"

#include <windows.h>

#include "base/invariant.h"
#include "os/os.h"

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

int64_t
mmf_os_now(void)
{
    LARGE_INTEGER ticks;
    LARGE_INTEGER per_second;

    QueryPerformanceFrequency(&per_second);
    QueryPerformanceCounter(&ticks);
    MMF_ASSERT(per_second.QuadPart > 0 && ticks.QuadPart >= 0);
    return ticks.QuadPart / per_second.QuadPart * NS_PER_S +
           ticks.QuadPart % per_second.QuadPart * NS_PER_S / per_second.QuadPart;
}

int64_t
mmf_os_now_roughly(void)
{
    return (int64_t)GetTickCount64() * NS_PER_MS;
}

int64_t
mmf_clock_wall(void)
{
    static const int64_t unix_epoch_s = 11644473600; /* from 1601, the system's */
    static const int64_t units_per_s = 10000000;
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    return ((int64_t)((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) -
            unix_epoch_s * units_per_s) *
           100;
}

/* The system sleeps for whole milliseconds; what is less only lets other threads run. */
void
mmf_os_sleep(int64_t nanoseconds)
{
    int64_t milliseconds = (nanoseconds + NS_PER_MS - 1) / NS_PER_MS;

    MMF_ASSERT(nanoseconds >= 0);
    if (nanoseconds < NS_PER_MS)
        milliseconds = 0;
    Sleep(milliseconds < MAXLONG ? (DWORD)milliseconds : MAXLONG);
}

void
mmf_os_cancellation_point(void)
{
    /* There is no pthread_cancel. */
}
