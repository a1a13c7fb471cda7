/* object.h - a handle on a mutex, an event or a semaphore, which are the kernel's. */
#ifndef MMF_OS_WINDOWS_SYNC_OBJECT_H
#define MMF_OS_WINDOWS_SYNC_OBJECT_H

#include <windows.h>

#include "os/os.h"

struct mmf_os_sync {
    HANDLE handle;
};

#endif
