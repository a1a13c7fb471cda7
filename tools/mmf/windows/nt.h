/* nt.h - what only the kernel's own interface shows: directories of names, versions. */
#ifndef MMF_TOOL_WINDOWS_NT_H
#define MMF_TOOL_WINDOWS_NT_H

#include <windows.h>
#include <winternl.h>

enum { NT_DIRECTORY_QUERY = 1, NT_DIRECTORY_CREATE_OBJECT = 4, NT_NAME_SIZE = 64 };

/* One name, as NtQueryDirectoryObject gives it. */
struct nt_entry {
    UNICODE_STRING name;
    UNICODE_STRING type;
};

NTSTATUS NTAPI NtOpenDirectoryObject(HANDLE *directory, ACCESS_MASK access,
                                     const OBJECT_ATTRIBUTES *attributes);
NTSTATUS NTAPI NtQueryDirectoryObject(HANDLE directory, void *answer, ULONG size,
                                      BOOLEAN single, BOOLEAN restart, ULONG *context,
                                      ULONG *written);
NTSTATUS NTAPI RtlGetVersion(OSVERSIONINFOW *version);

/* Open one of the kernel's directories; its status. */
NTSTATUS nt_open_directory(const wchar_t *name, ACCESS_MASK access, HANDLE *directory);

/* This process's session. */
DWORD nt_session(void);

/* Where names of this session are: "\Sessions\1\BaseNamedObjects". */
const wchar_t *nt_local_directory(wchar_t name[NT_NAME_SIZE]);

#endif
