/*
 * section.c - the handle on a section, which is the kernel's, whatever it is made of;
 * and what the system can do.
 */
#include "os/windows/section/section.h"

#include <stdlib.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/sys/error.h"
#include "os/windows/sys/nt.h"

struct mmf_os_limits
mmf_os_limits(void)
{
    SYSTEM_INFO system;

    GetSystemInfo(&system);
    return (struct mmf_os_limits){
        .page_size = system.dwPageSize,
        .granularity = system.dwAllocationGranularity,
        .address_space = (int64_t)((uintptr_t)system.lpMaximumApplicationAddress -
                                   (uintptr_t)system.lpMinimumApplicationAddress),
        .capacity_unit = system.dwPageSize,
    };
}

static int64_t
round_to_pages(int64_t size)
{
    int64_t page = mmf_os_limits().page_size;

    return size > INT64_MAX - page ? size : (size + page - 1) / page * page;
}

/* A handle without the right to ask for the size may still map; the mapping says it. */
static int
measure_by_mapping(struct mmf_os_section *section)
{
    static const DWORD ways[] = {FILE_MAP_READ, FILE_MAP_WRITE, FILE_MAP_COPY};
    MEMORY_BASIC_INFORMATION region;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        void *base = MapViewOfFile(section->handle, ways[i], 0, 0, 0);
        SIZE_T known;

        if (base == NULL)
            continue;
        known = VirtualQuery(base, &region, sizeof(region));
        UnmapViewOfFile(base);
        if (known == 0)
            break;
        section->capacity = (int64_t)region.RegionSize;
        section->is_memory = false; /* unknown: a flush too many does no harm */
        return MMF_OK;
    }
    return mmf_error_fail("ask for a map's size");
}

static int
measure(struct mmf_os_section *section)
{
    struct mmf_nt_section basic;
    NTSTATUS status = NtQuerySection(section->handle, MMF_NT_SECTION_BASIC, &basic,
                                     sizeof(basic), NULL);

    if (status != STATUS_SUCCESS)
        return measure_by_mapping(section);
    section->capacity = round_to_pages(basic.size.QuadPart);
    section->is_memory = (basic.attributes & SEC_FILE) == 0;
    return MMF_OK;
}

int
mmf_section_wrap(HANDLE handle, uint32_t given, struct mmf_os_section **out)
{
    struct mmf_os_section *section = calloc(1, sizeof(*section));
    int rc;

    MMF_ASSERT(handle != NULL && (given & ~MMF_SECTION_GIVEN_ALL) == 0);
    if (section == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a map handle");
    section->handle = handle;
    section->given = given;
    rc = measure(section);
    if (rc < 0) {
        free(section);
        return rc;
    }
    *out = section;
    return MMF_OK;
}

void
mmf_os_section_close(struct mmf_os_section *section)
{
    MMF_ASSERT(section->handle != NULL);
    CloseHandle(section->handle);
    if (section->file != NULL)
        CloseHandle(section->file);
    free(section);
}

int64_t
mmf_os_section_capacity(const struct mmf_os_section *section)
{
    return section->capacity;
}

uint32_t
mmf_os_section_given(const struct mmf_os_section *section)
{
    return section->given;
}

/* No process forks here. */
int
mmf_os_section_check_alive(const struct mmf_os_section *section)
{
    MMF_ASSERT(section->handle != NULL);
    (void)section;
    return MMF_OK;
}

intptr_t
mmf_os_section_handle(const struct mmf_os_section *section)
{
    return (intptr_t)section->handle;
}
