/*
 * section.c - sections are the kernel's; here are the calls for them, and .NET's way of
 * calling (contract 2.4, 2.5, 2.8).
 */
#include "os/windows/section/section.h"

#include <stdio.h>
#include <stdlib.h>

#include <mmf/status.h>

#include "os/windows/sys/error.h"
#include "os/windows/sys/nt.h"
#include "os/windows/sys/backoff.h"
#include "os/windows/store/names.h"

struct mmf_os_limits
mmf_os_limits(void)
{
    struct mmf_os_limits limits;
    SYSTEM_INFO system;

    GetSystemInfo(&system);
    limits.page_size = system.dwPageSize;
    limits.granularity = system.dwAllocationGranularity;
    limits.address_space = (int64_t)((uintptr_t)system.lpMaximumApplicationAddress -
                                     (uintptr_t)system.lpMinimumApplicationAddress);
    return limits;
}

DWORD
mmf_section_protection(mmf_access access)
{
    switch (access) {
    case MMF_ACCESS_READ:
        return PAGE_READONLY;
    case MMF_ACCESS_COPY_ON_WRITE:
        return PAGE_WRITECOPY;
    case MMF_ACCESS_READ_EXECUTE:
        return PAGE_EXECUTE_READ;
    case MMF_ACCESS_READ_WRITE_EXECUTE:
        return PAGE_EXECUTE_READWRITE;
    default:
        return PAGE_READWRITE;
    }
}

/* What the kernel wants to hear for MMF_CAN_... */
static DWORD
rights_of(uint32_t can)
{
    DWORD rights = 0;

    if (can & (MMF_CAN_READ | MMF_CAN_COPY))
        rights |= SECTION_MAP_READ;
    if (can & MMF_CAN_WRITE)
        rights |= SECTION_MAP_WRITE;
    if (can & MMF_CAN_EXECUTE)
        rights |= SECTION_MAP_EXECUTE; /* FILE_MAP_EXECUTE is for views */
    return rights;
}

static int64_t
round_to_pages(int64_t size)
{
    int64_t page = mmf_os_limits().page_size;

    return size > INT64_MAX - page ? size : (size + page - 1) / page * page;
}

/* A handle without the right to ask for the size may still map; the mapping tells. */
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
        section->is_memory = 0; /* unknown: a flush too many does no harm */
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

/* The same for a handle that is closed if it becomes no section. */
static int
wrap_or_close(HANDLE handle, uint32_t given, struct mmf_os_section **out)
{
    int rc = mmf_section_wrap(handle, given, out);

    if (rc < 0)
        CloseHandle(handle);
    return rc;
}

/* The section, new or not; `*existed` tells. NULL with GetLastError(). */
static HANDLE
call_create(const struct mmf_os_request *request, const wchar_t *name,
            struct mmf_place_security *security, int *existed)
{
    DWORD protection = mmf_section_protection(request->access) |
                       (request->delay_allocate ? SEC_RESERVE : SEC_COMMIT);
    uint64_t size = (uint64_t)request->capacity;
    HANDLE handle;

    SetLastError(ERROR_SUCCESS);
    handle = CreateFileMappingW(INVALID_HANDLE_VALUE, &security->attributes, protection,
                                (DWORD)(size >> 32), (DWORD)size, name);
    *existed = handle != NULL && GetLastError() == ERROR_ALREADY_EXISTS;
    return handle;
}

static HANDLE
create(const struct mmf_os_request *request, int *existed, int *rc)
{
    struct mmf_place_security security;
    wchar_t *name = mmf_place_name(request->name, rc);
    HANDLE handle;

    if (*rc < 0)
        return NULL;
    *rc = mmf_place_secure(
        &security, request->inheritability == MMF_INHERITABILITY_INHERITABLE, 0);
    if (*rc < 0) {
        free(name);
        return NULL;
    }
    handle = call_create(request, name, &security, existed);
    if (handle == NULL)
        *rc = mmf_place_fail("create", "map", request->name);
    mmf_place_release(&security);
    free(name);
    return handle;
}

static int
fail_exists(const struct mmf_name *name)
{
    return mmf_fail_system(MMF_E_EXISTS, ERROR_ALREADY_EXISTS,
                           "create map \"%.200s\": a map of that name exists",
                           name->given);
}

int
mmf_os_section_create(const struct mmf_os_request *request, struct mmf_os_section **out)
{
    int existed = 0;
    int rc;
    HANDLE handle = create(request, &existed, &rc);

    if (handle == NULL)
        return rc;
    if (existed) {
        CloseHandle(handle);
        return fail_exists(request->name);
    }
    return wrap_or_close(handle, mmf_can_of_access(request->access), out);
}

