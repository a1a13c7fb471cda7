/*
 * name_guard.c - see name_guard.h.
 */
#include "os/windows/store/name_guard.h"

HANDLE
mmf_name_guard_take(struct mmf_subobject_name *name)
{
    return CreateWaitableTimerExW(NULL, mmf_subobject_channel(name), 0, SYNCHRONIZE);
}

bool
mmf_name_guard_exists(struct mmf_subobject_name *name)
{
    HANDLE timer = OpenWaitableTimerW(SYNCHRONIZE, FALSE, mmf_subobject_channel(name));

    if (timer == NULL)
        return false;
    CloseHandle(timer);
    return true;
}
