/*
 * open.c - opening a named object; store.h has the protocol.
 */
#include "os/linux/store/store.h"

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/at_fork.h"
#include "os/linux/store/entry.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/store/newcomer.h"

/* What is opened, and how. */
struct opening {
    const struct mmf_name *name;
    const char *path;
    uint32_t kind;
    bool writable;
    bool inheritable;
};

static int
fail_not_found(const struct opening *opening)
{
    return mmf_fail_argument(MMF_E_NOT_FOUND, "", "no such %s: \"%.200s\"",
                             mmf_kind_name((mmf_kind)opening->kind),
                             opening->name->text);
}

static int
fail_orphaned(const struct opening *opening)
{
    return mmf_fail(MMF_E_NOT_FOUND,
                    "no such %s any more: the last holder of \"%.200s\" has ended",
                    mmf_kind_name((mmf_kind)opening->kind), opening->name->text);
}

static struct mmf_object_request
request_of(const struct opening *opening, const struct mmf_entry *entry,
           const struct mmf_hold *hold)
{
    MMF_ASSERT(entry->fd >= 0 && opening->path[0] == '/');
    return (struct mmf_object_request){
        .path = opening->path,
        .status = &entry->status,
        .hold = *hold,
        .fd = entry->fd,
        .inheritable = opening->inheritable,
        .kind = entry->page.kind,
        .protection = entry->page.protection,
        .flags = entry->page.flags,
        .capacity = entry->page.capacity,
        .data_size = entry->data_size,
    };
}

/* Enter what we hold by now. */
static int
enter(const struct opening *opening, const struct mmf_entry *entry,
      const struct mmf_hold *hold, struct mmf_object **out)
{
    struct mmf_object_request request;
    int rc = mmf_entry_check(entry, opening->name, opening->kind, opening->path);

    MMF_ASSERT(entry->fd >= 0);
    if (rc < 0)
        return rc;
    request = request_of(opening, entry, hold);
    return mmf_object_enter(&request, out);
}

/* The file is held, by us as well. */
static int
join(const struct opening *opening, const struct mmf_entry *entry,
     const struct mmf_hold *hold, struct mmf_object **out)
{
    int rc = enter(opening, entry, hold, out);

    if (rc == MMF_OK)
        return MMF_OK;
    /* If the last holder left meanwhile, it saw our lock: collect in its place. */
    mmf_lock_release(entry->fd, hold);
    if (entry->writable)
        mmf_entry_collect(entry, opening->path);
    mmf_lock_fd_close(entry->fd);
    return rc;
}

static int
try_open(const struct opening *opening, const struct mmf_directory *directory,
         struct mmf_object **out)
{
    struct mmf_entry entry;
    struct mmf_hold hold;
    int rc = mmf_entry_open_held(opening->path, directory, !opening->writable, &hold,
                                 &entry);

    switch (rc) {
    case MMF_HELD:
        return join(opening, &entry, &hold, out);
    case MMF_HELD_NOTHING:
        return fail_not_found(opening);
    case MMF_HELD_ORPHANED:
        return fail_orphaned(opening);
    default:
        return rc;
    }
}

/*
 * Each turn without a pause means that another process has just removed the object that
 * was found, so one of all these processes gets on.
 */
static int
open_in(const struct opening *opening, const struct mmf_directory *directory,
        struct mmf_object **out)
{
    struct mmf_backoff backoff = {0};
    int rc;

    do {
        rc = try_open(opening, directory, out);
        if (rc == MMF_HELD_PAUSE && !mmf_newcomer_pause(&backoff))
            rc = mmf_newcomer_fail_busy(opening->path);
    } while (rc > 0);
    return rc;
}

int
mmf_store_open(const struct mmf_name *name, uint32_t kind, bool writable,
               bool inheritable, struct mmf_object **out)
{
    struct opening opening = {
        .name = name, .kind = kind, .writable = writable, .inheritable = inheritable};
    struct mmf_directory directory;
    int rc = mmf_watch_forks();

    MMF_ASSERT(name != NULL && out != NULL);
    if (rc == MMF_OK)
        rc = mmf_directory_find(name->scope, &directory);
    if (rc < 0)
        return rc;
    opening.path = mmf_directory_file_path(&directory, name);
    rc = open_in(&opening, &directory, out);
    mmf_directory_free(&directory);
    return rc;
}
