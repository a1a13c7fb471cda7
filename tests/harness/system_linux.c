/*
 * system_linux.c - what the runner needs of the system.
 */
#include "harness/check.h"
#include "harness/internal.h"

#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

long
system_thread_id(void)
{
    return syscall(SYS_gettid);
}

void
system_prepare(int is_role)
{
    if (is_role)
        return;
    setvbuf(stdout, NULL, _IOLBF, 0); /* in order with standard error */
    signal(SIGPIPE, SIG_IGN); /* a role that died shows in process_send instead */
}

int
system_make_namespace(char dir[HARNESS_DIR_SIZE])
{
    static const char place[] = "/dev/shm/mmf-test-XXXXXX";

    memcpy(dir, place, sizeof(place));
    if (mkdtemp(dir) == NULL) {
        fprintf(stderr, "make %s: %s\n", place, strerror(errno));
        dir[0] = '\0';
        return -1;
    }
    return setenv("MMF_DIR", dir, 1);
}

int
system_matches(const char *pattern, const char *name)
{
    return fnmatch(pattern, name, 0) == 0;
}

int
is_readable(int fd, int timeout_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    int rc;

    do
        rc = poll(&polled, 1, timeout_ms);
    while (rc < 0 && errno == EINTR);
    CHECK(rc >= 0);
    if (rc == 1)
        CHECK_INT(polled.revents, POLLIN);
    return rc;
}

/*
 * What Linux has: all of it.
 */

void
need_fork(void)
{
}

void
need_other_users(void)
{
}

void
need_modes(void)
{
}

int
kernel_has_names(void)
{
    return 0;
}

size_t
longest_name(void)
{
    return 3500;
}
