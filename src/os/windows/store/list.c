/*
 * list.c - describing the objects of the namespace, one after the other.
 *
 * The kernel knows an object's type, name and number of handles; who made it and when
 * is written down for channels alone, which have a page. A channel is a timer with a
 * section beside it (channel/object.c); its subobjects are not shown. A name is there as
 * long as a handle is, so no object is ever orphaned.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/os.h"
#include "os/windows/store/names.h"
#include "os/windows/store/namespace.h"
#include "os/windows/store/subobject.h"
#include "os/windows/sys/nt.h"
#include "os/windows/sys/utf16.h"
#include "shared/ring/channel_page.h"

/* A name of 32,767 characters in UTF-16 and in UTF-8; there, with a directory before
 * it. */
enum { WIDE_LENGTH = 32768, TEXT_SIZE = 3 * 32767 + 256 };

/* What is to be shown next, and what its pointers point to. */
struct list_walk {
    mmf_os_visitor visitor;
    void *payload;
    mmf_object_info info;
    mmf_sync_info sync;
    size_t length; /* of `wide` */
    wchar_t wide[WIDE_LENGTH];
    char name[TEXT_SIZE];
    char path[TEXT_SIZE];
};

/*
 * What kind of object it is.
 */

/* A timer may be a channel: its section says which kind. */
enum { MAYBE_CHANNEL = MMF_KIND_UNKNOWN, NOT_OURS = -1 };

static bool
is_type(const UNICODE_STRING *type, const wchar_t *name)
{
    size_t length = wcslen(name);

    return type->Length == length * sizeof(wchar_t) &&
           wcsncmp(type->Buffer, name, length) == 0;
}

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
    return NOT_OURS; /* links, jobs */
}

/*
 * What the object says of itself.
 */

/* Alone, the right to query a map has the number of another wish: FILE_MAP_COPY. */
static DWORD
rights_to_ask(mmf_kind kind)
{
    return kind == MMF_KIND_MAP ? SECTION_QUERY | READ_CONTROL : MMF_NT_QUERY_STATE;
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

    MMF_ASSERT(object != NULL);
    if (NtQueryObject(object, ObjectBasicInformation, &basic, sizeof(basic), NULL) ==
            STATUS_SUCCESS &&
        basic.handles > 0)
        info->holders = (int32_t)basic.handles - 1;
}

static void
describe_map(HANDLE section, mmf_object_info *info)
{
    struct mmf_nt_section basic;

    if (NtQuerySection(section, MMF_NT_SECTION_BASIC, &basic, sizeof(basic), NULL) ==
        STATUS_SUCCESS)
        info->capacity = basic.size.QuadPart;
}

static void
describe_mutex(HANDLE object, mmf_sync_info *sync)
{
    struct mmf_nt_mutant mutant;

    if (NtQueryMutant(object, 0, &mutant, sizeof(mutant), NULL) != STATUS_SUCCESS)
        return;
    sync->signalled = mutant.count > 0;
    sync->count = 1 - mutant.count;
    sync->owned = mutant.count <= 0;
    sync->abandoned = mutant.abandoned != 0;
}

static void
describe_event(HANDLE object, mmf_sync_info *sync)
{
    struct mmf_nt_event event;

    if (NtQueryEvent(object, 0, &event, sizeof(event), NULL) != STATUS_SUCCESS)
        return;
    sync->signalled = event.state != 0;
    sync->manual_reset = event.type == 0;
}

static void
describe_semaphore(HANDLE object, mmf_sync_info *sync)
{
    struct mmf_nt_semaphore semaphore;

    if (NtQuerySemaphore(object, 0, &semaphore, sizeof(semaphore), NULL) !=
        STATUS_SUCCESS)
        return;
    sync->signalled = semaphore.count > 0;
    sync->count = semaphore.count;
    sync->maximum = semaphore.maximum;
}

/* `info` has the kind. Who waits and who owns, the kernel does not say. */
static void
describe_object(HANDLE object, mmf_object_info *info, mmf_sync_info *sync)
{
    count_holders(object, info);
    switch (info->kind) {
    case MMF_KIND_MAP:
        describe_map(object, info);
        return;
    case MMF_KIND_MUTEX:
        describe_mutex(object, sync);
        return;
    case MMF_KIND_EVENT:
        describe_event(object, sync);
        return;
    default:
        MMF_ASSERT(info->kind == MMF_KIND_SEMAPHORE);
        describe_semaphore(object, sync);
    }
}

