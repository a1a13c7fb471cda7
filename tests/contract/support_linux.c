/*
 * support_linux.c - children and other users, and memory.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRANGER = 65534 };

int64_t
page_size(void)
{
    return (int64_t)sysconf(_SC_PAGESIZE);
}

void
close_file(intptr_t handle)
{
    close((int)handle);
}

int
is_open(intptr_t handle)
{
    return fcntl((int)handle, F_GETFD) >= 0;
}

void
make_pipe(intptr_t ends[2])
{
    int fds[2];

    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    ends[0] = fds[0];
    ends[1] = fds[1];
}

struct stranger {
    void (*run)(void *payload);
    void *payload;
};

static void
be_stranger(void *argument)
{
    const struct stranger *stranger = argument;

    if (setgroups(0, NULL) < 0 || setgid(STRANGER) < 0 || setuid(STRANGER) < 0)
        CHECK_FAIL("become user %d: %s", STRANGER, strerror(errno));
    stranger->run(stranger->payload);
}

void
as_stranger(void (*run)(void *payload), void *payload)
{
    if (geteuid() != 0)
        harness_skip("needs root, to become another user");
    if (chmod(harness_dir(), 01777) < 0)
        CHECK_FAIL("chmod %s: %s", harness_dir(), strerror(errno));
    in_child(be_stranger, &(struct stranger){run, payload});
}

size_t
pages_present(void *bytes, size_t size)
{
    unsigned char pages[64];
    size_t i, n = 0, page = (size_t)page_size();

    CHECK(size <= 64 * page);
    CHECK(mincore(bytes, size, pages) == 0);
    for (i = 0; i < size / page; i++)
        n += pages[i] & 1;
    return n;
}

long
locked_kilobytes(void)
{
    char line[256];
    long kilobytes = -1;
    FILE *status = fopen("/proc/self/status", "re");

    CHECK(status != NULL);
    while (fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "VmLck: %ld", &kilobytes) == 1)
            break;
    fclose(status);
    return kilobytes;
}

void
forbid_locking(void)
{
    const struct rlimit none = {0, 0};

    CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
}
