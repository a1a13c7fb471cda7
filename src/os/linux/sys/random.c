/*
 * random.c - bytes that no other process can guess.
 */
#include <errno.h>
#include <stdint.h>

#include <mmf/status.h>

#include "base/invariant.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

int
mmf_os_random(void *bytes, size_t size)
{
    uint8_t *to = bytes;

    MMF_ASSERT(bytes != NULL);
    while (size > 0) {
        ssize_t count = mmf_sys_getrandom(to, size);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return mmf_error_fail("get random bytes");
        to += count;
        size -= (size_t)count;
    }
    return MMF_OK;
}
