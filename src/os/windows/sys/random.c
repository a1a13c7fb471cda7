/*
 * random.c - bytes that no other process can guess.
 */
#include <limits.h>
#include <windows.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/os.h"

/* RtlGenRandom, as advapi32.dll exports it; no header declares it for all compilers. */
BOOLEAN NTAPI SystemFunction036(void *bytes, ULONG size);

int
mmf_os_random(void *bytes, size_t size)
{
    MMF_ASSERT(bytes != NULL && size <= INT_MAX);
    if (SystemFunction036(bytes, (ULONG)size))
        return MMF_OK;
    return mmf_fail(MMF_E_IO, "get random bytes: the system has none (RtlGenRandom)");
}
