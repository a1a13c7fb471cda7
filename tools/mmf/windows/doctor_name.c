/* doctor_name.c - why a name cannot be opened: other sessions, access lists. */
#include "doctor/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#include "base/say.h"
#include "base/text.h"
#include "windows/nt.h"
#include "windows/wide.h"

const char doctor_whose[] = "visible to this session only";

char *
doctor_directory(void)
{
    wchar_t name[NT_NAME_SIZE];
    char *directory = wide_to_text(nt_local_directory(name));
    char *text =
        text_format("session %lu (%s)", (unsigned long)nt_session(), directory);

    free(directory);
    return text;
}

/*
 * Other sessions.
 */

/* An object of any kind counts. */
static int
is_in_session(const wchar_t *session, const wchar_t *name)
{
    size_t space = wcslen(session) + wcslen(name) + 16;
    wchar_t *full = calloc(space, sizeof(*full));
    HANDLE handle;
    DWORD error;

    if (full == NULL)
        say_no_memory();
    swprintf(full, space, L"Session\\%ls\\%ls", session, name);
    handle = OpenFileMappingW(FILE_MAP_READ, FALSE, full);
    error = GetLastError();
    free(full);
    if (handle != NULL) {
        CloseHandle(handle);
        return 1;
    }
    return error == ERROR_ACCESS_DENIED || error == ERROR_INVALID_HANDLE;
}

static void
search_session(const wchar_t *session, const char *name)
{
    wchar_t *wide = wide_from_text(name);

    if (is_in_session(session, wide)) {
        char *number = wide_to_text(session);

        doctor_report_made(
            DOCTOR_NOTE, "session", text_format("it exists in session %s", number),
            "Each session has its own names; all sessions share those under "
            "Global\\.",
            text_format("use \"Global\\%s\" in both programs", name));
        free(number);
    }
    free(wide);
}

static int
is_number(const UNICODE_STRING *name)
{
    for (size_t i = 0; i < name->Length / sizeof(wchar_t); i++)
        if (name->Buffer[i] < L'0' || name->Buffer[i] > L'9')
            return 0;
    return name->Length > 0 && name->Length < 10 * sizeof(wchar_t);
}

/* The directory \Sessions has one for each. */
void
doctor_search_elsewhere(const char *name)
{
    union {
        struct nt_entry entry;
        char bytes[1024];
    } answer;
    HANDLE directory;
    ULONG context = 0;
    ULONG written;
    BOOLEAN restart = TRUE;

    if (strncmp(name, "Global\\", 7) == 0 ||
        nt_open_directory(L"\\Sessions", NT_DIRECTORY_QUERY, &directory) < 0)
        return;
    while (NtQueryDirectoryObject(directory, &answer, sizeof(answer), TRUE, restart,
                                  &context, &written) == 0) {
        wchar_t session[16] = L"";

        restart = FALSE;
        if (!is_number(&answer.entry.name))
            continue;
        memcpy(session, answer.entry.name.Buffer, answer.entry.name.Length);
        if (wcstoul(session, NULL, 10) != nt_session())
            search_session(session, name);
    }
    CloseHandle(directory);
}

/*
 * A name that is there.
 */

/* Nothing is orphaned or invalid: a listed object that is not in use is inaccessible. */
int
doctor_check_closed(const mmf_object_info *info)
{
    doctor_report_made(
        DOCTOR_BAD, "name",
        text_format("the access list of %s does not let this user read it", info->path),
        "A new object has the default access list of its creator: ordinary users "
        "cannot open what a service creates.",
        text_format("create it with an access list that permits this user"));
    return TOOL_DENIED;
}

char *
doctor_let_write(const mmf_object_info *info)
{
    return text_format(
        "create \"%s\" with an access list that permits this user to write",
        info->name);
}

char *
doctor_wake(int pid)
{
    return text_format("resume it where it was stopped, or: taskkill /f /pid %d", pid);
}
