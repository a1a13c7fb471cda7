/*
 * list.c - what named objects there are: the kernel's directory of this session, and
 * the one behind "Global\".
 *
 * The kernel tells an object's type, name and number of handles; nobody wrote down who
 * made it and when, but for channels, which have a page. A channel is a timer with a
 * section beside it (channel.c); its parts are not shown. A name is there as long as a
 * handle is, so nothing is ever dead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "os/os.h"
#include "os/windows/sys/error.h"
#include "os/windows/sys/nt.h"
#include "os/windows/store/name_guard.h"
#include "os/windows/sys/utf16.h"
#include "shared/ring/channel_page.h"

/* What NtQueryDirectoryObject says at the end. */
#define NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)

/* A name of 32,767 characters in UTF-8, with a directory before it. */
enum { ANSWER_SIZE = 128 * 1024, TEXT_SIZE = 3 * 32767 + 256, DIRECTORY_SIZE = 64 };

struct walk {
    HANDLE directory;
    const char *directory_name;
    const char *prefix; /* of the names shown */
    mmf_os_visitor visitor;
    void *payload;
    mmf_sync_info sync; /* of the object that is shown */
    char name[TEXT_SIZE];
    char path[TEXT_SIZE];
    wchar_t wide[32768];
    char answer[ANSWER_SIZE];
};

static void
fill_attributes(HANDLE root, UNICODE_STRING *name, OBJECT_ATTRIBUTES *attributes)
{
    memset(attributes, 0, sizeof(*attributes));
    attributes->Length = sizeof(*attributes);
    attributes->RootDirectory = root;
    attributes->ObjectName = name;
}

/* "\Sessions\N\BaseNamedObjects", in session 0 too, where it leads to the other one. */
static int
directory_of_session(char name[DIRECTORY_SIZE])
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
    wchar_t *wide = mmf_utf16_from_utf8(name, "name", 0, &rc);
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING text;
    NTSTATUS status;

    if (wide == NULL)
        return rc;
    RtlInitUnicodeString(&text, wide);
    fill_attributes(NULL, &text, &attributes);
    status = NtOpenDirectoryObject(directory, MMF_NT_DIRECTORY_QUERY, &attributes);
    free(wide);
    if (status == STATUS_SUCCESS)
        return MMF_OK;
    return mmf_error_fail_with(RtlNtStatusToDosError(status),
                               "open the kernel's directory %s", name);
}

static int
is_type(const UNICODE_STRING *type, const wchar_t *name)
{
    size_t length = wcslen(name);

    return type->Length == length * sizeof(wchar_t) &&
           wcsncmp(type->Buffer, name, length) == 0;
}

/* A timer may be a channel: its section says which kind. */
enum { MAYBE_CHANNEL = MMF_KIND_UNKNOWN };

/* -1: a kind that shares the names but is nothing of ours (links, jobs). */
static int
kind_of_type(const UNICODE_STRING *type)
{
    if (is_type(type, L"Section"))
        return MMF_KIND_MAP;
    if (is_type(type, L"Mutant"))
        return MMF_KIND_MUTEX;
    if (is_type(type, L"Event"))
        return MMF_KIND_EVENT;
    if (is_type(type, L"Semaphore"))
        return MMF_KIND_SEMAPHORE;
    if (is_type(type, L"Timer"))
        return MAYBE_CHANNEL;
    return -1;
}

static HANDLE
open_object(mmf_kind kind, const wchar_t *name)
{
    switch (kind) {
    case MMF_KIND_MAP:
        /* Alone, the right to query has the number of another wish: FILE_MAP_COPY. */
        return OpenFileMappingW(SECTION_QUERY | READ_CONTROL, FALSE, name);
    case MMF_KIND_MUTEX:
        return OpenMutexW(MMF_NT_QUERY_STATE, FALSE, name);
    case MMF_KIND_EVENT:
        return OpenEventW(MMF_NT_QUERY_STATE, FALSE, name);
    default:
        return OpenSemaphoreW(MMF_NT_QUERY_STATE, FALSE, name);
    }
}

