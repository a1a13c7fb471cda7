/*
 * support_windows.c - files, and what Windows makes of sizes and names. What Windows
 * has not skips the test and says why.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <psapi.h>

int64_t
page_size(void)
{
    SYSTEM_INFO system;

    GetSystemInfo(&system);
    return system.dwPageSize;
}

int64_t
granularity(void)
{
    SYSTEM_INFO system;

    GetSystemInfo(&system);
    return system.dwAllocationGranularity;
}

int64_t
map_size(int64_t capacity)
{
    int64_t page = page_size();

    return (capacity + page - 1) / page * page;
}

/*
 * Handles of files.
 */

intptr_t
open_file(const char *path, int how, int inheritable)
{
    static const DWORD accesses[] = {0, GENERIC_READ, GENERIC_WRITE,
                                     GENERIC_READ | GENERIC_WRITE};
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, inheritable};
    HANDLE handle =
        CreateFileA(path, accesses[how], FILE_SHARE_READ | FILE_SHARE_WRITE,
                    &attributes, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);

    if (handle == INVALID_HANDLE_VALUE)
        CHECK_FAIL("open %s: error %lu", path, (unsigned long)GetLastError());
    return (intptr_t)handle;
}

void
close_file(intptr_t handle)
{
    CloseHandle((HANDLE)handle);
}

int
is_open(intptr_t handle)
{
    DWORD flags;

    return GetHandleInformation((HANDLE)handle, &flags) != 0;
}

int
is_inheritable(intptr_t handle)
{
    DWORD flags = 0;

    CHECK(GetHandleInformation((HANDLE)handle, &flags));
    return (flags & HANDLE_FLAG_INHERIT) != 0;
}

int
has_descriptors(void)
{
    return 0;
}

void
make_pipe(intptr_t ends[2])
{
    HANDLE read_end, write_end;

    CHECK(CreatePipe(&read_end, &write_end, NULL, 0));
    ends[0] = (intptr_t)read_end;
    ends[1] = (intptr_t)write_end;
}

/*
 * What Windows has not.
 */

int
try_flock(intptr_t handle, int exclusive)
{
    (void)handle;
    (void)exclusive;
    harness_skip("on Windows a file is shared as it was opened, without flock");
}

intptr_t
open_socket(void)
{
    harness_skip("Windows has no sockets among its files");
}

void
make_fifo(const char *path)
{
    (void)path;
    harness_skip("Windows has no pipes and sockets among its files");
}

int
make_socket(const char *path, intptr_t *handle)
{
    (void)path;
    (void)handle;
    return 0;
}

void
link_to_zero_device(const char *path)
{
    (void)path;
    harness_skip("Windows has no devices that can be mapped");
}

intptr_t
open_zero_device(void)
{
    harness_skip("Windows has no devices that can be mapped");
}

intptr_t
open_nameless_file(int64_t length)
{
    (void)length;
    harness_skip("on Windows the kernel's section leads to the file, not a path");
}

void
as_stranger(void (*run)(void *payload), void *payload)
{
    (void)run;
    (void)payload;
    need_other_users();
}

void
in_child(void (*run)(void *payload), void *payload)
{
    (void)run;
    (void)payload;
    need_fork();
}

void
need_files_for_stranger(void)
{
    need_other_users();
}

/* Execution is a right of a handle here: no file that we open has it (rule 2.9). */
int
host_executes_unnamed(void)
{
    return 1;
}

int
host_executes_in(const char *dir)
{
    (void)dir;
    return 1;
}

/* A view for writing of a section that was made for reading: 1 if it is refused. */
int
host_keeps_protection(void)
{
    static const char name[] = "mmf-test-protection";
    static int answer = -1;
    HANDLE made, opened;
    void *view;

    if (answer >= 0)
        return answer;
    made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READONLY, 0, 4096, name);
    opened = OpenFileMappingA(FILE_MAP_WRITE, FALSE, name);
    view = MapViewOfFile(opened, FILE_MAP_WRITE, 0, 0, 0);
    answer = view == NULL;
    if (view != NULL) {
        print_message("HOST: it maps beyond what a section's creator gave\n");
        UnmapViewOfFile(view);
    }
    CloseHandle(opened);
    CloseHandle(made);
    return answer;
}

