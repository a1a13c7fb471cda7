/*
 * file.c - files to make sections of. The kernel keeps .NET's sharing rule itself.
 */
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "os/windows/sys/error.h"
#include "os/windows/store/names.h"
#include "os/windows/section/section.h"
#include "os/windows/sys/utf16.h"

struct mmf_os_file {
    HANDLE handle;
    int is_ours;       /* opened by path */
    int made;          /* we made the file: abandoned, it is removed */
    wchar_t *wide;     /* NULL: wrapped */
    const char *shown; /* for messages */
    char *path;        /* what `shown` points to, or NULL */
};

enum { SHORT_PATH = 240, LONGEST_PATH = 32767 };

/*
 * Paths beyond 260 characters need a prefix that switches the old limit off, and then
 * must be absolute. Shorter ones go as they are.
 */
static wchar_t *
absolute_path(wchar_t *given)
{
    static const wchar_t prefix[] = L"\\\\?\\";
    DWORD length = GetFullPathNameW(given, 0, NULL, NULL);
    wchar_t *full;

    if (length == 0 || length > LONGEST_PATH) {
        SetLastError(ERROR_FILENAME_EXCED_RANGE);
        return NULL;
    }
    full = malloc((length + sizeof(prefix) / sizeof(prefix[0])) * sizeof(*full));
    if (full == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    memcpy(full, prefix, sizeof(prefix));
    GetFullPathNameW(given, length, full + wcslen(prefix), NULL);
    return full;
}

static int
convert_path(const char *path, wchar_t **out)
{
    int rc;
    wchar_t *wide = mmf_utf16_from_utf8(path, "path", 0, &rc);
    wchar_t *full;

    if (wide == NULL)
        return rc;
    if (wcslen(wide) < SHORT_PATH || wcsncmp(wide, L"\\\\", 2) == 0) {
        *out = wide;
        return MMF_OK;
    }
    full = absolute_path(wide);
    free(wide);
    if (full == NULL)
        return mmf_error_fail("map file %.200s...", path);
    *out = full;
    return MMF_OK;
}

static DWORD
disposition_of(mmf_file_mode mode)
{
    switch (mode) {
    case MMF_FILE_MODE_CREATE_NEW:
        return CREATE_NEW;
    case MMF_FILE_MODE_CREATE:
        return CREATE_ALWAYS;
    case MMF_FILE_MODE_OPEN_OR_CREATE:
        return OPEN_ALWAYS;
    default:
        return OPEN_EXISTING;
    }
}

/* Execution is no right of a file opened so; the kernel refuses the section (2.9). */
static DWORD
file_access(mmf_access access)
{
    return access == MMF_ACCESS_READ || access == MMF_ACCESS_READ_EXECUTE
               ? GENERIC_READ
               : GENERIC_READ | GENERIC_WRITE;
}

static DWORD
sharing_of(mmf_file_share share)
{
    return share == MMF_FILE_SHARE_READ_WRITE ? FILE_SHARE_READ | FILE_SHARE_WRITE
                                              : FILE_SHARE_READ;
}

static void
free_file(struct mmf_os_file *file)
{
    free(file->wide);
    free(file->path);
    free(file);
}

/* NULL and a status: mmf_fail was called. */
static struct mmf_os_file *
new_file(const char *path, int *rc)
{
    struct mmf_os_file *file = calloc(1, sizeof(*file));

    if (file != NULL)
        file->path = strdup(path);
    if (file == NULL || file->path == NULL) {
        free(file);
        *rc = mmf_fail(MMF_E_NO_MEMORY, "no memory to map file %.200s", path);
        return NULL;
    }
    file->shown = file->path;
    *rc = convert_path(path, &file->wide);
    if (*rc == MMF_OK)
        return file;
    free_file(file);
    return NULL;
}

static int
fail_open(const struct mmf_os_file *file)
{
    DWORD error = GetLastError();
    DWORD attributes;

    if (error == ERROR_ACCESS_DENIED) {
        attributes = GetFileAttributesW(file->wide);
        if (attributes != INVALID_FILE_ATTRIBUTES &&
            (attributes & FILE_ATTRIBUTE_DIRECTORY))
            return mmf_fail_system(MMF_E_ACCESS, (int)error,
                                   "map file %.400s: it is a directory", file->shown);
    }
    return mmf_error_fail_with(error, "map file %.400s", file->shown);
}

int
mmf_os_file_open(const char *path, mmf_file_mode mode, mmf_access access,
                 mmf_file_share share, struct mmf_os_file **out)
{
    int rc;
    struct mmf_os_file *file = new_file(path, &rc);

    if (file == NULL)
        return rc;
    SetLastError(ERROR_SUCCESS);
    file->handle = CreateFileW(file->wide, file_access(access), sharing_of(share), NULL,
                               disposition_of(mode), FILE_ATTRIBUTE_NORMAL, NULL);
    if (file->handle == INVALID_HANDLE_VALUE) {
        rc = fail_open(file);
        free_file(file);
        return rc;
    }
    file->is_ours = 1;
    file->made = mode != MMF_FILE_MODE_OPEN && GetLastError() != ERROR_ALREADY_EXISTS;
    *out = file;
    return MMF_OK;
}

int
mmf_os_handle_of_fd(int fd, intptr_t *handle)
{
    (void)handle;
    return mmf_fail(MMF_E_PLATFORM,
                    "descriptor %d is one of a C runtime, which need not be ours: give "
                    "mmf_map_create_from_handle what your _get_osfhandle(%d) says",
                    fd, fd);
}

int
mmf_os_file_wrap(intptr_t number, struct mmf_os_file **out)
{
    HANDLE handle = (HANDLE)number;
    struct mmf_os_file *file;
    DWORD flags;

    if (handle == NULL || handle == INVALID_HANDLE_VALUE ||
        !GetHandleInformation(handle, &flags))
        return mmf_fail_system(MMF_E_DISPOSED, ERROR_INVALID_HANDLE,
                               "handle %lld is not open", (long long)number);
    file = calloc(1, sizeof(*file));
    if (file == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory to map a handle");
    file->handle = handle;
    file->shown = "of the handle";
    *out = file;
    return MMF_OK;
}

int
mmf_os_file_length(const struct mmf_os_file *file, int64_t *length, int *sized)
{
    LARGE_INTEGER size;

    if (GetFileType(file->handle) != FILE_TYPE_DISK)
        return mmf_fail(MMF_E_NOT_SUPPORTED,
                        "a pipe, a device or a console cannot be mapped");
    if (!GetFileSizeEx(file->handle, &size))
        return mmf_error_fail("ask for a file's length");
    *length = size.QuadPart;
    *sized = 1;
    return MMF_OK;
}

void
mmf_os_file_abandon(struct mmf_os_file *file)
{
    if (file->is_ours) {
        CloseHandle(file->handle);
        if (file->made)
            DeleteFileW(file->wide);
    }
    free_file(file);
}

/*
 * Sections of files.
 */

/* The kernel makes only files grow that the map may write. */
static int
fail_growth(const struct mmf_os_file *file, const struct mmf_os_request *request,
            int64_t length, DWORD error)
{
    return mmf_fail_system(
        MMF_E_IO, (int)error,
        "file %.400s has %lld bytes, the map wants %lld: only a map with write access "
        "can make it grow",
        file->shown, (long long)length, (long long)request->capacity);
}

static int
fail_section(const struct mmf_os_file *file, const struct mmf_os_request *request,
             int64_t length)
{
    DWORD error = GetLastError();
    uint32_t can = mmf_can_of_access(request->access);

    if (request->capacity > length && !(can & MMF_CAN_WRITE) &&
        error != ERROR_ACCESS_DENIED && error != ERROR_INVALID_HANDLE)
        return fail_growth(file, request, length, error);

    if (request->name != NULL &&
        (error == ERROR_INVALID_HANDLE || error == ERROR_PATH_NOT_FOUND ||
         error == ERROR_BAD_PATHNAME || error == ERROR_INVALID_NAME))
        return mmf_place_fail("create", "map", request->name);
    if (error == ERROR_ACCESS_DENIED)
        return mmf_fail_system(
            MMF_E_ACCESS, (int)error,
            "map file %.400s: it was not opened for that access (or a name under "
            "Global\\ needs the privilege SeCreateGlobalPrivilege)",
            file->shown);
    return mmf_error_fail_with(error, "map file %.400s with %lld bytes", file->shown,
                               (long long)request->capacity);
}

/* The kernel grows a file before it finds that the name is taken. */
static void
put_length_back(const struct mmf_os_file *file, int64_t length)
{
    FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = length};
    LARGE_INTEGER now;

    if (GetFileSizeEx(file->handle, &now) && now.QuadPart != length)
        SetFileInformationByHandle(file->handle, FileEndOfFileInfo, &end, sizeof(end));
}

/* The section; NULL with a status. */
static HANDLE
create_section(const struct mmf_os_file *file, const struct mmf_os_request *request,
               int64_t length, int *rc)
{
    struct mmf_place_security security;
    uint64_t size = (uint64_t)request->capacity;
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
    SetLastError(ERROR_SUCCESS);
    handle = CreateFileMappingW(file->handle, &security.attributes,
                                mmf_section_protection(request->access),
                                (DWORD)(size >> 32), (DWORD)size, name);
    if (handle == NULL) {
        *rc = fail_section(file, request, length);
    } else if (GetLastError() == ERROR_ALREADY_EXISTS) {
        CloseHandle(handle);
        handle = NULL;
        *rc = mmf_fail_system(MMF_E_EXISTS, ERROR_ALREADY_EXISTS,
                              "create map \"%.200s\": a map of that name exists",
                              request->name->given);
    }
    if (handle == NULL)
        put_length_back(file, length);
    mmf_place_release(&security);
    free(name);
    return handle;
}

int
mmf_os_section_from_file(struct mmf_os_file *file, const struct mmf_os_request *request,
                         int leave_open, struct mmf_os_section **out)
{
    struct mmf_os_section *section;
    int64_t length = request->capacity;
    int sized;
    int rc = mmf_os_file_length(file, &length, &sized);
    HANDLE handle;

    if (rc < 0)
        return rc;
    handle = create_section(file, request, length, &rc);
    if (handle == NULL)
        return rc;
    rc = mmf_section_wrap(handle, mmf_can_of_access(request->access), &section);
    if (rc < 0) {
        CloseHandle(handle);
        return rc;
    }
    section->file = leave_open ? NULL : file->handle;
    free_file(file);
    *out = section;
    return MMF_OK;
}
