/*
 * support_windows.c - clocks, and the bytes of a channel's section.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

/*
 * The section.
 */

struct hold {
    HANDLE section;
};

static HANDLE
open_section(const char *name)
{
    char data[64];
    HANDLE section;

    snprintf(data, sizeof(data), "%s:mmf:data", name);
    section = OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, data);
    CHECK(section != NULL);
    return section;
}

struct hold *
hold_channel(const char *name)
{
    struct hold *hold = malloc(sizeof(*hold));

    CHECK(hold != NULL);
    hold->section = open_section(name);
    return hold;
}

void
release_hold(struct hold *hold)
{
    CloseHandle(hold->section);
    free(hold);
}

void
overwrite(const char *name, enum part part, int64_t offset, const void *bytes,
          size_t size)
{
    enum { RING_AT = 4096, SLOTS_AT = 65536 };
    HANDLE section = open_section(name);
    char *base = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);

    CHECK(base != NULL);
    memcpy(base + (part == IN_SLOTS ? SLOTS_AT : RING_AT) + offset, bytes, size);
    UnmapViewOfFile(base);
    CloseHandle(section);
}

void
need_separate_slots(void)
{
}

int
is_mapped_read_only(const void *address)
{
    MEMORY_BASIC_INFORMATION region;

    CHECK(VirtualQuery(address, &region, sizeof(region)) != 0);
    return region.Protect == PAGE_READONLY;
}
