/*
 * list.c - describing the objects of the namespace, one after the other.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/holders.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/namespace.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"
#include "shared/page/control.h"
#include "shared/page/file_ref.h"
#include "shared/sync/inspect.h"

/* One file's description, and what its pointers point to. */
struct description {
    mmf_object_info info;
    mmf_sync_info sync;
    struct mmf_file_ref_shared ref;
    char name[MMF_NAME_MAX + 16];
};

/* On the heap, since the thread may have a small stack. */
struct list_walk {
    mmf_os_visitor visitor;
    void *payload;
    bool keep_orphaned;
    struct mmf_holders holders;
    bool with_holders;
    mmf_error before; /* what is wrong with one file is in its status */
    struct mmf_finding found;
    struct description text;
};

/* The path of the file that is mapped; "" if it maps none, or makes no sense. */
static int
read_file_path(const struct mmf_finding *found, const char *path,
               struct mmf_file_ref_shared *ref)
{
    ssize_t count;

    ref->path[0] = '\0';
    if (!(found->entry.page.flags & MMF_CONTROL_FILE_REF))
        return MMF_OK;
    count = mmf_sys_pread(found->entry.fd, ref, sizeof(*ref), 0);
    if (count < 0)
        return mmf_error_fail("read which file %s maps", path);
    if (count != (ssize_t)sizeof(*ref) || mmf_file_ref_check(ref, path) < 0)
        ref->path[0] = '\0';
    return MMF_OK;
}

static void
describe_page(const struct mmf_finding *found, mmf_object_info *info, char *name,
              size_t size)
{
    const struct mmf_control_shared *page = &found->entry.page;

    MMF_ASSERT(found->checked);
    snprintf(name, size, "%s%s", page->scope != MMF_SCOPE_LOCAL ? "Global\\" : "",
             page->name);
    info->name = name;
    info->creator_command = page->creator_command;
    info->capacity = page->capacity;
    info->created = page->created;
    info->kind = (mmf_kind)page->kind;
    info->protection = (int32_t)page->protection;
    info->creator_pid = (int32_t)page->creator_pid;
}

/* What an open file says. */
static int
describe_object(const struct mmf_finding *found, mmf_object_info *info,
                char name[MMF_NAME_MAX + 16], struct mmf_file_ref_shared *ref)
{
    int holders = mmf_lock_count(found->entry.fd);

    MMF_ASSERT(found->entry.fd >= 0);
    if (holders < 0)
        return mmf_error_fail("count the processes that hold %s", info->path);
    info->holders = holders;
    info->mode = found->entry.status.st_mode & 07777;
    info->owner = found->entry.status.st_uid;
    if (found->checked) {
        describe_page(found, info, name, MMF_NAME_MAX + 16);
        return read_file_path(found, info->path, ref);
    }
    if (found->entry.page.layout_version == MMF_LAYOUT_VERSION)
        info->status = MMF_OBJECT_INVALID;
    return MMF_OK;
}

/* The state of a mutex, an event or a semaphore. */
static void
describe_sync(const struct mmf_finding *found, struct mmf_holders *holders,
              mmf_object_info *info, mmf_sync_info *sync)
{
    const struct stat *status = &found->entry.status;
    uint64_t owner;

    if (!found->checked ||
        !mmf_sync_inspect(found->entry.page.state, info->kind, sync, &owner))
        return;
    info->sync = sync;
    if (owner == 0)
        return;
    if (!mmf_lock_is_self_alive(found->entry.fd, owner))
        mmf_sync_inspect_owner_dead(sync);
    else if (holders != NULL)
        sync->owner_pid =
            mmf_holders_of_ticket(holders, status->st_dev, status->st_ino, owner);
}

static int
describe_holders(const struct mmf_finding *found, struct mmf_holders *holders,
                 mmf_object_info *info)
{
    MMF_ASSERT(found->entry.fd >= 0);
    if (holders == NULL)
        return MMF_OK;
    return mmf_holders_of(holders, found->entry.status.st_dev,
                          found->entry.status.st_ino, &info->processes,
                          &info->process_count);
}

/* The process that seems to hold it may have come too late: collected already. */
static int
skip_collected(const char *path, struct mmf_finding *found)
{
    int linked;

    if (found->status != MMF_OBJECT_IN_USE || found->entry.fd < 0)
        return MMF_OK;
    linked = mmf_entry_is_linked(&found->entry, path);
    found->removed = linked == 0;
    return linked < 0 ? linked : MMF_OK;
}

/* Everything about a file that is open. */
static int
describe(const struct mmf_finding *found, struct mmf_holders *holders,
         struct description *text)
{
    int rc = describe_object(found, &text->info, text->name, &text->ref);

    if (rc == MMF_OK)
        rc = describe_holders(found, holders, &text->info);
    describe_sync(found, holders, &text->info, &text->sync);
    return rc;
}

static int
show(struct list_walk *walk, const char *file_name, const char *path)
{
    struct description *text = &walk->text;
    struct mmf_finding *found = &walk->found;
    int rc = skip_collected(path, found);

    text->info = (mmf_object_info){.name = file_name,
                                   .path = path,
                                   .creator_command = "",
                                   .status = found->status,
                                   .resident = found->resident,
                                   .file = text->ref.path};
    text->ref.path[0] = '\0';
    if (rc == MMF_OK && found->entry.fd >= 0 && !found->removed)
        rc = describe(found, walk->with_holders ? &walk->holders : NULL, text);
    if (rc < 0)
        return rc;
    mmf_fail_restore(&walk->before);
    if (found->status == 0 || found->removed)
        return MMF_OK;
    return walk->visitor(walk->payload, &text->info);
}

static int
show_file(void *payload, const struct mmf_directory *directory, const char *file_name)
{
    struct list_walk *walk = payload;
    struct mmf_finding *found = &walk->found;
    int rc;

    mmf_finding_make(directory, file_name, walk->keep_orphaned, found);
    rc = found->rc;
    if (rc == MMF_OK) {
        mmf_fail_restore(&walk->before);
        rc = show(walk, file_name, directory->file);
    }
    mmf_finding_close(found);
    return rc;
}

int
mmf_os_names_visit(mmf_list_flags flags, mmf_os_visitor visitor, void *payload)
{
    struct list_walk *walk = calloc(1, sizeof(*walk));
    int rc = MMF_OK;

    MMF_ASSERT(visitor != NULL);
    if (walk == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory to list the names");
    walk->visitor = visitor;
    walk->payload = payload;
    walk->keep_orphaned = (flags & MMF_LIST_KEEP_ORPHANED) != 0;
    walk->with_holders = (flags & MMF_LIST_HOLDERS) != 0;
    mmf_fail_keep(&walk->before);
    if (walk->with_holders)
        rc = mmf_holders_find(&walk->holders);
    if (rc == MMF_OK)
        rc = mmf_namespace_walk(flags, show_file, walk);
    mmf_holders_free(&walk->holders);
    free(walk);
    return rc;
}

bool
mmf_os_is_own(const mmf_object_info *info)
{
    return info->owner == mmf_sys_geteuid();
}
