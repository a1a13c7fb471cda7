/*
 * name_guard.h - a timer that never goes off, with a channel's name. While it is there
 * the kernel refuses the name to maps, mutexes and all other kinds, and the reverse.
 *
 * It has no state: each handle on the channel has one on the guard, and it does not
 * matter which process made it. Programs that do not know mmf may have made it, too: it
 * does not say that there is a channel.
 */
#ifndef MMF_OS_WINDOWS_STORE_NAME_GUARD_H
#define MMF_OS_WINDOWS_STORE_NAME_GUARD_H

#include <stdbool.h>
#include <windows.h>

#include "os/windows/store/subobject.h"

/* A handle on the guard, which may be new; to be closed. NULL with GetLastError(). */
HANDLE mmf_name_guard_take(struct mmf_subobject_name *name);

/* Whether there is one. Else GetLastError() says whether another object is. */
bool mmf_name_guard_exists(struct mmf_subobject_name *name);

#endif
