/*
 * newcomer.c - see newcomer.h.
 */
#include "os/linux/store/newcomer.h"

#include "base/fail.h"
#include "base/invariant.h"

struct mmf_object_request
mmf_newcomer(const struct mmf_entry *entry, const char *path,
             const struct mmf_hold *hold, bool inheritable)
{
    MMF_ASSERT(entry->fd >= 0 && path[0] == '/');
    return (struct mmf_object_request){
        .path = path,
        .status = &entry->status,
        .hold = *hold,
        .fd = entry->fd,
        .inheritable = inheritable,
        .kind = entry->page.kind,
        .protection = entry->page.protection,
        .flags = entry->page.flags,
        .capacity = entry->page.capacity,
        .data_size = entry->data_size,
    };
}

int
mmf_newcomer_fail_busy(const char *path)
{
    return mmf_fail(MMF_E_BUSY,
                    "a process has been removing %s for %d ms: is it stopped, or has a "
                    "user locked the file by hand?",
                    path, MMF_OS_PATIENCE_MS);
}
