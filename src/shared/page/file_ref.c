/*
 * file_ref.c - checking a copied reference to a file.
 */
#include "shared/page/file_ref.h"

#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"

int
mmf_file_ref_check(const struct mmf_file_ref_shared *ref, const char *what)
{
    MMF_ASSERT(what != NULL);
    if (ref->path_length < 1 || ref->path_length >= MMF_FILE_PATH_MAX ||
        ref->path[0] != '/' || memchr(ref->path, '\0', ref->path_length) != NULL ||
        ref->path[ref->path_length] != '\0')
        return mmf_fail(MMF_E_CORRUPT, "%s is damaged: its file's path makes no sense",
                        what);
    return MMF_OK;
}
