/*
 * clock.c - what os.h wants of the system beside objects: time, sleep and random bytes.
 */
#include <errno.h>

#include <mmf/status.h>

#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

int64_t
mmf_os_now(void)
{
    struct timespec now = {0};

    mmf_sys_clock(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
mmf_os_sleep(int64_t nanoseconds)
{
    mmf_sys_sleep(nanoseconds);
}

int
mmf_os_random(void *bytes, size_t size)
{
    uint8_t *to = bytes;

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
