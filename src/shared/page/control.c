/*
 * control.c - filling and checking a control page. Works on copies; no system call.
 */
#include "shared/page/control.h"

#include <string.h>

#include <mmf/list.h>
#include <mmf/map.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "shared/page/file_ref.h"

int64_t
mmf_control_offset(int64_t data_size)
{
    MMF_ASSERT(data_size >= 0 && data_size <= MMF_CAPACITY_MAX + MMF_CONTROL_ALIGNMENT);
    return (data_size + MMF_CONTROL_ALIGNMENT - 1) / MMF_CONTROL_ALIGNMENT *
           MMF_CONTROL_ALIGNMENT;
}

void
mmf_control_fill(const struct mmf_control_request *request,
                 struct mmf_control_shared *page)
{
    size_t command_length = strlen(request->creator_command);

    MMF_ASSERT(request->kind >= MMF_KIND_MAP && request->kind <= MMF_KIND_SERVICE);
    MMF_ASSERT(request->name->length >= 1 && request->name->length <= MMF_NAME_MAX);
    MMF_ASSERT(request->capacity >= 0 && request->capacity <= MMF_CAPACITY_MAX);
    MMF_ASSERT((request->flags & ~MMF_CONTROL_FILE_REF) == 0);
    memset(page, 0, sizeof(*page));
    memcpy(page->magic, MMF_CONTROL_MAGIC, sizeof(page->magic));
    page->layout_version = MMF_LAYOUT_VERSION;
    page->kind = request->kind;
    page->capacity = request->capacity;
    page->protection = request->protection;
    page->flags = request->flags;
    if (request->name->user_only)
        page->flags |= MMF_CONTROL_USER_ONLY;
    page->created = request->created;
    page->creator_uid = request->creator_uid;
    page->creator_pid = request->creator_pid;
    if (command_length > sizeof(page->creator_command) - 1)
        command_length = sizeof(page->creator_command) - 1;
    memcpy(page->creator_command, request->creator_command, command_length);
    page->scope = (uint32_t)request->name->scope;
    page->name_length = (uint32_t)request->name->length;
    page->tickets = 1;
    memcpy(page->name, request->name->text, request->name->length);
}

bool
mmf_control_is_ours(const struct mmf_control_shared *page)
{
    return memcmp(page->magic, MMF_CONTROL_MAGIC, sizeof(page->magic)) == 0;
}

static bool
has_sound_name(const struct mmf_control_shared *page)
{
    return page->name_length >= 1 && page->name_length <= MMF_NAME_MAX &&
           memchr(page->name, '\0', page->name_length) == NULL &&
           page->name[page->name_length] == '\0';
}

static bool
has_sound_size(const struct mmf_control_shared *page, int64_t data_size)
{
    if (page->kind >= MMF_KIND_MUTEX && page->kind <= MMF_KIND_SEMAPHORE)
        return page->capacity == 0 && data_size == MMF_SYNC_DATA_SIZE;
    if (page->capacity < 1 || page->capacity > MMF_CAPACITY_MAX)
        return false;
    if (page->flags & MMF_CONTROL_FILE_REF)
        return data_size == mmf_control_offset(sizeof(struct mmf_file_ref_shared));
    return data_size == mmf_control_offset(page->capacity);
}

static bool
has_sound_numbers(const struct mmf_control_shared *page)
{
    return page->kind >= MMF_KIND_MAP && page->kind <= MMF_KIND_SERVICE &&
           page->protection <= MMF_ACCESS_READ_WRITE_EXECUTE &&
           page->protection != MMF_ACCESS_WRITE &&
           (page->flags & ~MMF_CONTROL_FLAGS_KNOWN) == 0 &&
           page->scope <= MMF_SCOPE_GLOBAL &&
           page->creator_command[sizeof(page->creator_command) - 1] == '\0';
}

int
mmf_control_check(const struct mmf_control_shared *page, int64_t data_size,
                  const char *what)
{
    if (!mmf_control_is_ours(page))
        return mmf_fail(MMF_E_CORRUPT,
                        "%s is no mmf object: it does not end with a control page",
                        what);
    if (page->layout_version != MMF_LAYOUT_VERSION)
        return mmf_fail(
            MMF_E_LAYOUT,
            "%s has layout %u, this library reads layout %d: use one version "
            "of mmf for all programs that share it",
            what, page->layout_version, MMF_LAYOUT_VERSION);
    if (page->required & ~MMF_CONTROL_REQUIRED_KNOWN)
        return mmf_fail(
            MMF_E_LAYOUT,
            "%s needs features 0x%x that this library does not have: update "
            "it",
            what, page->required & ~MMF_CONTROL_REQUIRED_KNOWN);
    if (!has_sound_name(page))
        return mmf_fail(MMF_E_CORRUPT, "%s is damaged: its name makes no sense", what);
    if (!has_sound_numbers(page))
        return mmf_fail(MMF_E_CORRUPT, "%s is damaged: its control page makes no sense",
                        what);
    if (!has_sound_size(page, data_size))
        return mmf_fail(
            MMF_E_CORRUPT,
            "%s is damaged: capacity %lld does not fit its file of %lld bytes", what,
            (long long)page->capacity, (long long)data_size + MMF_CONTROL_SIZE);
    return MMF_OK;
}

bool
mmf_control_has_name(const struct mmf_control_shared *page, const struct mmf_name *name)
{
    return page->scope == (uint32_t)name->scope && page->name_length == name->length &&
           memcmp(page->name, name->text, name->length) == 0;
}
