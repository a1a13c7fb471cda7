/*
 * directory_walk.c - see directory_walk.h.
 */
#include "os/linux/sys/directory_walk.h"

#include <sys/types.h>

#include "base/invariant.h"
#include "os/linux/sys/sys.h"

/* Some dozen entries; walks may be nested, on a thread's small stack. */
enum { BATCH_SIZE = 1024 };

/* Visit the entries of a batch, at most `*left` of them. */
static int
visit_batch(const char *batch, ssize_t size, int *left, mmf_directory_visitor visit,
            void *payload)
{
    ssize_t at = 0;
    int rc = MMF_WALK_ENDED;

    while (at<size && * left> 0 && rc >= 0) {
        const struct mmf_directory_record *record = (const void *)(batch + at);

        MMF_ASSERT(record->length > 0 && at + record->length <= size);
        at += record->length;
        (*left)--;
        rc = visit(payload, record);
    }
    return rc < 0 ? rc : MMF_WALK_ENDED;
}

int
mmf_directory_walk(int fd, int most, mmf_directory_visitor visit, void *payload)
{
    _Alignas(8) char batch[BATCH_SIZE];
    int left = most;

    MMF_ASSERT(fd >= 0 && most > 0 && visit != NULL);
    while (left > 0) {
        ssize_t count = mmf_sys_getdents(fd, batch, sizeof(batch));
        int rc;

        if (count <= 0)
            return count < 0 ? MMF_WALK_UNREADABLE : MMF_WALK_ENDED;
        rc = visit_batch(batch, count, &left, visit, payload);
        if (rc < 0)
            return rc;
    }
    return MMF_WALK_ENDED;
}
