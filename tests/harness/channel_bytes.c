/*
 * channel_bytes.c - see channel_bytes.h.
 */
#include "harness/channel_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

#ifdef _WIN32
/* The handle of its section keeps it. */
struct hold {
    HANDLE section;
};

struct hold *
open_channel(const char *name)
{
    struct hold *hold = malloc(sizeof(*hold));
    char data[64];

    snprintf(data, sizeof(data), "%s:mmf:data", name);
    if (hold != NULL)
        hold->section = OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, data);
    if (hold == NULL || hold->section != NULL)
        return hold;
    free(hold);
    return NULL;
}

struct hold *
hold_channel(const char *name)
{
    return open_channel(name);
}

void
release_hold(struct hold *hold)
{
    CloseHandle(hold->section);
    free(hold);
}

bool
write_part(const struct hold *hold, enum part part, int64_t offset, const void *bytes,
           size_t size)
{
    enum { RING_AT = 4096, SLOTS_AT = 65536 };
    char *base = MapViewOfFile(hold->section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);

    if (base == NULL)
        return false;
    memcpy(base + (part == IN_SLOTS ? SLOTS_AT : RING_AT) + offset, bytes, size);
    return UnmapViewOfFile(base);
}
#else
struct hold {
    int fd;
};

/* Other processes than the test have the directory's name, too. */
struct hold *
open_channel(const char *name)
{
    struct hold *hold = malloc(sizeof(*hold));
    char path[512];

    snprintf(path, sizeof(path), "%s/mmf-%u/%s", getenv("MMF_DIR"), (unsigned)geteuid(),
             name);
    if (hold != NULL)
        hold->fd = open(path, O_RDWR | O_CLOEXEC);
    if (hold == NULL || hold->fd >= 0)
        return hold;
    free(hold);
    return NULL;
}

/* By the lock that holds an object. */
struct hold *
hold_channel(const char *name)
{
    struct flock range = {
        .l_type = F_WRLCK, .l_start = (off_t)1 << 61 | 12345, .l_len = 1};
    struct hold *hold = open_channel(name);

    if (hold == NULL || fcntl(hold->fd, F_OFD_SETLK, &range) == 0)
        return hold;
    release_hold(hold);
    return NULL;
}

void
release_hold(struct hold *hold)
{
    close(hold->fd);
    free(hold);
}

bool
write_part(const struct hold *hold, enum part part, int64_t offset, const void *bytes,
           size_t size)
{
    enum { SLOTS_AT = 4096 };
    int64_t at = part == IN_SLOTS ? SLOTS_AT + offset : offset;

    return pwrite(hold->fd, bytes, size, (off_t)at) == (ssize_t)size;
}
#endif

bool
put_near_the_end(const struct hold *hold, bool is_queue)
{
    const uint64_t first = ((uint64_t)1 << 48) - 5;
    const struct {
        int64_t at;
        uint64_t value;
    } words[] = {
        {0, first}, {16, UINT64_MAX - 1}, {128, first}, {136, first}, {256, first - 1}};
    bool is_done = true;

    for (size_t i = 0; i < (is_queue ? sizeof(words) / sizeof(words[0]) : 1); i++)
        is_done &= write_part(hold, IN_RING, words[i].at, &words[i].value, 8);
    return is_done;
}
