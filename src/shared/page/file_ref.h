/*
 * file_ref.h - the data of a named map of a file: which file it is.
 *
 *   field  written by  when                          read by
 *   all    creator     before the name is published  openers; never changes
 *
 * The opener follows it only to a regular file that is still the one described.
 */
#ifndef MMF_SHARED_PAGE_FILE_REF_H
#define MMF_SHARED_PAGE_FILE_REF_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define MMF_FILE_PATH_MAX 4064

struct mmf_file_ref_shared {
    uint64_t device;
    uint64_t inode;
    int64_t birth_seconds; /* 0 with birth_nanoseconds 0: not known */
    uint32_t birth_nanoseconds;
    uint32_t path_length;
    char path[MMF_FILE_PATH_MAX]; /* absolute; ends with NUL */
};

static_assert(sizeof(struct mmf_file_ref_shared) == 4096, "layout 1");
static_assert(offsetof(struct mmf_file_ref_shared, path) == 32, "layout 1");

/*
 * Check a copied reference; `what` names the object. Calls mmf_fail.
 * MMF_E_CORRUPT: the path is not absolute, not ended or not as long as it says.
 */
int mmf_file_ref_check(const struct mmf_file_ref_shared *ref, const char *what);

#endif