static uint32_t
given_of(const struct mmf_os_request *request, int existed)
{
    uint32_t all = MMF_CAN_READ | MMF_CAN_WRITE | MMF_CAN_EXECUTE;

    return existed ? all : mmf_can_of_access(request->access);
}

/*
 * One call does both. It asks for everything, and may be refused what exists; then what
 * the handle is for decides. The name may go between the two.
 */
int
mmf_os_section_create_or_open(const struct mmf_os_request *request,
                              struct mmf_os_section **out, int *created)
{
    struct mmf_patience patience = {0};
    mmf_error before;

    mmf_last_error(&before);
    do {
        int existed = 0;
        int rc;
        HANDLE handle = create(request, &existed, &rc);

        *created = !existed;
        if (handle != NULL)
            return wrap_or_close(handle, given_of(request, existed), out);
        if (rc != MMF_E_ACCESS)
            return rc;
        *created = 0;
        rc = mmf_os_section_open(request->name, mmf_can_of_access(request->access),
                                 request->inheritability, out);
        if (rc == MMF_OK)
            mmf_fail_restore(&before);
        if (rc != MMF_E_NOT_FOUND)
            return rc;
    } while (mmf_patience_wait(&patience));
    return mmf_fail_system(
        MMF_E_ACCESS, ERROR_ACCESS_DENIED,
        "create map \"%.200s\": it may neither be made nor opened here: see the "
        "privilege SeCreateGlobalPrivilege",
        request->name->given);
}

int
mmf_os_section_open(const struct mmf_name *name, uint32_t needs,
                    mmf_inheritability inheritability, struct mmf_os_section **out)
{
    BOOL inherit = inheritability == MMF_INHERITABILITY_INHERITABLE;
    DWORD rights = rights_of(needs);
    uint32_t all = MMF_CAN_READ | MMF_CAN_WRITE | MMF_CAN_EXECUTE;
    int rc;
    wchar_t *wide = mmf_place_name(name, &rc);
    HANDLE handle;

    if (rc < 0)
        return rc;
    handle = OpenFileMappingW(rights | SECTION_QUERY, inherit, wide);
    if (handle == NULL && GetLastError() == ERROR_ACCESS_DENIED && rights != 0)
        handle = OpenFileMappingW(rights, inherit, wide);
    if (handle == NULL)
        rc = mmf_place_fail("open", "map", name);
    free(wide);
    return handle != NULL ? wrap_or_close(handle, all, out) : rc;
}

/*
 * Inherited: the handle is ours already, by its number.
 */

static int
is_section(HANDLE handle)
{
    union {
        UNICODE_STRING name;
        char room[512];
    } type;
    static const wchar_t section[] = L"Section";

    if (NtQueryObject(handle, ObjectTypeInformation, &type, sizeof(type), NULL) !=
        STATUS_SUCCESS)
        return 0;
    return type.name.Length == sizeof(section) - sizeof(section[0]) &&
           wcsncmp(type.name.Buffer, section, type.name.Length / sizeof(wchar_t)) == 0;
}

int
mmf_os_section_adopt(intptr_t number, uint32_t needs, mmf_inheritability inheritability,
                     struct mmf_os_section **out)
{
    DWORD inherit =
        inheritability == MMF_INHERITABILITY_INHERITABLE ? HANDLE_FLAG_INHERIT : 0;
    HANDLE handle = (HANDLE)number;
    DWORD flags;

    (void)needs; /* what the parent's handle can do decides, when a view is made */
    if (handle == NULL || handle == INVALID_HANDLE_VALUE ||
        !GetHandleInformation(handle, &flags))
        return mmf_fail_system(MMF_E_DISPOSED, ERROR_INVALID_HANDLE,
                               "handle %lld is not open", (long long)number);
    if (!is_section(handle))
        return mmf_fail(MMF_E_CORRUPT, "handle %lld is no map", (long long)number);
    if (!SetHandleInformation(handle, HANDLE_FLAG_INHERIT, inherit))
        return mmf_error_fail("set the inheritance of a handle");
    return mmf_section_wrap(handle, MMF_CAN_READ | MMF_CAN_WRITE | MMF_CAN_EXECUTE,
                            out);
}

void
mmf_os_section_close(struct mmf_os_section *section)
{
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

/* Nothing forks here. */
int
mmf_os_section_check_alive(const struct mmf_os_section *section)
{
    (void)section;
    return MMF_OK;
}

intptr_t
mmf_os_section_handle(const struct mmf_os_section *section)
{
    return (intptr_t)section->handle;
}