/* Its state; who waits and who owns, the kernel does not tell. */
static void
describe_sync(HANDLE object, mmf_kind kind, mmf_sync_info *sync)
{
    struct mmf_nt_mutant mutant;
    struct mmf_nt_event event;
    struct mmf_nt_semaphore semaphore;

    switch (kind) {
    case MMF_KIND_MUTEX:
        if (NtQueryMutant(object, 0, &mutant, sizeof(mutant), NULL) != STATUS_SUCCESS)
            return;
        sync->signalled = mutant.count > 0;
        sync->count = 1 - mutant.count;
        sync->owned = mutant.count <= 0;
        sync->abandoned = mutant.abandoned != 0;
        return;
    case MMF_KIND_EVENT:
        if (NtQueryEvent(object, 0, &event, sizeof(event), NULL) != STATUS_SUCCESS)
            return;
        sync->signalled = event.state != 0;
        sync->manual_reset = event.type == 0;
        return;
    default:
        if (NtQuerySemaphore(object, 0, &semaphore, sizeof(semaphore), NULL) !=
            STATUS_SUCCESS)
            return;
        sync->signalled = semaphore.count > 0;
        sync->count = semaphore.count;
        sync->maximum = semaphore.maximum;
    }
}

/* How many handles there are but for this one. */
static void
count_holders(HANDLE object, mmf_object_info *info)
{
    struct {
        ULONG attributes;
        ACCESS_MASK granted;
        ULONG handles;
        ULONG pointers;
        ULONG reserved[10];
    } basic;

    if (NtQueryObject(object, ObjectBasicInformation, &basic, sizeof(basic), NULL) ==
            STATUS_SUCCESS &&
        basic.handles > 0)
        info->holders = (int32_t)basic.handles - 1;
}

/* What the object itself says; `info` has its kind. */
static void
describe_object(HANDLE object, mmf_object_info *info)
{
    struct mmf_nt_section section;

    count_holders(object, info);
    if (info->kind == MMF_KIND_MAP &&
        NtQuerySection(object, MMF_NT_SECTION_BASIC, &section, sizeof(section), NULL) ==
            STATUS_SUCCESS)
        info->capacity = section.size.QuadPart;
}

/* 0: the section has no channel. */
static int
describe_channel(HANDLE section, mmf_object_info *info)
{
    const void *page = MapViewOfFile(section, FILE_MAP_READ, 0, 0,
                                     sizeof(struct mmf_channel_page_shared));
    struct mmf_channel_facts facts;
    int is_channel =
        page != NULL && mmf_channel_page_read(page, &facts) == MMF_STEP_DONE;

    if (page != NULL)
        UnmapViewOfFile(page);
    if (!is_channel)
        return 0;
    count_holders(section, info);
    info->kind = (mmf_kind)facts.kind;
    info->capacity = facts.capacity;
    info->created = facts.created;
    info->creator_pid = (int32_t)facts.creator_pid;
    return 1;
}

/* `walk->wide` is a timer's name; a timer without a section is somebody else's. */
static int
show_channel(struct walk *walk, size_t length, mmf_object_info *info)
{
    HANDLE section;
    int is_channel = 1;

    mmf_part_append_data(walk->wide + length);
    section = OpenFileMappingW(FILE_MAP_READ | READ_CONTROL, FALSE, walk->wide);
    if (section != NULL) {
        is_channel = describe_channel(section, info);
        CloseHandle(section);
    } else if (GetLastError() == ERROR_ACCESS_DENIED) {
        info->life = MMF_OBJECT_INACCESSIBLE;
    } else {
        is_channel = 0;
    }
    return is_channel ? walk->visitor(walk->payload, info) : MMF_OK;
}

