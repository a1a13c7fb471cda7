/*
 * support_windows.c - what is mapped.
 */
#include "support.h"

#include <windows.h>

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
