/*
 * file.c - files to make sections of. The kernel keeps .NET's sharing rule itself.
 */
#include "os/windows/section/file.h"

#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/section/access.h"
#include "os/windows/sys/error.h"
#include "os/windows/sys/utf16.h"

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
    wchar_t *wide = mmf_utf16_from_utf8(path, "path", &rc);
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

static DWORD
sharing_of(mmf_file_share share)
{
    return share == MMF_FILE_SHARE_READ_WRITE ? FILE_SHARE_READ | FILE_SHARE_WRITE
                                              : FILE_SHARE_READ;
}

void
mmf_file_free(struct mmf_os_file *file)
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
    mmf_file_free(file);
    return NULL;
}

static int
fail_open(const struct mmf_os_file *file)
{
    DWORD error = GetLastError();
    DWORD attributes;

    MMF_ASSERT(file->wide != NULL);
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
    file->handle =
        CreateFileW(file->wide, mmf_access_of_file(access), sharing_of(share), NULL,
                    disposition_of(mode), FILE_ATTRIBUTE_NORMAL, NULL);
    if (file->handle == INVALID_HANDLE_VALUE) {
        rc = fail_open(file);
        mmf_file_free(file);
        return rc;
    }
    file->is_ours = true;
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

    MMF_ASSERT(file->handle != NULL && file->handle != INVALID_HANDLE_VALUE);
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
    MMF_ASSERT(!file->made || file->is_ours);
    if (file->is_ours) {
        CloseHandle(file->handle);
        if (file->made)
            DeleteFileW(file->wide);
    }
    mmf_file_free(file);
}