/* The visitor's answer. */
static int
show(struct walk *walk, const struct mmf_nt_entry *entry, mmf_kind kind)
{
    mmf_object_info info = {.kind = kind,
                            .life = MMF_OBJECT_IN_USE,
                            .creator_command = "",
                            .file = "",
                            .name = walk->name,
                            .path = walk->path};
    size_t prefix = strlen(walk->prefix);
    size_t length = entry->name.Length / sizeof(wchar_t);
    HANDLE object;

    for (size_t i = 0; i < prefix; i++)
        walk->wide[i] = (wchar_t)walk->prefix[i];
    memcpy(walk->wide + prefix, entry->name.Buffer, entry->name.Length);
    walk->wide[prefix + length] = L'\0';
    if (mmf_utf16_to_utf8(walk->wide, walk->name, sizeof(walk->name)) < 0)
        return MMF_OK;
    snprintf(walk->path, sizeof(walk->path), "%s\\%s", walk->directory_name,
             walk->name + prefix);
    if (kind == MAYBE_CHANNEL)
        return show_channel(walk, prefix + length, &info);
    memset(&walk->sync, 0, sizeof(walk->sync));
    if (kind != MMF_KIND_MAP)
        info.sync = &walk->sync;
    object = open_object(kind, walk->wide);
    if (object == NULL && GetLastError() != ERROR_ACCESS_DENIED)
        return MMF_OK; /* it went while we looked */
    if (object == NULL) {
        info.life = MMF_OBJECT_INACCESSIBLE;
    } else {
        describe_object(object, &info);
        if (kind != MMF_KIND_MAP)
            describe_sync(object, kind, &walk->sync);
        CloseHandle(object);
    }
    return walk->visitor(walk->payload, &info);
}

static int
show_entry(struct walk *walk)
{
    const struct mmf_nt_entry *entry = (const void *)walk->answer;
    size_t most = sizeof(walk->wide) / sizeof(walk->wide[0]) - 32;
    size_t length = entry->name.Length / sizeof(wchar_t);
    int kind = kind_of_type(&entry->type);

    if (kind < 0 || length >= most || mmf_part_is(entry->name.Buffer, length))
        return MMF_OK;
    return show(walk, entry, kind);
}

/* One name a call: all systems can do that. */
static int
walk_directory(struct walk *walk)
{
    BOOLEAN restart = TRUE;
    ULONG context = 0;
    ULONG written;
    NTSTATUS status;
    int rc;

    do {
        status =
            NtQueryDirectoryObject(walk->directory, walk->answer, sizeof(walk->answer),
                                   TRUE, restart, &context, &written);
        restart = FALSE;
        if (status < 0 && status != NO_MORE_ENTRIES)
            return mmf_error_fail_with(RtlNtStatusToDosError(status),
                                       "list the kernel's directory %s",
                                       walk->directory_name);
        if (status != STATUS_SUCCESS)
            return MMF_OK; /* no more */
        rc = show_entry(walk);
    } while (rc == MMF_OK);
    return rc;
}

static int
visit_directory(struct walk *walk, const char *name, const char *prefix)
{
    int rc = open_directory(name, &walk->directory);

    if (rc < 0)
        return rc;
    walk->directory_name = name;
    walk->prefix = prefix;
    rc = walk_directory(walk);
    CloseHandle(walk->directory);
    return rc;
}

int
mmf_os_names_visit(mmf_list_flags flags, mmf_os_visitor visitor, void *payload)
{
    static const mmf_list_flags both = MMF_LIST_LOCAL | MMF_LIST_GLOBAL;
    mmf_list_flags wanted = (flags & both) != 0 ? flags & both : both;
    char local[DIRECTORY_SIZE];
    struct walk *walk;
    int rc = directory_of_session(local);

    if (rc < 0)
        return rc;
    walk = malloc(sizeof(*walk));
    if (walk == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a list of objects");
    walk->visitor = visitor;
    walk->payload = payload;
    if (wanted & MMF_LIST_LOCAL)
        rc = visit_directory(walk, local, "");
    if (rc == MMF_OK && (wanted & MMF_LIST_GLOBAL))
        rc = visit_directory(walk, "\\BaseNamedObjects", "Global\\");
    free(walk);
    return rc;
}

static int
count(void *payload, const mmf_object_info *info)
{
    mmf_gc_result *result = payload;

    (void)info;
    result->alive++;
    return MMF_OK;
}

/* The kernel has reaped already. */
int
mmf_os_names_collect(mmf_list_flags flags, mmf_gc_result *result)
{
    return mmf_os_names_visit(flags, count, result);
}
