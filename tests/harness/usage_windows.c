/*
 * usage_windows.c - counts handles, mappings and files, so that leaks show.
 */
#include "harness/check.h"
#include "harness/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

/* Handles are small multiples of four, the lowest that are free: no gap is so wide. */
enum { WIDEST_GAP = 256 };

/* What NtQueryObject writes: a text and space for it. */
union answer {
    UNICODE_STRING text;
    char room[4096];
};

static const UNICODE_STRING *
ask(HANDLE handle, int class, union answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    NtQueryObject(handle, (OBJECT_INFORMATION_CLASS) class, answer, sizeof(*answer),
                  NULL);
    return &answer->text;
}

static int
is_type(const UNICODE_STRING *type, const wchar_t *name)
{
    return type->Length == wcslen(name) * sizeof(wchar_t) &&
           wcsncmp(type->Buffer, name, wcslen(name)) == 0;
}

/*
 * What mmf may have made. The C library and the one for threads keep others for later:
 * threads, and events and semaphores without a name.
 */
static int
is_counted(const UNICODE_STRING *type, const UNICODE_STRING *name)
{
    if (is_type(type, L"Event") || is_type(type, L"Semaphore"))
        return name->Length > 0;
    return is_type(type, L"Section") || is_type(type, L"Mutant") ||
           is_type(type, L"File") || is_type(type, L"Process") ||
           is_type(type, L"Job") || is_type(type, L"Timer");
}

static long
count_handles(int print)
{
    static union answer type, name;
    int gap = 0;
    DWORD flags;
    long n = 0;

    for (uintptr_t value = 4; gap < WIDEST_GAP; value += 4) {
        HANDLE handle = (HANDLE)value;

        gap = GetHandleInformation(handle, &flags) ? 0 : gap + 1;
        if (gap > 0 || !is_counted(ask(handle, ObjectTypeInformation, &type),
                                   ask(handle, 1, &name)))
            continue;
        n++;
        if (print)
            fprintf(stderr, "  handle 0x%lx: %.*ls %.*ls\n", (unsigned long)value,
                    type.text.Length / 2, type.text.Buffer, name.text.Length / 2,
                    name.text.Buffer != NULL ? name.text.Buffer : L"");
    }
    return n;
}

/* Mappings of sections: neither programs nor private memory. */
static long
count_mappings(int print)
{
    MEMORY_BASIC_INFORMATION region;
    const char *at = NULL;
    const void *last = NULL;
    long n = 0;

    while (VirtualQuery(at, &region, sizeof(region)) != 0) {
        if (region.Type == MEM_MAPPED && region.AllocationBase != last) {
            last = region.AllocationBase;
            n++;
            if (print)
                fprintf(stderr, "  mapping at %p, %llu bytes\n", region.BaseAddress,
                        (unsigned long long)region.RegionSize);
        }
        at = (const char *)region.BaseAddress + region.RegionSize;
    }
    return n;
}

/* Walk `path`: count the files in it, print or remove them. */
static long
walk(const char *path, int print, int remove_them)
{
    char below[MAX_PATH * 2];
    WIN32_FIND_DATAA entry;
    HANDLE find;
    long n = 0;

    snprintf(below, sizeof(below), "%s\\*", path);
    find = FindFirstFileA(below, &entry);
    if (find == INVALID_HANDLE_VALUE)
        return 0;
    do {
        if (strcmp(entry.cFileName, ".") == 0 || strcmp(entry.cFileName, "..") == 0)
            continue;
        snprintf(below, sizeof(below), "%s\\%s", path, entry.cFileName);
        if (entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) {
            n += walk(below, print, remove_them);
            continue;
        }
        n++;
        if (print)
            fprintf(stderr, "  file %s\n", below);
        if (remove_them) {
            SetFileAttributesA(below, FILE_ATTRIBUTE_NORMAL);
            DeleteFileA(below);
        }
    } while (FindNextFileA(find, &entry));
    FindClose(find);
    if (remove_them)
        RemoveDirectoryA(path);
    return n;
}

void
usage_take(struct usage *usage)
{
    usage->descriptors = count_handles(0) - process_descriptors();
    usage->mappings = count_mappings(0);
    usage->files = harness_dir()[0] != '\0' ? walk(harness_dir(), 0, 0) : 0;
}

void
usage_print(void)
{
    count_handles(1);
    count_mappings(1);
    walk(harness_dir(), 1, 0);
}

void
usage_remove_tree(const char *dir)
{
    if (dir[0] != '\0')
        walk(dir, 0, 1);
}
