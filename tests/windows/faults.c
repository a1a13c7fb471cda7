/*
 * faults.c - what a host that imitates Windows gets wrong, shown by the system's own
 * calls alone. On Windows each line says "as documented"; under Wine some do not. What
 * is wrong here cannot be put right by a library, so the tests leave it out, and say
 * so.
 */
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

static int faults;

static void
tell(const char *rule, int holds)
{
    printf("%s: %s\n", holds ? "as documented" : "FAULT", rule);
    faults += !holds;
}

/* A section made for reading, opened for writing: the view must be refused. */
static void
views_beyond_the_sections_protection(void)
{
    static const char name[] = "mmf-fault-protection";
    HANDLE made =
        CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READONLY, 0, 4096, name);
    HANDLE opened = OpenFileMappingA(FILE_MAP_WRITE, FALSE, name);
    void *view = MapViewOfFile(opened, FILE_MAP_WRITE, 0, 0, 0);

    tell("no view goes beyond what the section's creator gave (contract 2.8)",
         view == NULL);
    if (view != NULL)
        UnmapViewOfFile(view);
    CloseHandle(opened);
    CloseHandle(made);
}

/* A file opened for reading alone gives no section that may be executed. */
static void
execution_of_files_opened_for_reading(void)
{
    char path[MAX_PATH], place[MAX_PATH];
    HANDLE file, section;

    GetTempPathA(sizeof(place), place);
    GetTempFileNameA(place, "mmf", 0, path);
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                       FILE_ATTRIBUTE_NORMAL, NULL);
    SetFilePointer(file, 4096, NULL, FILE_BEGIN);
    SetEndOfFile(file);
    section = CreateFileMappingA(file, NULL, PAGE_EXECUTE_READ, 0, 0, NULL);
    tell("a file is executed only through a handle that may (contract 2.9)",
         section == NULL);
    if (section != NULL)
        CloseHandle(section);
    CloseHandle(file);
    DeleteFileA(path);
}

/* Waiting for all of one object twice is an invalid parameter. */
static void
wait_for_the_same_object_twice(void)
{
    HANDLE event = CreateEventA(NULL, TRUE, TRUE, NULL);
    HANDLE twice[2] = {event, event};
    DWORD answer = WaitForMultipleObjects(2, twice, TRUE, 0);

    tell("a wait for all of one object twice is refused (contract 2.10)",
         answer == WAIT_FAILED);
    CloseHandle(event);
}

/* Several names in one answer. */
static void
list_names_at_once(void)
{
    typedef NTSTATUS(NTAPI * query)(HANDLE, void *, ULONG, BOOLEAN, BOOLEAN, ULONG *,
                                    ULONG *);
    typedef NTSTATUS(NTAPI * open)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);
    union {
        FARPROC any;
        query query;
        open open;
    } query_directory, open_directory;
    static char answer[65536];
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    ULONG context = 0, written = 0;
    HANDLE directory = NULL;
    NTSTATUS status = -1;

    query_directory.any = GetProcAddress(ntdll, "NtQueryDirectoryObject");
    open_directory.any = GetProcAddress(ntdll, "NtOpenDirectoryObject");
    RtlInitUnicodeString(&name, L"\\BaseNamedObjects");
    memset(&attributes, 0, sizeof(attributes));
    attributes.Length = sizeof(attributes);
    attributes.ObjectName = &name;
    if (open_directory.open(&directory, 1, &attributes) >= 0)
        status = query_directory.query(directory, answer, sizeof(answer), FALSE, TRUE,
                                       &context, &written);
    tell("a directory of objects is listed many names at a time", status >= 0);
    if (directory != NULL)
        CloseHandle(directory);
}

int
main(void)
{
    views_beyond_the_sections_protection();
    execution_of_files_opened_for_reading();
    wait_for_the_same_object_twice();
    list_names_at_once();
    printf("%d faults\n", faults);
    return 0;
}
