/*
 * doctor_directory.c - where the names are: this session's directory in the kernel, and the
 * one behind "Global\", in which not every user may create a map.
 */
#include "doctor/doctor.h"

#include <stdlib.h>
#include <windows.h>

#include <mmf/mmf.h>

#include "base/text.h"
#include "windows/nt.h"
#include "windows/wide.h"

static void
check_session(void)
{
    DWORD session = nt_session();
    wchar_t name[NT_NAME_SIZE];
    char *directory = wide_to_text(nt_local_directory(name));

    doctor_report_made(session == 0 ? DOCTOR_NOTE : DOCTOR_GOOD, "session",
                       text_format("this process is in session %lu: its names are in "
                                   "%s",
                                   (unsigned long)session, directory),
                       session == 0 ? "Session 0 is that of the services: programs of "
                                      "the desktop find these names under Global\\."
                                    : "Programs of other sessions, and services, find "
                                      "only names under Global\\.",
                       NULL);
    free(directory);
}

static void
report_closed(const wchar_t *directory, NTSTATUS status)
{
    char *name = wide_to_text(directory);
    char *reason = wide_error(RtlNtStatusToDosError(status));

    doctor_report_made(
        DOCTOR_BAD, "directory",
        text_format("the kernel's directory %s: %s", name, reason),
        "A sandbox or a restricted account has other rights there than an ordinary "
        "program.",
        text_format("start the program outside of the sandbox, as an ordinary user"));
    free(reason);
    free(name);
}

static int
can_open(const wchar_t *directory, ACCESS_MASK access)
{
    HANDLE handle;
    NTSTATUS status = nt_open_directory(directory, access, &handle);

    if (status < 0) {
        report_closed(directory, status);
        return 0;
    }
    CloseHandle(handle);
    return 1;
}

static void
check_directory(const wchar_t *directory, ACCESS_MASK access, const char *does)
{
    char *name;

    if (!can_open(directory, access))
        return;
    name = wide_to_text(directory);
    doctor_report_made(DOCTOR_GOOD, "directory",
                       text_format("this process may %s %s", does, name), NULL, NULL);
    free(name);
}

static void
check_directories(void)
{
    wchar_t name[NT_NAME_SIZE];

    check_directory(nt_local_directory(name),
                    NT_DIRECTORY_QUERY | NT_DIRECTORY_CREATE_OBJECT,
                    "list and make names in");
    if (nt_session() != 0)
        check_directory(L"\\BaseNamedObjects", NT_DIRECTORY_QUERY, "list names in");
}

/* What the token has of a class, to be freed; NULL. */
static void *
ask_token(TOKEN_INFORMATION_CLASS class)
{
    HANDLE token;
    DWORD size = 0;
    void *data;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return NULL;
    GetTokenInformation(token, class, NULL, 0, &size);
    data = malloc(size + sizeof(DWORD));
    if (data != NULL && !GetTokenInformation(token, class, data, size, &size)) {
        free(data);
        data = NULL;
    }
    CloseHandle(token);
    return data;
}

static int
has_privilege(const wchar_t *name)
{
    TOKEN_PRIVILEGES *all = ask_token(TokenPrivileges);
    int has = 0;
    LUID wanted;

    if (all == NULL)
        return 0;
    if (LookupPrivilegeValueW(NULL, name, &wanted))
        for (DWORD i = 0; i < all->PrivilegeCount; i++)
            has |= all->Privileges[i].Luid.LowPart == wanted.LowPart &&
                   all->Privileges[i].Luid.HighPart == wanted.HighPart &&
                   (all->Privileges[i].Attributes & SE_PRIVILEGE_ENABLED) != 0;
    free(all);
    return has;
}

static void
check_privilege(void)
{
    static const char why[] =
        "The kernel requires it for a new map under Global\\; opening one, and "
        "mutexes, events and semaphores, do not need it.";

    if (has_privilege(SE_CREATE_GLOBAL_NAME))
        doctor_report(DOCTOR_GOOD, "privilege",
                      "this process has SeCreateGlobalPrivilege", why, NULL);
    else if (nt_session() == 0)
        doctor_report(DOCTOR_GOOD, "privilege",
                      "SeCreateGlobalPrivilege is not needed in session 0", why, NULL);
    else
        doctor_report(DOCTOR_NOTE, "privilege",
                      "this process cannot make a map under Global\\: it has no "
                      "SeCreateGlobalPrivilege",
                      why,
                      "let a service make the map, or start the program as an "
                      "administrator");
}

static int
check_names(void)
{
    mmf_gc_result result = {0};

    if (mmf_gc(0, &result) < 0) {
        doctor_report(DOCTOR_BAD, "names", mmf_last_message(),
                      "Listing fails, and so does mmf ls.", NULL);
        return 0;
    }
    doctor_report_made(DOCTOR_GOOD, "names",
                       text_format("%d names are in use; the kernel removes a name "
                                   "with its last handle",
                                   result.in_use),
                       NULL, NULL);
    return 1;
}

/* The trial's messages say what helps. */
char *
doctor_remedy(int rc)
{
    (void)rc;
    return NULL;
}

int
doctor_check_directory(void)
{
    check_session();
    check_directories();
    check_privilege();
    return check_names();
}
