/*
 * support_linux.c - clocks, what a process does, and the bytes of an object's file.
 */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What follows the program's name in brackets. */
static bool
is_stopped(pid_t pid)
{
    char path[64], text[256] = "";
    const char *state;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    CHECK(file != NULL && fgets(text, sizeof(text), file) != NULL);
    fclose(file);
    state = strrchr(text, ')');
    return state != NULL && state[2] == 'T';
}

void
stop_asleep(pid_t pid)
{
    for (;;) {
        await_sleep(pid, pid);
        CHECK_INT(kill(pid, SIGSTOP), 0);
        while (!is_stopped(pid))
            sched_yield();
        if (is_asleep(pid, pid))
            return;
        CHECK_INT(kill(pid, SIGCONT), 0);
    }
}

/*
 * The object's file.
 */

struct hold {
    int fd;
};

/* A name of letters is its file's name. Other processes have the directory's name, too. */
static int
open_object(const char *name)
{
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "%s/mmf-%u/%s", getenv("MMF_DIR"), (unsigned)geteuid(),
             name);
    fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

/* By the lock that holds an object. */
struct hold *
hold_channel(const char *name)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_start = (off_t)1 << 61 | 12345, .l_len = 1};
    struct hold *hold = malloc(sizeof(*hold));

    CHECK(hold != NULL);
    hold->fd = open_object(name);
    CHECK_INT(fcntl(hold->fd, F_OFD_SETLK, &lock), 0);
    return hold;
}

void
release_hold(struct hold *hold)
{
    close(hold->fd);
    free(hold);
}

void
overwrite(const char *name, enum part part, int64_t offset, const void *bytes,
          size_t size)
{
    enum { SLOTS_AT = 4096 };
    int64_t at = part == IN_SLOTS ? SLOTS_AT + offset : offset;
    int fd = open_object(name);

    CHECK(pwrite(fd, bytes, size, (off_t)at) == (ssize_t)size);
    close(fd);
}

void
need_separate_slots(void)
{
    if (sysconf(_SC_PAGESIZE) != 4096)
        harness_skip("the system's pages are not of 4,096 bytes");
}

int
is_mapped_read_only(const void *address)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    int is_read_only = 0;
    char line[512];

    CHECK(maps != NULL);
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from, to;
        char rights[5];

        if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 &&
            (uintptr_t)address >= from && (uintptr_t)address < to)
            is_read_only = strcmp(rights, "r--s") == 0;
    }
    fclose(maps);
    return is_read_only;
}
