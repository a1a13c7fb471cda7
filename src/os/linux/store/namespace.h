/*
 * namespace.h - going through the files of the namespace, and what is to be found out
 * about each.
 */
#ifndef MMF_OS_LINUX_STORE_NAMESPACE_H
#define MMF_OS_LINUX_STORE_NAMESPACE_H

#include <stdbool.h>
#include <stdint.h>

#include <mmf/list.h>

#include "os/linux/store/directory.h"
#include "os/linux/store/entry.h"

/* Takes the name of a file that can be ours. A status below 0 ends the walk. */
typedef int (*mmf_file_visitor)(void *payload, const struct mmf_directory *directory,
                                const char *file_name);

/* Visit all files of the scopes that `flags` asks for. A status with mmf_fail. */
int mmf_namespace_walk(mmf_list_flags flags, mmf_file_visitor visit, void *payload);

/* Some of the files of one directory. */
struct mmf_namespace_sample {
    const struct mmf_directory *directory;
    mmf_file_visitor visit;
    void *payload;
    int64_t largest_offset; /* of the directory's, seen so far */
    int seen;               /* entries, whatever they were */
};

/* Open the directory for samples. The descriptor, or -1 with errno. */
int mmf_namespace_open(const struct mmf_directory *directory);

/* Visit at most `most` entries from the descriptor's offset on. As the walk. */
int mmf_namespace_sample(int fd, int most, struct mmf_namespace_sample *sample);

/* What was found out about one file. */
struct mmf_finding {
    int rc; /* < 0: the system failed, with mmf_fail; the rest says nothing */
    mmf_object_status status; /* 0: there is no such file any more */
    bool removed;
    bool checked; /* entry.page is sound */
    int64_t resident;
    struct mmf_entry entry; /* open if entry.fd >= 0 */
};

/*
 * Inspect a file, and collect it if it is orphaned, unless `keep_orphaned`. Files that
 * cannot be inspected have a status, too. Its path is the directory's `file`. Always
 * close the finding.
 */
void mmf_finding_make(const struct mmf_directory *directory, const char *file_name,
                      bool keep_orphaned, struct mmf_finding *found);

void mmf_finding_close(struct mmf_finding *found);

#endif
