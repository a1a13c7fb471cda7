/*
 * nt.h - the kernel's own calls for what the Win32 interface does not say: a section's
 * size, an object's type, the names in a directory. ntdll.dll has them since Windows
 * NT.
 */
#ifndef MMF_OS_WINDOWS_SYS_NT_H
#define MMF_OS_WINDOWS_SYS_NT_H

#include <windows.h>
#include <winternl.h>

#ifndef STATUS_SUCCESS
#define STATUS_SUCCESS ((NTSTATUS)0)
#endif

/* NtQuerySection's answer to class 0. */
struct mmf_nt_section {
    void *base;
    ULONG attributes; /* SEC_... */
    LARGE_INTEGER size;
};

/* One name, as NtQueryDirectoryObject gives it. */
struct mmf_nt_entry {
    UNICODE_STRING name;
    UNICODE_STRING type;
};

/* NtQueryMutant's, NtQueryEvent's and NtQuerySemaphore's answers to class 0. */
struct mmf_nt_mutant {
    LONG count; /* 1: free; then less by each time its owner took it */
    BOOLEAN owned_by_caller;
    BOOLEAN abandoned;
};

struct mmf_nt_event {
    LONG type; /* 0: manual reset; 1: auto reset */
    LONG state;
};

struct mmf_nt_semaphore {
    LONG count;
    LONG maximum;
};

/* The right to ask for these. */
enum { MMF_NT_QUERY_STATE = 1 };

enum { MMF_NT_SECTION_BASIC = 0, MMF_NT_DIRECTORY_QUERY = 1 };

NTSTATUS NTAPI NtQuerySection(HANDLE section, int class, void *answer, SIZE_T size,
                              SIZE_T *written);
NTSTATUS NTAPI NtQueryMutant(HANDLE mutant, int class, void *answer, ULONG size,
                             ULONG *written);
NTSTATUS NTAPI NtQueryEvent(HANDLE event, int class, void *answer, ULONG size,
                            ULONG *written);
NTSTATUS NTAPI NtQuerySemaphore(HANDLE semaphore, int class, void *answer, ULONG size,
                                ULONG *written);
NTSTATUS NTAPI NtOpenDirectoryObject(HANDLE *directory, ACCESS_MASK access,
                                     const OBJECT_ATTRIBUTES *attributes);
NTSTATUS NTAPI NtQueryDirectoryObject(HANDLE directory, void *answer, ULONG size,
                                      BOOLEAN single, BOOLEAN restart, ULONG *context,
                                      ULONG *written);

#endif
