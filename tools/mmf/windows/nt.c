/* nt.c - see nt.h. */
#include "windows/nt.h"

#include <stdio.h>
#include <string.h>

NTSTATUS
nt_open_directory(const wchar_t *name, ACCESS_MASK access, HANDLE *directory)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING text;

    RtlInitUnicodeString(&text, name);
    memset(&attributes, 0, sizeof(attributes));
    attributes.Length = sizeof(attributes);
    attributes.ObjectName = &text;
    return NtOpenDirectoryObject(directory, access, &attributes);
}

DWORD
nt_session(void)
{
    DWORD session = 0;

    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    return session;
}

/* In session 0 the directory of the session is that of all users. */
const wchar_t *
nt_local_directory(wchar_t name[NT_NAME_SIZE])
{
    DWORD session = nt_session();

    if (session == 0)
        return L"\\BaseNamedObjects";
    swprintf(name, NT_NAME_SIZE, L"\\Sessions\\%lu\\BaseNamedObjects",
             (unsigned long)session);
    return name;
}
