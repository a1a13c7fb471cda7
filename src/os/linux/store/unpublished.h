/*
 * unpublished.h - the file of a new object, before any other process can see it.
 */
#ifndef MMF_OS_LINUX_STORE_UNPUBLISHED_H
#define MMF_OS_LINUX_STORE_UNPUBLISHED_H

#include <stdbool.h>
#include <sys/stat.h>

#include "os/linux/store/directory.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/store.h"

struct mmf_unpublished {
    int fd;
    struct stat status;
    struct mmf_hold hold;
    char *temporary; /* the path of its name so far; NULL: it has none */
};

/*
 * Make, fill and hold the file. Returns 0, or -1 with errno; EAGAIN: try again after a
 * pause.
 */
int mmf_unpublished_make(const struct mmf_store_request *request,
                         const struct mmf_directory *directory,
                         struct mmf_unpublished *unpublished);

/* Give it its name. Returns 0, or -1 with errno; EEXIST: the name is taken. */
int mmf_unpublished_publish(struct mmf_unpublished *unpublished, const char *path);

/* After a failure to publish, with its errno: whether another file may fare better. */
bool mmf_unpublished_can_retry(const struct mmf_unpublished *unpublished);

/* It has its name now. */
void mmf_unpublished_end(struct mmf_unpublished *unpublished);

/* Remove and close it. */
void mmf_unpublished_drop(struct mmf_unpublished *unpublished);

#endif