/* An executable section of a file opened for reading alone: 1 if it is refused. */
int
host_keeps_execution(void)
{
    static int answer = -1;
    char path[FILE_PATH_SIZE];
    HANDLE file, section;

    if (answer >= 0)
        return answer;
    file_path(path);
    make_file(path, 4096);
    file = (HANDLE)open_file(path, FOR_READING, 0);
    section = CreateFileMappingA(file, NULL, PAGE_EXECUTE_READ, 0, 0, NULL);
    answer = section == NULL;
    if (section != NULL) {
        print_message("HOST: it executes files that were opened for reading\n");
        CloseHandle(section);
    }
    CloseHandle(file);
    remove_file(path);
    return answer;
}

/*
 * Files.
 */

void
file_path(char path[FILE_PATH_SIZE])
{
    static unsigned count;

    snprintf(path, FILE_PATH_SIZE, "%s/contract-%lu-%u", harness_dir(),
             (unsigned long)GetCurrentProcessId(), ++count);
    for (; *path != '\0'; path++)
        if (*path == '\\')
            *path = '/'; /* as good a separator, and what the tests look for */
}

static HANDLE
open_whole(const char *path, DWORD access, DWORD disposition)
{
    HANDLE handle = CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                disposition, FILE_ATTRIBUTE_NORMAL, NULL);

    if (handle == INVALID_HANDLE_VALUE)
        CHECK_FAIL("open %s: error %lu", path, (unsigned long)GetLastError());
    return handle;
}

void
make_file(const char *path, int64_t length)
{
    HANDLE handle = open_whole(path, GENERIC_READ | GENERIC_WRITE, CREATE_NEW);
    LARGE_INTEGER end = {.QuadPart = length};

    if (!SetFilePointerEx(handle, end, NULL, FILE_BEGIN) || !SetEndOfFile(handle))
        CHECK_FAIL("make %s: error %lu", path, (unsigned long)GetLastError());
    CloseHandle(handle);
}

void
write_file(const char *path, const void *bytes, size_t size)
{
    HANDLE handle = open_whole(path, GENERIC_WRITE, OPEN_ALWAYS);
    DWORD written = 0;

    if (!WriteFile(handle, bytes, (DWORD)size, &written, NULL) || written != size)
        CHECK_FAIL("write %s: error %lu", path, (unsigned long)GetLastError());
    CloseHandle(handle);
}

void
read_file(const char *path, void *bytes, size_t size)
{
    HANDLE handle = open_whole(path, GENERIC_READ, OPEN_EXISTING);
    DWORD count = 0;

    if (!ReadFile(handle, bytes, (DWORD)size, &count, NULL) || count != size)
        CHECK_FAIL("read %s: error %lu", path, (unsigned long)GetLastError());
    CloseHandle(handle);
}

int64_t
file_length(const char *path)
{
    WIN32_FILE_ATTRIBUTE_DATA data;

    if (!GetFileAttributesExA(path, GetFileExInfoStandard, &data))
        return -1;
    return (int64_t)data.nFileSizeHigh << 32 | data.nFileSizeLow;
}

void
remove_file(const char *path)
{
    if (!DeleteFileA(path))
        CHECK_FAIL("remove %s: error %lu", path, (unsigned long)GetLastError());
}

int
replace_file(const char *from, const char *to)
{
    return MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING) != 0;
}

void
make_directory(const char *path)
{
    CHECK(CreateDirectoryA(path, NULL));
}

void
remove_directory(const char *path)
{
    CHECK(RemoveDirectoryA(path));
}

/* Of a mode's bits Windows has the one for writing. */
void
set_mode(const char *path, unsigned mode)
{
    DWORD attributes = mode & 0200 ? FILE_ATTRIBUTE_NORMAL : FILE_ATTRIBUTE_READONLY;

    CHECK(SetFileAttributesA(path, attributes));
}

/*
 * Memory.
 */

size_t
pages_present(void *bytes, size_t size)
{
    PSAPI_WORKING_SET_EX_INFORMATION page;
    size_t n = 0, at;

    for (at = 0; at < size; at += (size_t)page_size()) {
        page.VirtualAddress = (char *)bytes + at;
        CHECK(QueryWorkingSetEx(GetCurrentProcess(), &page, sizeof(page)));
        n += page.VirtualAttributes.Valid;
    }
    return n;
}

/* Windows does not report locked pages. */
long
locked_kilobytes(void)
{
    harness_skip("Windows does not tell how much of a process is locked");
}

void
forbid_locking(void)
{
}