/* False: the section has no channel. */
static bool
describe_channel(HANDLE section, mmf_object_info *info)
{
    const void *page = MapViewOfFile(section, FILE_MAP_READ, 0, 0,
                                     sizeof(struct mmf_channel_page_shared));
    struct mmf_channel_facts facts;
    bool is_channel =
        page != NULL && mmf_channel_page_read(page, &facts) == MMF_STEP_DONE;

    if (page != NULL)
        UnmapViewOfFile(page);
    if (!is_channel)
        return false;
    count_holders(section, info);
    info->kind = (mmf_kind)facts.kind;
    info->capacity = facts.capacity;
    info->created = facts.created;
    info->creator_pid = (int32_t)facts.creator_pid;
    return true;
}

/*
 * Showing it. Each answers the visitor's status, and MMF_OK for what is not shown.
 */

static int
show(struct list_walk *walk)
{
    return walk->visitor(walk->payload, &walk->info);
}

/* A timer without a section is another program's. */
static int
show_channel(struct list_walk *walk)
{
    HANDLE section;
    bool is_channel;

    mmf_subobject_append_data(walk->wide + walk->length);
    section = OpenFileMappingW(FILE_MAP_READ | READ_CONTROL, FALSE, walk->wide);
    if (section == NULL && GetLastError() == ERROR_ACCESS_DENIED) {
        walk->info.status = MMF_OBJECT_INACCESSIBLE;
        return show(walk);
    }
    if (section == NULL)
        return MMF_OK;
    is_channel = describe_channel(section, &walk->info);
    CloseHandle(section);
    return is_channel ? show(walk) : MMF_OK;
}

static int
show_object(struct list_walk *walk)
{
    HANDLE object =
        mmf_names_open(walk->info.kind, rights_to_ask(walk->info.kind), walk->wide);

    if (object == NULL && GetLastError() != ERROR_ACCESS_DENIED)
        return MMF_OK; /* it went meanwhile */
    if (walk->info.kind != MMF_KIND_MAP) {
        memset(&walk->sync, 0, sizeof(walk->sync));
        walk->info.sync = &walk->sync;
    }
    if (object == NULL) {
        walk->info.status = MMF_OBJECT_INACCESSIBLE;
    } else {
        describe_object(object, &walk->info, &walk->sync);
        CloseHandle(object);
    }
    return show(walk);
}

/* False: it has no name in UTF-8. */
static bool
set_names(struct list_walk *walk, const struct mmf_namespace_entry *entry)
{
    size_t prefix = strlen(entry->prefix);

    MMF_ASSERT(prefix + entry->name->Length / sizeof(wchar_t) < WIDE_LENGTH);
    for (size_t i = 0; i < prefix; i++)
        walk->wide[i] = (wchar_t)entry->prefix[i];
    memcpy(walk->wide + prefix, entry->name->Buffer, entry->name->Length);
    walk->length = prefix + entry->name->Length / sizeof(wchar_t);
    walk->wide[walk->length] = L'\0';
    if (mmf_utf16_to_utf8(walk->wide, walk->name, sizeof(walk->name)) < 0)
        return false;
    snprintf(walk->path, sizeof(walk->path), "%s\\%s", entry->directory,
             walk->name + prefix);
    return true;
}

static int
show_entry(void *payload, const struct mmf_namespace_entry *entry)
{
    struct list_walk *walk = payload;
    size_t length = entry->name->Length / sizeof(wchar_t);
    int kind = kind_of_type(entry->type);

    /* There must be space for a prefix and a subobject's end. */
    if (kind == NOT_OURS || length >= WIDE_LENGTH - 32 ||
        mmf_subobject_is_name(entry->name->Buffer, length) || !set_names(walk, entry))
        return MMF_OK;
    walk->info = (mmf_object_info){.kind = (mmf_kind)kind,
                                   .status = MMF_OBJECT_IN_USE,
                                   .creator_command = "",
                                   .file = "",
                                   .name = walk->name,
                                   .path = walk->path};
    return kind == MAYBE_CHANNEL ? show_channel(walk) : show_object(walk);
}

int
mmf_os_names_visit(mmf_list_flags flags, mmf_os_visitor visitor, void *payload)
{
    struct list_walk *walk = malloc(sizeof(*walk));
    int rc;

    MMF_ASSERT(visitor != NULL);
    if (walk == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a list of objects");
    walk->visitor = visitor;
    walk->payload = payload;
    rc = mmf_namespace_walk(flags, show_entry, walk);
    free(walk);
    return rc;
}
