/* names.h - names as the kernel wants them. */
#ifndef MMF_OS_WINDOWS_STORE_NAMES_H
#define MMF_OS_WINDOWS_STORE_NAMES_H

#include <windows.h>

#include <mmf/list.h>

#include "base/name.h"

/*
 * The name for the kernel, to be freed; NULL for NULL with `*rc` MMF_OK. NULL and a
 * status otherwise: mmf_fail was called.
 */
wchar_t *mmf_names_for_kernel(const struct mmf_name *name, int *rc);

/* Open the map, mutex, event or semaphore of that name. NULL with GetLastError(). */
HANDLE mmf_names_open(mmf_kind kind, DWORD rights, const wchar_t *name);

#endif
