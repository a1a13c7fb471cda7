/*
 * gc.c - collecting orphaned objects. The kernel has done it already: an object's name
 * is there as long as a handle on it is. What remains is to count.
 */
#include <mmf/status.h>

#include "base/invariant.h"
#include "os/os.h"

static int
count(void *payload, const mmf_object_info *info)
{
    mmf_gc_result *result = payload;

    MMF_ASSERT(info->status != MMF_OBJECT_ORPHANED);
    (void)info;
    result->in_use++;
    return MMF_OK;
}

int
mmf_os_names_collect(mmf_list_flags flags, mmf_gc_result *result)
{
    MMF_ASSERT(result != NULL);
    return mmf_os_names_visit(flags, count, result);
}
