/*
 * directory.h - where the file of a name is, and whether that place can be trusted.
 */
#ifndef MMF_OS_LINUX_STORE_DIRECTORY_H
#define MMF_OS_LINUX_STORE_DIRECTORY_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/name.h"

/* What every file of a global name begins with, in a directory of many others' files.
 */
#define MMF_GLOBAL_PREFIX "mmf."

/* The same for global names of one user, which stand among the local ones. */
#define MMF_USER_PREFIX "global."

/* Temporary files of creators, where O_TMPFILE does not work, begin so after that. */
#define MMF_TEMPORARY_PREFIX ".tmp-"

/* A directory with names of one scope. */
struct mmf_place {
    char directory[PATH_MAX - MMF_LEAF_SIZE - 16];
    const char *prefix; /* of file names in it */
    enum mmf_scope scope;
    uid_t user; /* who we are */
};

/*
 * Find the scope's directory: MMF_DIR or /dev/shm, and in it "mmf-<euid>" for local
 * names.
 *
 * MMF_E_PATH_NOT_FOUND  MMF_DIR is not absolute or no directory
 * MMF_E_PATH_TOO_LONG   MMF_DIR is too long
 * MMF_E_NOT_SUPPORTED   its file system has locks that others do not see
 * MMF_E_ACCESS          others may replace files in it
 */
int mmf_place_find(enum mmf_scope scope, struct mmf_place *place);

/*
 * See that the directory is there and safe; make it. Creators call it each time, since
 * whoever cleans /dev/shm makes room for somebody else's directory of that name.
 *
 * MMF_E_ACCESS  it belongs to somebody else, or others may write in it
 */
int mmf_place_prepare(const struct mmf_place *place);

/*
 * The same without making it. `*exists` is 0 if there is none: then no name lives in
 * it.
 */
int mmf_place_check(const struct mmf_place *place, int *exists);

/* The path of a name's file. */
void mmf_place_path(const struct mmf_place *place, const struct mmf_name *name,
                    char path[PATH_MAX]);

#endif
