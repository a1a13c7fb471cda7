/*
 * unpublished.h - the file of a new object, before anybody else can see it.
 */
#ifndef MMF_OS_LINUX_STORE_UNPUBLISHED_H
#define MMF_OS_LINUX_STORE_UNPUBLISHED_H

#include <limits.h>

#include "os/linux/store/lock.h"
#include "os/linux/store/directory.h"
#include "os/linux/store/store.h"
#include "os/linux/store/entry.h"

struct mmf_draft {
    struct mmf_store_file file;
    struct mmf_hold hold;
    char temporary[PATH_MAX]; /* its name so far, or "" */
};

/*
 * Make, fill and hold the file. Answers 0 or -1 with errno; EAGAIN: try again after a
 * pause.
 */
int mmf_draft_make(const struct mmf_store_request *request,
                   const struct mmf_place *place, struct mmf_draft *draft);

/* Give it its name. Answers 0 or -1 with errno; EEXIST: the name is taken. */
int mmf_draft_publish(struct mmf_draft *draft, const char *path);

/* After a failure to publish, with its errno: 1 if a new draft may fare better. */
int mmf_draft_find_other_way(const struct mmf_draft *draft);

/* Remove and close it. */
void mmf_draft_drop(struct mmf_draft *draft);

#endif
