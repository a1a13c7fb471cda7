/*
 * namespace.c - see namespace.h.
 */
#include "os/windows/store/namespace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/invariant.h"
#include "os/windows/sys/error.h"
#include "os/windows/sys/utf16.h"

/* What NtQueryDirectoryObject says at the end. */
#define NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)

/* An answer has a name of up to 32,767 characters. */
enum { ANSWER_SIZE = 128 * 1024, DIRECTORY_SIZE = 64 };

struct walk {
    HANDLE directory;
    const char *directory_name;
    const char *prefix;
    mmf_entry_visitor visit;
    void *payload;
    void *answer; /* ANSWER_SIZE bytes */
};

/* "\Sessions\N\BaseNamedObjects"; session 0 has the global one. */
static int
find_session_directory(char name[DIRECTORY_SIZE])
{
    DWORD session;

    if (!ProcessIdToSessionId(GetCurrentProcessId(), &session))
        return mmf_error_fail("ask for this process's session");
    if (session == 0)
        snprintf(name, DIRECTORY_SIZE, "\\BaseNamedObjects");
    else
        snprintf(name, DIRECTORY_SIZE, "\\Sessions\\%lu\\BaseNamedObjects",
                 (unsigned long)session);
    return MMF_OK;
}

static int
open_directory(const char *name, HANDLE *directory)
{
    int rc;
    wchar_t *wide = mmf_utf16_from_utf8(name, "name", &rc);
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
    UNICODE_STRING text;
    NTSTATUS status;

    if (wide == NULL)
        return rc;
    RtlInitUnicodeString(&text, wide);
    attributes.ObjectName = &text;
    status = NtOpenDirectoryObject(directory, MMF_NT_DIRECTORY_QUERY, &attributes);
    free(wide);
    if (status == STATUS_SUCCESS)
        return MMF_OK;
    return mmf_error_fail_with(RtlNtStatusToDosError(status),
                               "open the kernel's directory %s", name);
}

static int
visit_answer(const struct walk *walk)
{
    const struct mmf_nt_entry *answer = walk->answer;
    const struct mmf_namespace_entry entry = {.directory = walk->directory_name,
                                              .prefix = walk->prefix,
                                              .name = &answer->name,
                                              .type = &answer->type};

    return walk->visit(walk->payload, &entry);
}

/* One name a call: all systems can do that. */
static int
walk_open_directory(const struct walk *walk)
{
    BOOLEAN restart = TRUE;
    ULONG context = 0;
    ULONG written;
    NTSTATUS status;
    int rc;

    MMF_ASSERT(walk->directory != NULL && walk->answer != NULL);
    do {
        status = NtQueryDirectoryObject(walk->directory, walk->answer, ANSWER_SIZE,
                                        TRUE, restart, &context, &written);
        restart = FALSE;
        if (status < 0 && status != NO_MORE_ENTRIES)
            return mmf_error_fail_with(RtlNtStatusToDosError(status),
                                       "list the kernel's directory %s",
                                       walk->directory_name);
        if (status != STATUS_SUCCESS)
            return MMF_OK; /* no more */
        rc = visit_answer(walk);
    } while (rc == MMF_OK);
    return rc;
}

static int
walk_directory(struct walk *walk, const char *name, const char *prefix)
{
    int rc = open_directory(name, &walk->directory);

    if (rc < 0)
        return rc;
    walk->directory_name = name;
    walk->prefix = prefix;
    rc = walk_open_directory(walk);
    CloseHandle(walk->directory);
    return rc;
}

int
mmf_namespace_walk(mmf_list_flags flags, mmf_entry_visitor visit, void *payload)
{
    static const mmf_list_flags both = MMF_LIST_LOCAL | MMF_LIST_GLOBAL;
    mmf_list_flags wanted = (flags & both) != 0 ? flags & both : both;
    struct walk walk = {.visit = visit, .payload = payload};
    char local[DIRECTORY_SIZE];
    int rc = find_session_directory(local);

    MMF_ASSERT(visit != NULL);
    if (rc < 0)
        return rc;
    walk.answer = malloc(ANSWER_SIZE);
    if (walk.answer == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a list of objects");
    if (wanted & MMF_LIST_LOCAL)
        rc = walk_directory(&walk, local, "");
    if (rc == MMF_OK && (wanted & MMF_LIST_GLOBAL))
        rc = walk_directory(&walk, "\\BaseNamedObjects", "Global\\");
    free(walk.answer);
    return rc;
}
