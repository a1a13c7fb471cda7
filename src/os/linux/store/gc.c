/*
 * gc.c - collecting orphaned objects: all of them, or a few at a time.
 */
#include "os/linux/store/gc.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/atomic.h"
#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/namespace.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"

/* On the heap, since a thread that creates may have a small stack. */
struct collection {
    mmf_gc_result result;
    bool keep_orphaned;
    mmf_error before; /* what is wrong with one file is not a failure of the call */
    struct mmf_finding found;
};

static struct collection *
begin(bool keep_orphaned)
{
    struct collection *collection = calloc(1, sizeof(*collection));

    if (collection == NULL)
        return NULL;
    collection->keep_orphaned = keep_orphaned;
    mmf_fail_keep(&collection->before);
    return collection;
}

static void
count(struct collection *collection, const struct mmf_finding *found)
{
    mmf_gc_result *result = &collection->result;

    switch (found->status) {
    case MMF_OBJECT_IN_USE:
        result->in_use++;
        break;
    case MMF_OBJECT_ORPHANED:
        if (found->removed || collection->keep_orphaned) {
            result->removed++;
            result->bytes += found->resident;
        } else {
            result->refused++;
        }
        break;
    case MMF_OBJECT_INVALID:
        result->invalid++;
        break;
    default:
        break;
    }
}

static int
collect_file(void *payload, const struct mmf_directory *directory,
             const char *file_name)
{
    struct collection *collection = payload;
    struct mmf_finding *found = &collection->found;

    mmf_finding_make(directory, file_name, collection->keep_orphaned, found);
    mmf_finding_close(found);
    if (found->rc < 0)
        return found->rc;
    mmf_fail_restore(&collection->before);
    count(collection, found);
    return MMF_OK;
}

int
mmf_os_names_collect(mmf_list_flags flags, mmf_gc_result *result)
{
    struct collection *collection = begin((flags & MMF_LIST_KEEP_ORPHANED) != 0);
    int rc;

    MMF_ASSERT(result != NULL);
    if (collection == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory to look for orphaned objects");
    rc = mmf_namespace_walk(flags, collect_file, collection);
    if (rc == MMF_OK)
        *result = collection->result;
    free(collection);
    return rc;
}

int
mmf_gc_for_space(void)
{
    struct collection *collection = begin(false);
    int removed;

    if (collection == NULL)
        return 0;
    mmf_namespace_walk(0, collect_file, collection);
    mmf_fail_restore(&collection->before);
    removed = collection->result.removed;
    free(collection);
    return removed;
}

/*
 * Every eighth creation inspects some names at the directory's start, where new ones
 * are, and some behind a random offset. On tmpfs a directory offset can be any number.
 */
enum { STEP_EVERY = 8, STEP_NAMES = 8 };

static void
collect_some(int fd, const struct mmf_directory *directory, int64_t random_number,
             struct collection *collection)
{
    struct mmf_namespace_sample sample = {
        .directory = directory, .visit = collect_file, .payload = collection};

    MMF_ASSERT(fd >= 0 && random_number >= 0);
    if (mmf_namespace_sample(fd, STEP_NAMES, &sample) < 0 || sample.seen < STEP_NAMES ||
        sample.largest_offset <= 0)
        return;
    if (mmf_sys_lseek(
            fd, (off_t)((uint64_t)random_number % (uint64_t)sample.largest_offset),
            SEEK_SET) >= 0)
        mmf_namespace_sample(fd, STEP_NAMES, &sample);
}

void
mmf_gc_step(const struct mmf_directory *directory)
{
    static mmf_atomic_u32 creations;
    uint32_t turn = mmf_add_relaxed_u32(&creations, 1);
    struct collection *collection;
    int fd;

    /* A program that creates one name and ends must take its turn as well. */
    if ((turn + (uint32_t)mmf_process_id()) % STEP_EVERY != 0)
        return;
    fd = mmf_namespace_open(directory);
    if (fd < 0)
        return;
    collection = begin(false);
    if (collection != NULL) {
        collect_some(fd, directory, mmf_lock_choose(), collection);
        mmf_fail_restore(&collection->before); /* the creation has worked */
    }
    free(collection);
    mmf_sys_close(fd);
}
