/*
 * support_linux.c - what a process does, and what is mapped.
 */
#include "support.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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
